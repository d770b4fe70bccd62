import { createPublicKey, createSecretKey } from 'node:crypto';
import type { SecretAlgorithm } from './algorithms.js';
import type { Material } from './public-key.js';

/** How a secret is written down. Red5 Pro signs with the UTF-8 bytes of the text, whatever they look like. */
export type SecretEncoding = 'utf8' | 'base64' | 'base64url' | 'hex';

/** Fewest bytes of a secret for each HMAC: as many as its hash gives. @see RFC 7518 §3.2 */
export const MIN_SECRET_BYTES: Readonly<Record<SecretAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Secrets that stand in public documentation, so that everybody can mint with them. */
const PUBLISHED_SECRETS: readonly string[] = ['changeme-to-a-strong-32-byte-secret-key'];

/** The bytes of a secret, or undefined when the text is not of that encoding. Padding may be there or not. */
export function decodeSecret(text: string, encoding: SecretEncoding): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  if (encoding === 'utf8') return bytes;
  const again = bytes.toString(encoding);
  if (encoding === 'hex') return again === text.toLowerCase() ? bytes : undefined;
  return again.replace(/={0,2}$/, '') === text.replace(/={0,2}$/, '') ? bytes : undefined;
}

function isDerPublicKey(bytes: Buffer): boolean {
  return (['spki', 'pkcs1'] as const).some((type) => {
    try {
      createPublicKey({ key: bytes, format: 'der', type });
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Whether the bytes of a would-be HMAC secret are really a key of a pair, which the whole world may know.
 * White space around it changes nothing (that was CVE-2023-48223 of another library).
 */
function isKeyOfAPair(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').trim();
  return text.includes('-----BEGIN ') || /^(ssh|ecdsa)-/.test(text) || /"kty"\s*:/.test(text) || isDerPublicKey(bytes);
}

/** Why a secret is weak, or undefined. */
function weaknessOf(bytes: Buffer, algorithm: SecretAlgorithm): string | undefined {
  const least = MIN_SECRET_BYTES[algorithm];
  if (bytes.length < least) return `the secret has ${bytes.length} bytes, ${algorithm} needs at least ${least}`;
  if (PUBLISHED_SECRETS.includes(bytes.toString().trim())) return 'the secret is the sample of public documentation';
  return undefined;
}

/** A secret as a key object; a weak one only when `allowWeak` says so, and then with the weakness as `warning`. */
export type SecretMaterial = Material & { readonly warning?: string };

/**
 * Makes the key object of a secret. An empty one and a key of a pair are never taken, whatever is allowed.
 *
 * @see RFC 8725 §2.1 and §3.5
 */
export function readSecret(bytes: Buffer, algorithm: SecretAlgorithm, allowWeak: boolean): SecretMaterial {
  if (bytes.length === 0) return { ok: false, message: 'the secret is empty' };
  if (isKeyOfAPair(bytes)) return { ok: false, message: 'the secret is a key of a key pair; give it as pem or jwks' };
  const weakness = weaknessOf(bytes, algorithm);
  if (weakness !== undefined && !allowWeak) return { ok: false, message: weakness };
  const material = { ok: true, material: createSecretKey(bytes) } as const;
  return weakness === undefined ? material : { ...material, warning: weakness };
}
