/** Open streams and sockets of one key. */
export const MOST_FOLLOWERS = 100;
/** Bytes that may wait for a reader before it is let go. */
export const MOST_WAITING = 1024 * 1024;
export const HEARTBEAT_MS = 20_000;
