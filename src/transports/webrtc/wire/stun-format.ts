/** Fixed value of bytes 4 to 7. @see RFC 8489 §5 */
export const MAGIC_COOKIE = 0x2112a442;
/** Type, length, cookie, transaction id. */
export const HEADER_BYTES = 20;
/** Bytes of a transaction id. */
export const TRANSACTION_BYTES = 12;
/** The only method that ICE uses. */
export const BINDING = 0x001;
/** What FINGERPRINT is XORed with: `STUN` in ASCII. */
export const FINGERPRINT_XOR = 0x5354554e;
/** Bytes of an HMAC-SHA1. */
export const INTEGRITY_BYTES = 20;

/** Attribute types. @see RFC 8489 §18.3, RFC 8445 §20.1 */
export const ATTRIBUTE = {
  mappedAddress: 0x0001,
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  integritySha256: 0x001c,
  userhash: 0x001e,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** The kind of a message, by its two class bits. */
export const STUN_KINDS = ['request', 'indication', 'success', 'error'] as const;
export type StunKind = (typeof STUN_KINDS)[number];

/** An address and a port. */
export interface StunAddress {
  readonly host: string;
  readonly port: number;
}
