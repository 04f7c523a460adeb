/** Why calls do not come about or end, and what of them was refused: what happened, and one thing to do. */

/** Why an offer, an answer or a confirmation does not count. */
export type Refusal =
  /** Somebody who has a key did not sign, or the signature was taken off. */
  | 'unsigned'
  /** The signature does not fit, or what it needs is missing. */
  | 'changed'
  /** It names more than one DTLS certificate. */
  | 'several-keys'
  /** The key that signed is not the one they are known by. */
  | 'other-signer'
  /** It was made for somebody else. */
  | 'not-for-us'
  /** It was used before, or a later one was. */
  | 'old'
  | 'other-call'
  /** Within a call the DTLS certificate stays the same. */
  | 'key-changed'
  /** The other end saw another offer or answer than we did. */
  | 'unconfirmed'

const refused: Readonly<Record<Refusal, (who: string) => string>> = {
  unsigned: (who) => `Something came in the name of ${who} without their signature and was refused: somebody in between took it off, or their page is an old one.`,
  changed: (who) => `Somebody between you and ${who} changed this call, so it was refused.`,
  'several-keys': (who) => `Somebody between you and ${who} added a second encryption key to this call, so it was refused.`,
  'other-signer': (who) => `This call was signed by somebody else than ${who}, so it was refused.`,
  'not-for-us': (who) => `Somebody passed on to you a call that ${who} meant for somebody else. It was refused.`,
  old: (who) => `Somebody repeated an earlier call of ${who}. It was not used.`,
  'other-call': (who) => `An answer of ${who} came that belongs to another call. It was not used.`,
  'key-changed': (who) => `Somebody between you and ${who} tried to change the encryption key of this call. It was refused.`,
  unconfirmed: (who) => `${who} did not confirm this call as you see it: somebody in between passed off another’s connection as their own. It was ended before anything was said.`,
}

/** Why there is no call. */
export function refusedCall(refusal: Refusal, who: string): string {
  return `${refused[refusal](who)} Call again. If it happens again, ask ${who} by another way, and tell the owner of this server.`
}

/** What was kept out of a call that goes on. */
export function keptOut(refusal: Refusal, who: string): string {
  return `${refused[refusal](who)} The call goes on as it was.`
}

export const reasons = {
  noWebRtc:
    'This browser has no WebRTC, which direct calls need. Use a current Firefox, Chrome, Edge or Safari.',

  noCandidates: (secure: boolean): string =>
    secure
      ? 'This browser found no way onto the network: the Wi-Fi has no default route. Give this network any gateway, or allow the camera or microphone for this page once, then call again. At one end is enough.'
      : 'This browser found no way onto the network: the Wi-Fi has no default route. Give this network any gateway, or let the other end allow the camera or microphone for its page once, which has to be a secure one; then call again.',

  theirNoCandidates: (who: string): string =>
    `The browser of ${who} found no way onto the network: their Wi-Fi has no default route. They can allow the camera or microphone once at the secure address of this server, or somebody gives that network any gateway; then call again.`,

  noAnswer: (who: string): string => `${who} did not answer. They may have closed the page or put the phone away; call again in a moment.`,

  noWay: (who: string): string =>
    `No direct way to ${who} was found. Check that both devices are on the same network and that it lets devices talk to each other (guest Wi-Fi often does not), then call again.`,

  leftBefore: (who: string): string => `${who} left before the call was connected. Call again when they are back.`,

  lost: (who: string): string => `The way to ${who} was lost and did not come back. Call again when both devices are on the network.`,

  hungUp: (who: string): string => `${who} ended the call.`,

  closed: (who: string): string => `The connection to ${who} was closed. Call again to go on.`,

  youHungUp: 'You ended the call.',

  otherVersion: (who: string): string =>
    `The page of ${who} did not answer in the way this one understands. Reload both pages, so that they come from the same server, then call again.`,

  guest: 'Guests answer calls but do not start them. Wait to be called, or log in with an operator key.',

  notConnected: 'There is no connection to the server, which is needed to start a call. It comes back by itself; call again then.',

  notHere: (who: string): string => `${who} is not here any more. Call again when they are back.`,

  tooMany: 'There are too many calls at once. End one, then call again.',
}
