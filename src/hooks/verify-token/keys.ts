import type { KeyObject } from 'node:crypto';
import type { Secret } from '../../model/secret.js';
import { isSecretAlgorithm, type TokenAlgorithm } from './algorithms.js';
import { readJwks } from './jwks.js';
import { readPem } from './public-key.js';
import { decodeSecret, readSecret, type SecretEncoding } from './secret-key.js';

/** Most keys that are tried for a token whose `kid` names none of them. */
export const MAX_KEY_TRIALS = 4;

/**
 * One entry of `auth.keys`, with the contents of its files already read. `id` is what `kid` of a token may name.
 * Exactly one of secret, pem and jwks. `algorithm` may only be left out for a `jwks` whose keys name their own.
 */
export interface KeySpec {
  readonly id: string;
  readonly algorithm?: TokenAlgorithm;
  readonly secret?: Secret;
  /** How `secret` is written; utf8 when absent, as at Red5 Pro. */
  readonly encoding?: SecretEncoding;
  /** Takes a secret that is too short or published; each start warns of it. */
  readonly allowWeakSecret?: boolean;
  /** A public key or certificate in PEM. */
  readonly pem?: string;
  /** A JWK Set as JSON text. */
  readonly jwks?: string;
}

/** A key that tokens are checked with, pinned to one algorithm. */
export interface TokenKey {
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  readonly material: KeyObject;
  /** As the operator wrote it, for the diagnosis of a secret in the wrong encoding. */
  readonly written?: { readonly secret: Secret; readonly encoding: SecretEncoding };
}

/** All keys, in the order of the config. */
export interface KeySet {
  readonly keys: readonly TokenKey[];
}

/** Something to say about one entry of the config: `index` in the list, `property` of it. Holds no key material. */
export interface KeyNote {
  readonly index: number;
  readonly keyId: string;
  readonly property: 'id' | 'algorithm' | 'secret' | 'pem' | 'jwks';
  readonly message: string;
}

/** Keys ready to use with what to warn of, or why they are not. */
export type KeySetResult =
  | { readonly ok: true; readonly keySet: KeySet; readonly warnings: readonly KeyNote[] }
  | { readonly ok: false; readonly faults: readonly KeyNote[] };

interface Collected {
  readonly keys: TokenKey[];
  readonly faults: KeyNote[];
  readonly warnings: KeyNote[];
}

type Note = (property: KeyNote['property'], message: string) => KeyNote;

function addSecret(spec: KeySpec, secret: Secret, note: Note, into: Collected): void {
  const { id, algorithm, encoding = 'utf8' } = spec;
  if (algorithm === undefined || !isSecretAlgorithm(algorithm)) {
    into.faults.push(note('algorithm', 'a secret goes with HS256, HS384 or HS512'));
    return;
  }
  const text = secret.reveal();
  const bytes = decodeSecret(text, encoding);
  if (bytes === undefined) {
    into.faults.push(note('secret', `the secret is not written in ${encoding}`));
    return;
  }
  const read = readSecret(bytes, algorithm, spec.allowWeakSecret === true);
  if (!read.ok) {
    into.faults.push(note('secret', read.message));
    return;
  }
  if (read.warning !== undefined) into.warnings.push(note('secret', read.warning));
  if (text.trim() !== text) into.warnings.push(note('secret', 'the secret begins or ends with white space'));
  into.keys.push({ id, algorithm, material: read.material, written: { secret, encoding } });
}

function addPem(spec: KeySpec, pem: string, note: Note, into: Collected): void {
  const { id, algorithm } = spec;
  if (algorithm === undefined || isSecretAlgorithm(algorithm)) {
    into.faults.push(
      note('algorithm', 'a public key goes with RS256, PS256, ES256 or their kin, and one must be named'),
    );
    return;
  }
  const read = readPem(pem, algorithm);
  if (read.ok) into.keys.push({ id, algorithm, material: read.material });
  else into.faults.push(note('pem', read.message));
}

function addJwks(spec: KeySpec, jwks: string, note: Note, into: Collected): void {
  const content = readJwks(jwks, spec.algorithm);
  if (!content.ok) {
    into.faults.push(note('jwks', content.fault));
    return;
  }
  into.warnings.push(...content.leftOut.map((message) => note('jwks', message)));
  for (const { kid, algorithm, material, index } of content.entries) {
    if (material.ok) into.keys.push({ id: kid ?? `${spec.id}#${index}`, algorithm, material: material.material });
    else into.faults.push(note('jwks', `key ${index}: ${material.message}`));
  }
  if (content.entries.length === 0) into.faults.push(note('jwks', 'the set has no key to check tokens with'));
}

function addSpec(spec: KeySpec, note: Note, into: Collected): void {
  const { secret, pem, jwks } = spec;
  if (secret !== undefined && pem === undefined && jwks === undefined) addSecret(spec, secret, note, into);
  else if (pem !== undefined && secret === undefined && jwks === undefined) addPem(spec, pem, note, into);
  else if (jwks !== undefined && secret === undefined && pem === undefined) addJwks(spec, jwks, note, into);
  else into.faults.push(note('id', 'exactly one of secret, pem and jwks is expected'));
}

/** What a key has to be told among the keys before it: its id stands twice, or it comes too late to be tried. */
function checkAmong(earlier: readonly TokenKey[], key: TokenKey, note: Note, into: Collected): void {
  if (earlier.some((other) => other.id === key.id)) {
    into.faults.push(note('id', `the id ${JSON.stringify(key.id)} stands twice`));
  }
  if (earlier.filter((other) => other.algorithm === key.algorithm).length === MAX_KEY_TRIALS) {
    const message = `more than ${MAX_KEY_TRIALS} keys of ${key.algorithm}: from this one on they are found by kid only`;
    into.warnings.push(note('id', message));
  }
}

/**
 * Makes keys of their specs, or says all that is wrong with them. Secrets are long enough (32 bytes for HS256), RSA keys
 * have 2048 bits, an EC key is on the curve of its algorithm, no id stands twice, and a public key never becomes a secret.
 */
export function createKeySet(specs: readonly KeySpec[]): KeySetResult {
  const into: Collected = { keys: [], faults: [], warnings: [] };
  specs.forEach((spec, index) => {
    const note: Note = (property, message) => ({ index, keyId: spec.id, property, message });
    const before = into.keys.length;
    addSpec(spec, note, into);
    into.keys.slice(before).forEach((key, offset) => checkAmong(into.keys.slice(0, before + offset), key, note, into));
  });
  if (into.faults.length > 0) return { ok: false, faults: into.faults };
  return { ok: true, keySet: { keys: into.keys }, warnings: into.warnings };
}

/** One key set of keys that stay and keys that others keep up to date; looked up each time, and made anew only when some have changed. */
export function joinKeys(
  fixed: readonly TokenKey[],
  sources: readonly { readonly keys: readonly TokenKey[] }[],
): KeySet {
  if (sources.length === 0) return { keys: fixed };
  let seen: readonly (readonly TokenKey[])[] = [];
  let joined: readonly TokenKey[] = fixed;
  return {
    get keys() {
      if (seen.length === 0 || sources.some(({ keys }, index) => keys !== seen[index])) {
        seen = sources.map(({ keys }) => keys);
        joined = [...fixed, ...seen.flat()];
      }
      return joined;
    },
  };
}
