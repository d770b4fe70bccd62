/**
 * The algorithms a key may be pinned to. EdDSA is not among them, because jsonwebtoken does not implement it;
 * `none` never is.
 *
 * @see RFC 7518 §3.1
 */
export const TOKEN_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/** One of them. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** Those with a shared secret. */
export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512';

/** Those with a key pair. */
export type PublicAlgorithm = Exclude<TokenAlgorithm, SecretAlgorithm>;

/** Whether a text names one of the algorithms, exactly. */
export function isTokenAlgorithm(text: unknown): text is TokenAlgorithm {
  return TOKEN_ALGORITHMS.some((algorithm) => algorithm === text);
}

/** Whether the algorithm works with a shared secret. */
export function isSecretAlgorithm(algorithm: TokenAlgorithm): algorithm is SecretAlgorithm {
  return algorithm.startsWith('HS');
}

/** Characters of a signature in base64url, by what signed it; RSA depends on the key. */
const SIGNATURE_CHARS: Readonly<Partial<Record<TokenAlgorithm, number>>> = {
  HS256: 43,
  HS384: 64,
  HS512: 86,
  ES256: 86,
  ES384: 128,
  ES512: 176,
};

/** How much of a signature is there when a client has cut the token off; undefined when it is whole, or when that cannot be told. */
export function cutSignature(
  alg: unknown,
  signature: string,
): { readonly has: number; readonly needs: number } | undefined {
  const needs = isTokenAlgorithm(alg) ? SIGNATURE_CHARS[alg] : undefined;
  return needs === undefined || signature.length >= needs ? undefined : { has: signature.length, needs };
}
