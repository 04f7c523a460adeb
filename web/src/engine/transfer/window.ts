/**
 * The agreed window of a file's channel (docs/protocol/conversation.md). WebRTC lets a sender run
 * ahead of the receiver's disk without bound; this does not.
 */

/** A sender stays at most this far ahead of what the receiver has confirmed. */
export const WINDOW = 8 * 1024 * 1024
/** A receiver confirms at least this often. */
export const CONFIRM_EVERY = 512 * 1024
/** The largest message on a file's channel. */
export const CHUNK = 64 * 1024
