/**
 * What is in the way of a call: draws together what this browser finds and what the server sees. Pure.
 *
 * One sentence and one action each, in the order in which they should be mended.
 */
import type { Check } from '../../model-reach'
import type { Diagnosis } from '../../wire/http'

export interface Evidence {
  /** What the server sees; null when it does not answer. */
  readonly server: Pick<Diagnosis, 'checks'> | null
  /** How many ways onto the network the browser finds; null without WebRTC. */
  readonly ways: number | null
  /** What the person allowed this page: `granted`, `denied`, `prompt`, or null where the browser does not tell. */
  readonly media: PermissionState | null
  readonly localNetwork: PermissionState | null
  readonly secure: boolean
  /** The server has a secure address for us. */
  readonly hasSecureAddress: boolean
  /** This device trusts it. */
  readonly trusted: boolean
  /** A call has failed although the other end was there. */
  readonly callFailed: boolean
}

export function conclude(evidence: Evidence): readonly Check[] {
  if (evidence.server === null) return [unreachable, ...ownRoute(evidence)]
  const seen = new Map(evidence.server.checks.map((check) => [check.about, { ...check, help: null }]))
  const own = [...ownRoute(evidence), ...permission(evidence)]
  const checks = [
    reached,
    seen.get('network'),
    seen.get('zone'),
    ...(own.length > 0 ? own : [seen.get('route')]),
    seen.get('address'),
    seen.get('multicast'),
  ].filter((check) => check !== undefined)
  return [...checks, isolation(evidence, checks), ...certificate(evidence)]
}

const reached: Check = ok('server', 'The server answers.')

const unreachable = problem(
  'server',
  'The server does not answer. It may have stopped, or this device has left its network.',
  'Check that this device is on the server’s Wi-Fi, then look again.',
)

/** What this browser finds by itself says more about it than what the server knows of its own network. */
function ownRoute({ ways, secure }: Evidence): readonly Check[] {
  if (ways === null) {
    return [problem('route', 'This browser has no WebRTC, which direct calls need.', 'Use a current Firefox, Chrome, Edge or Safari.')]
  }
  if (ways > 0) return [ok('route', 'This browser finds a way onto the network.')]
  const sentence = 'This browser finds no way onto the network: the network has no default route, and without one Chrome and Edge look for ways only once they may use the microphone.'
  return secure
    ? [problem('route', sentence, 'Allow the microphone once, here or at the other end of a call, or give this network any gateway. Nothing is recorded.', 'microphone')]
    : [problem('route', sentence, 'Give this network any gateway, or allow the microphone at the secure address of this server: at one end of a call is enough.', 'trust')]
}

function permission({ ways, media, localNetwork, secure }: Evidence): readonly Check[] {
  // On plain http Chromium says no without having been asked, and asks nobody there.
  if (secure && localNetwork === 'denied') {
    return [
      problem(
        'permission',
        'This browser was told not to let this page reach devices on the local network.',
        'Allow it in the browser’s settings for this page, under local network, then reload.',
      ),
    ]
  }
  if (ways === 0 && secure && media === 'denied') {
    return [
      problem(
        'permission',
        'This browser was told not to let this page use the microphone, which would be the way out here.',
        'Allow it in the browser’s settings for this page, then look again. Nothing is recorded.',
      ),
    ]
  }
  return []
}

/** Found by elimination: both devices reach the server, nothing else is wrong, and they do not reach each other. */
function isolation({ callFailed }: Evidence, checks: readonly Check[]): Check {
  if (!callFailed) return unknown('isolation', 'Whether this Wi-Fi keeps its devices apart shows only when a call fails.')
  if (checks.some(({ state }) => state === 'problem')) {
    return unknown('isolation', 'Whether this Wi-Fi keeps its devices apart shows once the above is mended.')
  }
  return problem(
    'isolation',
    'Both devices reach the server, and nothing is wrong at this end. If the same page finds nothing on the other device either, this Wi-Fi keeps its devices apart.',
    'Switch off client isolation on the access point, or join another network. Guest Wi-Fi often has it.',
  )
}

function certificate({ secure, hasSecureAddress, trusted }: Evidence): readonly Check[] {
  if (secure) return [ok('certificate', 'This page is secure: keys, microphone and camera work here.')]
  if (!hasSecureAddress) return []
  return trusted
    ? [problem('certificate', 'This page came over plain http, where there are no keys and no microphone. This device trusts the secure address already.', 'Go on at the secure address.', 'trust')]
    : [problem('certificate', 'This device does not trust the server’s certificate, so that there are no keys and no microphone here. Guests can go on without.', 'Install the certificate: three steps, about a minute.', 'trust')]
}

function ok(about: Check['about'], sentence: string): Check {
  return { about, state: 'ok', sentence, action: null, help: null }
}

function unknown(about: Check['about'], sentence: string): Check {
  return { about, state: 'unknown', sentence, action: null, help: null }
}

function problem(about: Check['about'], sentence: string, action: string, help: Check['help'] = null): Check {
  return { about, state: 'problem', sentence, action, help }
}
