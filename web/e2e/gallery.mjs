/** Builds the gallery of page states and serves it with the content security policy of the real server. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const web = fileURLToPath(new URL('..', import.meta.url))

const policy =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss: http: https:"

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' }

/** Resolves to the gallery's address and a function that ends it. */
export async function serveGallery() {
  const files = await mkdtemp(join(tmpdir(), 'gallery-'))
  await build({
    configFile: false,
    root: join(web, 'src/ui/testing'),
    publicDir: false,
    logLevel: 'warn',
    build: { outDir: files, emptyOutDir: true, assetsInlineLimit: 0, rollupOptions: { input: join(web, 'src/ui/testing/gallery.html') } },
  })
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://gallery')
    // What a browser downloads leaves the page where it is.
    if (pathname.startsWith('/trust/')) return response.writeHead(204).end()
    const file = pathname === '/api/qr.svg' ? join(web, 'e2e/qr.svg') : join(files, normalize(pathname))
    try {
      const body = await readFile(file)
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain', 'content-security-policy': policy })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${server.address().port}/gallery.html`,
    close: async () => {
      await new Promise((closed) => server.close(closed))
      await rm(files, { recursive: true })
    },
  }
}
