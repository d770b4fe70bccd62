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
