/**
 * The certificate library, in the only place that imports it: its container for providers asks for a
 * polyfill that must have run before, and two imports in a file keep their order only as long as the
 * bundler puts both into one piece.
 */
import 'reflect-metadata/lite'

export * from '@peculiar/x509'
