import { isSecretAlgorithm, isTokenAlgorithm, type TokenAlgorithm } from './algorithms.js';
import { readPublicJwk, type Material } from './public-key.js';
import { decodeSecret, readSecret } from './secret-key.js';

/** Most keys one set may hold. */
export const MAX_JWKS_KEYS = 64;

/** One key of a set, pinned to its algorithm. `kid` is absent when the set gives none. */
export interface JwksEntry {
  readonly kid?: string;
  readonly algorithm: TokenAlgorithm;
  readonly material: Material;
  /** Where it stands in the set, from 0. */
  readonly index: number;
}

/** What a set holds: keys for signatures, and why others were left out. `fault` is a set that cannot be read at all. */
export type JwksContent =
  | { readonly ok: true; readonly entries: readonly JwksEntry[]; readonly leftOut: readonly string[] }
  | { readonly ok: false; readonly fault: string };

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why a key is not for checking tokens, or undefined. @see RFC 7517 §4.2 and §4.3 */
function notForTokens(jwk: Readonly<Record<string, unknown>>): string | undefined {
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return 'its use is not sig';
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'its key_ops lack verify';
  }
  return undefined;
}

function readMaterial(jwk: Readonly<Record<string, unknown>>, algorithm: TokenAlgorithm): Material {
  if (!isSecretAlgorithm(algorithm)) return readPublicJwk(jwk, algorithm);
  const bytes = typeof jwk['k'] === 'string' ? decodeSecret(jwk['k'], 'base64url') : undefined;
  if (jwk['kty'] !== 'oct' || bytes === undefined) return { ok: false, message: 'no secret in base64url' };
  return readSecret(bytes, algorithm, false);
}

/**
 * Reads a JWK Set. The algorithm of a key is its own `alg`, or `pinned` where it has none; a key whose `alg` differs from
 * `pinned` is left out. Secrets and public keys in one set are a fault: the set would have to be secret and public at once.
 *
 * @see RFC 7517 §5
 */
export function readJwks(text: string, pinned: TokenAlgorithm | undefined): JwksContent {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'not JSON' };
  }
  const list = isRecord(set) ? set['keys'] : undefined;
  if (!Array.isArray(list)) return { ok: false, fault: 'no JWK Set: an object with a list "keys" is expected' };
  if (list.length > MAX_JWKS_KEYS)
    return { ok: false, fault: `${list.length} keys, at most ${MAX_JWKS_KEYS} are read` };
  const sorts = new Set(list.map((jwk: unknown) => isRecord(jwk) && jwk['kty'] === 'oct'));
  if (sorts.size > 1) return { ok: false, fault: 'secrets and public keys in one set' };

  const entries: JwksEntry[] = [];
  const leftOut: string[] = [];
  list.forEach((jwk: unknown, index) => {
    const reason = isRecord(jwk) ? notForTokens(jwk) : 'it is not an object';
    if (!isRecord(jwk) || reason !== undefined) {
      leftOut.push(`key ${index} is left out: ${String(reason)}`);
      return;
    }
    const algorithm = jwk['alg'] ?? pinned;
    if (!isTokenAlgorithm(algorithm) || (pinned !== undefined && algorithm !== pinned)) {
      leftOut.push(`key ${index} is left out: its alg is not ${pinned ?? 'one that is known'}`);
      return;
    }
    const kid = typeof jwk['kid'] === 'string' ? { kid: jwk['kid'] } : {};
    entries.push({ ...kid, algorithm, index, material: readMaterial(jwk, algorithm) });
  });
  return { ok: true, entries, leftOut };
}
