import type { Auth, AuthKey, SecretEncoding } from './config.js';
import type { PathStep } from './fault.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';
import type { Secret } from '../model/secret.js';

/** Fewest bytes of a shared secret. @see RFC 7518 §3.2 */
export const MIN_SECRET_BYTES = 32;

/** Said wherever a secret is too short. */
export const MAKE_A_SECRET =
  'expected at least 32 bytes; make one with `openssl rand -base64 32` or `node -p "crypto.randomBytes(32).toString(\'base64\')"`';

type KeyInput = ConfigInput['auth']['keys'][number];

/** Looks at a key with the eyes of the hook that will use it; says what is wrong. */
export type CheckKey = (key: AuthKey) => string | undefined;

/** Reads the keys and fills in what the profile decides. */
export function resolveAuth(input: ConfigInput['auth'], to: Resolving, checkKey: CheckKey): Auth {
  const { keys, profile, allowWeakSecret, issuers, audiences, maxTtlMinutes, leewaySeconds } = input;
  to.unique(
    ['auth', 'keys'],
    'id',
    keys.map(({ id }) => id),
  );
  const resolved = keys.map((key, index) => resolveKey(key, ['auth', 'keys', index], to, allowWeakSecret));
  resolved.forEach((key, index) => {
    const problem = key === null ? undefined : checkKey(key);
    if (problem !== undefined) to.fault(['auth', 'keys', index], problem);
  });
  return {
    ...{ profile, allowWeakSecret, issuers, audiences, maxTtlMinutes, leewaySeconds },
    onExpiry: input.onExpiry ?? (profile === 'strict' ? 'close' : 'keep'),
    keys: resolved.filter((key) => key !== null),
  };
}

function resolveKey(key: KeyInput, path: readonly PathStep[], to: Resolving, allowWeak: boolean): AuthKey | null {
  const { id, algorithm } = key;
  const material = resolveMaterial(key, path, to, allowWeak);
  return material === null ? null : { id, algorithm, ...material };
}

type Material = AuthKey extends infer K ? (K extends unknown ? Omit<K, 'id' | 'algorithm'> : never) : never;

function resolveMaterial(key: KeyInput, path: readonly PathStep[], to: Resolving, allowWeak: boolean): Material | null {
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
