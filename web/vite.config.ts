/// <reference types="vitest/config" />
/**
 * Builds the web app into plain files that the server embeds. `WEB_OUT_DIR` names the output directory
 * (default `dist`). The server's content security policy allows neither inline code nor `data:` assets
 * other than images, so nothing is ever inlined.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { env } from 'node:process'
import { defineConfig, type Plugin } from 'vite'

/** Tells the service worker every file of the app, and a version that changes with any of them. */
function wholeApp(): Plugin {
  const publicFiles = readdirSync('public')
  return {
    name: 'whole-app',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const worker = bundle['sw.js']
      // It is one script: what it shared with the app would be a file of its own.
      if (worker?.type !== 'chunk' || worker.imports.length > 0) throw new Error('the build has no service worker of one file')
      const hash = createHash('sha256')
      const built = Object.values(bundle).filter(({ fileName }) => fileName !== 'sw.js')
      for (const file of built) hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source)
      for (const name of publicFiles) hash.update(name).update(readFileSync(`public/${name}`))
      const assets = built.map(({ fileName }) => `/${fileName}`).filter((path) => path !== '/index.html')
      const files = ['/', ...assets, ...publicFiles.map((name) => `/${name}`)].sort()
      const given = `const FILES=${JSON.stringify(files)},VERSION=${JSON.stringify(hash.digest('hex').slice(0, 16))};`
      worker.code = given + worker.code
    },
  }
}

export default defineConfig({
  plugins: [wholeApp()],
  build: {
    outDir: env['WEB_OUT_DIR'] ?? 'dist',
    emptyOutDir: true,
    target: ['chrome100', 'firefox100', 'safari15.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rollupOptions: {
      input: { index: 'index.html', sw: 'src/sw/sw.ts' },
      // A service worker's address must last.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
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
