import type { Auth, AuthKey, FetchedJwks } from '../config/config.js';
import type { KeySourceOptions, KeySpec, TokenPolicy } from '../hooks/verify-token/index.js';

/** A key whose set is fetched. */
export type FetchedKey = AuthKey & FetchedJwks;

/** Whether a key's set is fetched. */
export function isFetched(key: AuthKey): key is FetchedKey {
  return key.kind === 'jwks-url';
}

/** One key as the hook wants it; undefined for one that has to be fetched first. */
export function keySpecOf(key: AuthKey, allowWeakSecret: boolean): KeySpec | undefined {
  const { id, algorithm } = key;
  switch (key.kind) {
    case 'secret':
      return { id, algorithm, secret: key.secret, encoding: key.encoding, allowWeakSecret };
    case 'public-key':
      return { id, algorithm, pem: key.publicKey };
    case 'jwks':
      return { id, algorithm, jwks: key.jwks };
    case 'jwks-url':
      return undefined;
  }
}

/** The keys that are there without a fetch, in the order of the config. */
export function keySpecsOf(auth: Auth): readonly KeySpec[] {
  return auth.keys.map((key) => keySpecOf(key, auth.allowWeakSecret)).filter((spec) => spec !== undefined);
}

/** Where and how a key's set is fetched; with what the roof adds, it is what a key source is made of. */
export function fetchOf(key: FetchedKey): Omit<KeySourceOptions, 'clock' | 'random' | 'onFetch'> {
  const { id, url, algorithms, ca } = key;
  return {
    ...{ id, algorithms, ...url },
    timeoutMs: key.timeoutSeconds * 1000,
    refreshMs: key.refreshSeconds * 1000,
    cooldownMs: key.cooldownSeconds * 1000,
    maxStaleMs: key.maxStaleSeconds * 1000,
    ...(ca !== undefined && { ca }),
  };
}

/** What tokens are held against, but for the keys. */
export function claimPolicyOf(auth: Auth): Omit<TokenPolicy, 'keys'> {
  const { profile, issuers, audiences, maxTtlMinutes, leewaySeconds } = auth;
  return { profile, issuers, audiences, maxTtlS: maxTtlMinutes * 60, leewayS: leewaySeconds };
}
