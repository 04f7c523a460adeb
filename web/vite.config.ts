/// <reference types="vitest/config" />
/**
 * Builds the web app into plain files that the server embeds. `WEB_OUT_DIR` names the output directory
 * (default `dist`). The server's content security policy allows neither inline code nor `data:` assets
 * other than images, so nothing is ever inlined.
 */
import { env } from 'node:process'
import { defineConfig } from 'vite'

export default defineConfig({
  build: {
    outDir: env['WEB_OUT_DIR'] ?? 'dist',
    emptyOutDir: true,
    target: ['chrome100', 'firefox100', 'safari15.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:8080',
      '/signal': { target: 'ws://127.0.0.1:8080', ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
  },
})
