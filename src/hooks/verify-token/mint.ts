import jwt from 'jsonwebtoken';
import { GatewayError } from '../../model/errors.js';
import type { Role } from '../../model/identity.js';
import type { TransportName } from '../../model/transport.js';
import { isSecretAlgorithm } from './algorithms.js';
import type { KeySet, TokenKey } from './keys.js';

/** What a minted token says. Absent lists are left out of the token, which is no limit in profile `red5`. */
export interface MintOptions {
  /** A secret, or a private key of the algorithm's sort. */
  readonly key: Pick<TokenKey, 'algorithm' | 'material'>;
  /** Put in the header as `kid`. */
  readonly keyId?: string;
  readonly subject?: string;
  readonly roles?: readonly Role[];
  readonly transports?: readonly TransportName[];
  /** Room paths without the app, joined by `/`. */
  readonly rooms?: readonly string[];
  /** Seconds from `nowS` to `exp`. */
  readonly ttlS: number;
  readonly issuer?: string;
  readonly audience?: string;
  readonly tokenId?: string;
}

/** The first key of a set that can also sign: one with a secret, and with this id if one is given. */
export function findSigningKey(keySet: KeySet, id?: string): TokenKey | undefined {
  return keySet.keys.find((key) => isSecretAlgorithm(key.algorithm) && (id === undefined || key.id === id));
}

function toClaim(name: string, entries: readonly string[] | undefined): Record<string, string> {
  if (entries === undefined) return {};
  if (entries.length === 0 || entries.some((entry) => entry.includes(',') || entry.trim() !== entry || entry === '')) {
    throw new GatewayError('mint-refused', 'gateway', `${name} needs entries without commas and outer spaces`);
  }
  return { [name]: entries.join(',') };
}

/**
 * Makes a token as Red5 Pro reads it: lists as comma-separated strings, `iat` and `exp` whole seconds.
 * `nowS` is seconds since 1970. Throws GatewayError `mint-refused` for a list that would not be read back as it was given,
 * a lifetime that is not positive, or a key that cannot sign.
 */
export function mintToken(options: MintOptions, nowS: number): string {
  const { key, keyId, subject, issuer, audience, tokenId, ttlS } = options;
  if (!(ttlS > 0)) throw new GatewayError('mint-refused', 'gateway', 'the lifetime must be more than 0 seconds');
  const iat = Math.floor(nowS);
  const claims = {
    iat,
    exp: iat + Math.floor(ttlS),
    ...(subject !== undefined && { sub: subject }),
    ...(issuer !== undefined && { iss: issuer }),
    ...(audience !== undefined && { aud: audience }),
    ...(tokenId !== undefined && { jti: tokenId }),
    ...toClaim('roles', options.roles),
    ...toClaim('red5-transport', options.transports),
    ...toClaim('red5-room', options.rooms),
  };
  try {
    return jwt.sign(claims, key.material, { algorithm: key.algorithm, ...(keyId !== undefined && { keyid: keyId }) });
  } catch (cause) {
    throw new GatewayError('mint-refused', 'gateway', `the key cannot sign with ${key.algorithm}`, { cause });
  }
}
