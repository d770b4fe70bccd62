/** What a datagram on a port of WebRTC is. `rtcp` and `rtp` are encrypted but for their headers. */
export type DatagramKind = 'stun' | 'dtls' | 'rtp' | 'rtcp' | 'other';

/**
 * Tells datagrams apart by their first byte, and RTCP from RTP by its second.
 * @see RFC 7983 §7, RFC 5761 §4
 */
export function datagramKind(bytes: Buffer): DatagramKind {
  const first = bytes[0];
  if (first === undefined) return 'other';
  if (first < 4) return 'stun';
  if (first >= 20 && first <= 63) return 'dtls';
  if (first < 128 || first > 191) return 'other';
  return isRtcp(bytes) ? 'rtcp' : 'rtp';
}

/** Whether a datagram that starts with a byte of RTP (128 to 191) is RTCP: its packet type is 192 to 223. */
export function isRtcp(bytes: Buffer): boolean {
  const type = bytes[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** DTLS record type of an alert. @see RFC 6347 §4.3.1 */
const ALERT = 21;
/** DTLS record type of a handshake message. */
const HANDSHAKE = 22;

/**
 * Whether a DTLS record is an alert sent after the handshake (epoch above 0), as `close_notify` is. In DTLS 1.3 it cannot be told
 * from other records, so `false` means nothing.
 */
export function isLateAlert(bytes: Buffer): boolean {
  return bytes[0] === ALERT && bytes.length >= 13 && bytes.readUInt16BE(3) > 0;
}

/** Whether a datagram starts with an unencrypted handshake message, as a ClientHello does. */
export function isHandshake(bytes: Buffer): boolean {
  return bytes[0] === HANDSHAKE;
}
