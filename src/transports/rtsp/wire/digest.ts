import { createHash } from 'node:crypto';
import { WireError } from '../../../model/errors.js';
import type { Secret } from '../../../model/secret.js';
import type { DigestChallenge } from './challenge.js';
import { quote } from './quoted.js';

/** What a digest is made for, besides the challenge. */
export interface DigestRequest {
  readonly username: string;
  readonly password: Secret;
  readonly method: string;
  /** Exactly as it stands in the request line (RTSP-13: servers compare). */
  readonly uri: string;
  /** How often this nonce has been used with this one, 1 or more; it and `cnonce` count with qop `auth` only. */
  readonly count: number;
  /** Random, chosen by the gateway; hex digits. */
  readonly cnonce: string;
}

/**
 * The value of the Authorization header that answers a Digest challenge.
 * Throws WireError `unwritable-header` for control characters in a part.
 * @see RFC 7616 §3.4, RFC 2069 §2.1.2 for qop `none`
 */
export function writeDigest(challenge: DigestChallenge, request: DigestRequest): string {
  const { realm, nonce, opaque, algorithm, namesAlgorithm, qop } = challenge;
  const { username, uri, cnonce } = request;
  if (!/^[0-9a-zA-Z+/=]*$/.test(cnonce)) throw new WireError('unwritable-header', 'letters and digits as cnonce');
  const parts = [
    `username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${digestResponse(challenge, request)}"`,
    ...(namesAlgorithm ? [`algorithm=${algorithm}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop === 'auth' ? ['qop=auth', `nc=${countOf(request)}`, `cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}

/** The response alone: 32 or 64 hex digits. @see RFC 7616 §3.4.1 */
export function digestResponse(challenge: DigestChallenge, request: DigestRequest): string {
  const { realm, nonce, algorithm, qop } = challenge;
  const { username, password, method, uri, cnonce } = request;
  const hash = (...parts: readonly string[]) =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(parts.join(':'))
      .digest('hex');
  const used = qop === 'auth' ? [nonce, countOf(request), cnonce, 'auth'] : [nonce];
  return hash(hash(username, realm, password.reveal()), ...used, hash(method, uri));
}

function countOf({ count }: DigestRequest): string {
  return count.toString(16).padStart(8, '0');
}
