/** Why calls do not come about or end: what happened, and one thing to do. */

export const reasons = {
  noWebRtc:
    'This browser has no WebRTC, which direct calls need. Use a current Firefox, Chrome, Edge or Safari.',

  noCandidates: (secure: boolean): string =>
    secure
      ? 'This browser found no way onto the network: the Wi-Fi has no default route. Give this network any gateway, or allow the camera or microphone for this page once, then call again.'
      : 'This browser found no way onto the network: the Wi-Fi has no default route. Give this network any gateway, or open the secure address of this server, then call again.',

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
