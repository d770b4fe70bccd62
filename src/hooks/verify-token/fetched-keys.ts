import { isSecretAlgorithm, type TokenAlgorithm } from './algorithms.js';
import { readJwks } from './jwks.js';
import type { TokenKey } from './keys.js';

/** Where a fetched set came from, and what may be in it. */
export interface FetchedFrom {
  /** Of the entry in the config; names keys that have no `kid`. */
  readonly id: string;
  /** Over TLS: only then may it hold secrets. */
  readonly secure: boolean;
  readonly algorithms: readonly TokenAlgorithm[];
}

/** The keys of a set and what was left out of it, or why it is no set at all. */
export type FetchedKeys =
  | { readonly ok: true; readonly keys: readonly TokenKey[]; readonly leftOut: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a JWK Set that came from somewhere else. Sets of issuers hold all sorts of keys, so one that cannot be used is left
 * out and the others are taken; a key without `alg` is taken only where one algorithm is allowed. Of a `kid` that stands twice the first counts.
 */
export function readFetchedKeys(text: string, { id, secure, algorithms }: FetchedFrom): FetchedKeys {
  const [only, ...more] = algorithms;
  const content = readJwks(text, more.length === 0 ? only : undefined);
  if (!content.ok) return { ok: false, problem: content.fault };
  const keys: TokenKey[] = [];
  const leftOut = [...content.leftOut];
  for (const { kid, algorithm, material, index } of content.entries) {
    const keyId = kid ?? `${id}#${index}`;
    const why = !algorithms.includes(algorithm)
      ? `${algorithm} is not allowed`
      : isSecretAlgorithm(algorithm) && !secure
        ? 'a secret that came without TLS'
        : keys.some((key) => key.id === keyId)
          ? 'its kid stands twice'
          : material.ok
            ? undefined
            : material.message;
    if (why === undefined && material.ok) keys.push({ id: keyId, algorithm, material: material.material });
    else leftOut.push(`key ${index} is left out: ${why ?? ''}`);
  }
  return { ok: true, keys, leftOut };
}
