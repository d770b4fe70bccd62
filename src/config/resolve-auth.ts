import type { Auth, AuthKey, KeyAlgorithm, SecretEncoding } from './config.js';
import type { PathStep } from './fault.js';
import { resolveJwksUrl, URL_KEYS } from './resolve-jwks-url.js';
import type { Resolving } from './resolving.js';
import { MAX_REVOCATION_BYTES, readRevocations } from './revocation-file.js';
import type { ConfigInput } from './schema.js';
import type { Secret } from '../model/secret.js';

/** Fewest bytes of a shared secret. @see RFC 7518 §3.2 */
export const MIN_SECRET_BYTES = 32;

/** Said wherever a secret is too short. */
export const MAKE_A_SECRET =
  'expected at least 32 bytes; make one with `openssl rand -base64 32` or `node -p "crypto.randomBytes(32).toString(\'base64\')"`';

type KeyInput = ConfigInput['auth']['keys'][number];

/** A remark on the key at `index`, and on which of its properties. */
export interface KeyRemark {
  readonly index: number;
  readonly property: 'id' | 'algorithm' | 'secret' | 'publicKey' | 'jwks';
  readonly message: string;
}

/** Looks at the keys with the eyes of the hook that will use them. */
export type CheckKeys = (auth: Auth) => {
  readonly faults: readonly KeyRemark[];
  readonly warnings: readonly KeyRemark[];
};

/** Reads the keys and fills in what the profile decides. */
export function resolveAuth(input: ConfigInput['auth'], to: Resolving, checkKeys: CheckKeys): Auth {
  const { keys, profile, allowWeakSecret, issuers, audiences, maxTtlMinutes, leewaySeconds } = input;
  const { expiryWarningSeconds, expiryGraceSeconds, oneTimeTokens, revocations } = input;
  const ids = keys.map(({ id }) => id);
  to.unique(['auth', 'keys'], 'id', ids);
  const resolved = keys.map((key, index) => resolveKey(key, ['auth', 'keys', index], to, allowWeakSecret));
  const auth: Auth = {
    ...{ profile, allowWeakSecret, issuers, audiences, maxTtlMinutes, leewaySeconds },
    ...{ expiryWarningSeconds, expiryGraceSeconds, oneTimeTokens },
    ...(revocations && { revocations: { file: checkRevocations(revocations.file, to) } }),
    onExpiry: input.onExpiry ?? (profile === 'strict' ? 'close' : 'keep'),
    keys: resolved.filter((key) => key !== null),
  };
  const { faults, warnings } = checkKeys(auth);
  // The keys that were read may be fewer than the ones written.
  const pathOf = ({ index, property }: KeyRemark): readonly PathStep[] => {
    const written = ids.indexOf(auth.keys[index]?.id ?? '');
    return written === -1 ? ['auth', 'keys'] : ['auth', 'keys', written, property];
  };
  for (const one of faults) if (!to.hasFault(pathOf(one))) to.fault(pathOf(one), one.message);
  for (const one of warnings) if (!to.hasWarning(pathOf(one))) to.warn(pathOf(one), one.message);
  return auth;
}

/** A list that cannot be read would let in whom it shuts out; so it is looked at with the config. */
function checkRevocations(file: string, to: Resolving): string {
  const path = ['auth', 'revocations', 'file'];
  const bytes = to.bytes(path, file, MAX_REVOCATION_BYTES);
  const read = bytes && readRevocations(bytes);
  if (read?.ok === false) to.fault(path, `names a file that ${read.problem}`);
  return to.pathOf(file);
}

function resolveKey(key: KeyInput, path: readonly PathStep[], to: Resolving, allowWeak: boolean): AuthKey | null {
  const { id } = key;
  if (key.jwksUrl !== undefined) return resolveJwksUrl(key, path, to);
  const stray = URL_KEYS.find((name) => key[name] !== undefined);
  if (stray !== undefined) return to.fault([...path, stray], 'is for jwksUrl, which this key has not');
  const algorithm = key.algorithm ?? 'HS256';
  const material = resolveMaterial({ ...key, algorithm }, path, to, allowWeak);
  return material === null ? null : { id, algorithm, ...material };
}

type Material = AuthKey extends infer K ? (K extends unknown ? Omit<K, 'id' | 'algorithm'> : never) : never;

function resolveMaterial(
  key: KeyInput & { readonly algorithm: KeyAlgorithm },
  path: readonly PathStep[],
  to: Resolving,
  allowWeak: boolean,
): Material | null {
  const { algorithm, secret, publicKey, jwks, encoding } = key;
  if (algorithm.startsWith('HS')) {
    if (publicKey !== undefined || jwks !== undefined) {
      return to.fault(
        path,
        `has a public key, but ${algorithm} works with a shared secret`,
        'expected secret, or an algorithm such as RS256',
      );
    }
    if (secret === undefined)
      return to.fault(path, 'has no secret', 'expected secret: {file: …} or {env: …} or {value: …}');
    const read = to.secret([...path, 'secret'], secret);
    if (read === null || !isStrongEnough(read, encoding, [...path, 'secret'], to, allowWeak)) return null;
    return { kind: 'secret', secret: read, encoding };
  }
  if (secret !== undefined)
    return to.fault(path, `has a secret, but ${algorithm} works with a public key`, 'expected publicKey or jwks');
  if ((publicKey === undefined) === (jwks === undefined)) {
    return to.fault(
      path,
      publicKey === undefined ? 'has no public key' : 'has both publicKey and jwks',
      'expected either publicKey or jwks',
    );
  }
  return publicKeyMaterial(key, path, to);
}

function publicKeyMaterial(key: KeyInput, path: readonly PathStep[], to: Resolving): Material | null {
  if (key.publicKey !== undefined) {
    const publicKey = to.text([...path, 'publicKey'], key.publicKey);
    return publicKey === null ? null : { kind: 'public-key', publicKey };
  }
  const jwks = key.jwks === undefined ? null : to.text([...path, 'jwks'], key.jwks);
  return jwks === null ? null : { kind: 'jwks', jwks };
}

function isStrongEnough(
  secret: Secret,
  encoding: SecretEncoding,
  path: readonly PathStep[],
  to: Resolving,
  allowWeak: boolean,
): boolean {
  const bytes = secretBytes(secret, encoding);
  if (bytes === undefined) {
    to.fault(path, `is not ${encoding} text`, 'expected another encoding, or a secret in this one');
    return false;
  }
  if (bytes >= MIN_SECRET_BYTES) return true;
  if (allowWeak) to.warn(path, `is a weak secret of ${bytes} bytes, let pass by auth.allowWeakSecret`, MAKE_A_SECRET);
  else to.fault(path, `is a weak secret of ${bytes} bytes`, MAKE_A_SECRET);
  return allowWeak;
}

/** How many bytes a secret stands for; undefined when its text is not in that encoding. */
function secretBytes(secret: Secret, encoding: SecretEncoding): number | undefined {
  const text = secret.reveal();
  const bytes = Buffer.from(text, encoding);
  if (encoding === 'utf8') return bytes.length;
  // Node skips what it cannot decode; only text that comes back whole was really in this encoding.
  const isWhole =
    bytes.toString(encoding).replace(/=+$/, '').toLowerCase() === text.replace(/={0,2}$/, '').toLowerCase();
  return isWhole ? bytes.length : undefined;
}
