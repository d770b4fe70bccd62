/** What sort of no it is; each transport has its own words for each kind (`docs/rejections.md`). */
export type RejectionKind = 'malformed' | 'unauthenticated' | 'forbidden' | 'conflict' | 'limited' | 'unavailable';

/** Who can mend it. */
export type Side = 'client' | 'origin' | 'gateway';

interface CodeRow {
  readonly kind: RejectionKind;
  readonly side: Side;
  /** The short human reason that the client gets to see; tells nothing that helps an attacker. */
  readonly reason: string;
}

/** Every rejection code. Stable: a code is never renamed or reused; `docs/rejections.md` explains each. */
export const REJECTIONS = {
  'token-missing': { kind: 'unauthenticated', side: 'client', reason: 'a token is required' },
  'token-malformed': { kind: 'unauthenticated', side: 'client', reason: 'the token is malformed' },
  'token-algorithm': { kind: 'unauthenticated', side: 'client', reason: 'the token has the wrong algorithm' },
  'token-signature': { kind: 'unauthenticated', side: 'client', reason: 'the token signature does not match' },
  'token-expired': { kind: 'unauthenticated', side: 'client', reason: 'the token has expired' },
  'token-not-yet-valid': { kind: 'unauthenticated', side: 'client', reason: 'the token is not valid yet' },
  'token-ttl-exceeded': { kind: 'unauthenticated', side: 'client', reason: 'the token lives too long' },
  'token-issuer': { kind: 'unauthenticated', side: 'client', reason: 'the token has the wrong issuer' },
  'token-audience': { kind: 'unauthenticated', side: 'client', reason: 'the token has the wrong audience' },
  'token-revoked': { kind: 'unauthenticated', side: 'client', reason: 'the token has been revoked' },
  'token-conflict': { kind: 'malformed', side: 'client', reason: 'two different tokens were sent' },
  'transport-denied': { kind: 'forbidden', side: 'client', reason: 'the token does not allow this transport' },
  'role-denied': { kind: 'forbidden', side: 'client', reason: 'the token does not allow this action' },
  'room-denied': { kind: 'forbidden', side: 'client', reason: 'the token does not allow this room' },
  'path-invalid': { kind: 'malformed', side: 'client', reason: 'the stream path is invalid' },
  'stream-busy': { kind: 'conflict', side: 'client', reason: 'the stream name is still in use' },
  'limit-connections': { kind: 'limited', side: 'client', reason: 'too many connections' },
  'limit-rate': { kind: 'limited', side: 'client', reason: 'too many attempts' },
  'address-denied': { kind: 'forbidden', side: 'client', reason: 'the address is not allowed' },
  'hook-denied': { kind: 'forbidden', side: 'client', reason: 'refused by policy' },
  'hook-failed': { kind: 'unavailable', side: 'gateway', reason: 'the policy could not be asked' },
  'origin-unavailable': { kind: 'unavailable', side: 'origin', reason: 'the origin is not available' },
  'origin-refused': { kind: 'unavailable', side: 'origin', reason: 'the origin refused the stream' },
  draining: { kind: 'unavailable', side: 'gateway', reason: 'the gateway is shutting down' },
  'malformed-request': { kind: 'malformed', side: 'client', reason: 'the request is malformed' },
  timeout: { kind: 'malformed', side: 'client', reason: 'the client took too long' },
} as const satisfies Record<string, CodeRow>;

/** One of the stable codes. */
export type RejectionCode = keyof typeof REJECTIONS;

/** Policy said no: a value, never thrown. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly kind: RejectionKind;
  /** For the log and `token why` only: which claim, by how much. Holds no token and no raw peer bytes. */
  readonly detail: string;
}

/** Makes the rejection of a code; its kind comes from the table. */
export function reject(code: RejectionCode, detail: string): Rejection {
  return { code, kind: REJECTIONS[code].kind, detail };
}

/** The short human reason a client may see for a code. */
export function reasonOf(code: RejectionCode): string {
  return REJECTIONS[code].reason;
}
