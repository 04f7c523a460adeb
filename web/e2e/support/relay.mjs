/**
 * Somebody between a browser and its server: everything passes through, and every frame of signaling can
 * be changed, kept, held back or repeated. The browser cannot tell: it dials the server's own name and port.
 */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import WebSocket, { WebSocketServer } from 'ws'
import { launch } from '../browser.mjs'

const address = '127.0.0.2'

/** A relay to a server that listens on 127.0.0.1 only. */
export class Relay {
  /** What becomes of a frame on its way to the browser or the server: the frames to pass on instead. */
  toBrowser = (frame) => [frame]
  toServer = (frame) => [frame]
  /** Every frame that the browser or the server said, as it said it. */
  said = []
  #pairs = new Set()
  #server

  static async before(server) {
    const relay = new Relay()
    const sockets = new WebSocketServer({ noServer: true })
    relay.#server = createServer((asked, answer) => {
      const { method, url, headers } = asked
      const onward = request({ host: '127.0.0.1', port: server.port, method, path: url, headers }, (got) => {
        answer.writeHead(got.statusCode, got.headers)
        got.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      asked.pipe(onward)
    })
    relay.#server.on('upgrade', (asked, socket, head) => {
      sockets.handleUpgrade(asked, socket, head, (browser) => relay.#join(browser, asked, server.port))
    })
    relay.#server.listen(server.port, address)
    await once(relay.#server, 'listening')
    return relay
  }

  /** A browser that finds the relay where the server should be. */
  browser() {
    return launch(undefined, { args: [`--host-resolver-rules=MAP localhost ${address}`] })
  }

  /** How many connections the browser has made so far. */
  connections = 0

  /** Says something to the browser in the server's name. */
  tellBrowser(frame) {
    for (const { browser } of this.#pairs) browser.send(JSON.stringify(frame))
  }

  /** Cuts the connections without a word, as a cable that is pulled out. */
  cut() {
    for (const { browser, server } of this.#pairs) {
      browser.terminate()
      server.terminate()
    }
  }

  /** From now on nothing passes through the connections that are there, and nobody is told. */
  stall() {
    for (const pair of this.#pairs) pair.stalled = true
  }

  close() {
    this.cut()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #join(browser, asked, port) {
    this.connections += 1
    const { host, origin } = asked.headers
    const server = new WebSocket(`ws://127.0.0.1:${port}${asked.url}`, { headers: { host }, origin })
    const pair = { browser, server, stalled: false }
    this.#pairs.add(pair)
    const early = []
    const pass = (to, change) => (text) => {
      const frame = JSON.parse(text)
      this.said.push(frame)
      if (pair.stalled) return
      for (const changed of change(frame)) {
        if (to.readyState === WebSocket.CONNECTING) early.push(JSON.stringify(changed))
        else to.send(JSON.stringify(changed))
      }
    }
    browser.on('message', pass(server, (frame) => this.toServer(frame)))
    server.on('message', pass(browser, (frame) => this.toBrowser(frame)))
    server.on('open', () => early.forEach((text) => server.send(text)))
    for (const [one, other] of [[browser, server], [server, browser]]) {
      one.on('error', () => other.terminate())
      one.on('close', (code) => {
        this.#pairs.delete(pair)
        if (pair.stalled) return other.terminate()
        // Codes that stand for a missing one cannot be sent (RFC 6455, 7.4.1).
        if (code === 1005 || code === 1006) other.terminate()
        else other.close(code)
      })
    }
  }
}
