import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { PublicAlgorithm } from './algorithms.js';

/** Smallest RSA modulus. @see RFC 7518 §3.3 */
export const MIN_RSA_BITS = 2048;

/** The one sort of key that each algorithm takes: a curve, or RSA. RSA keys bound to PSS parameters are not taken. */
const SORT_OF: Readonly<Record<PublicAlgorithm, string>> = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  PS256: 'rsa',
  PS384: 'rsa',
  PS512: 'rsa',
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/** Key material, or what is wrong with it (never a piece of it). */
export type Material =
  { readonly ok: true; readonly material: KeyObject } | { readonly ok: false; readonly message: string };

function fault(message: string): Material {
  return { ok: false, message };
}

/** Checks that a public key is of the sort and the strength that its one algorithm wants. */
function checkPublicKey(material: KeyObject, algorithm: PublicAlgorithm): Material {
  const { namedCurve, modulusLength } = { ...material.asymmetricKeyDetails };
  const sort = namedCurve ?? String(material.asymmetricKeyType);
  if (sort !== SORT_OF[algorithm]) return fault(`${algorithm} needs a key of ${SORT_OF[algorithm]}, this is ${sort}`);
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS) {
    return fault(`the RSA key has ${modulusLength} bits, at least ${MIN_RSA_BITS} are needed`);
  }
  return { ok: true, material };
}

/** Reads one public key or certificate in PEM. A private key is refused: the gateway only checks signatures. */
export function readPem(pem: string, algorithm: PublicAlgorithm): Material {
  const labels = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(String);
  if (labels.some((label) => label.includes('PRIVATE KEY'))) {
    return fault('a private key; give the public half only');
  }
  if (labels.length !== 1) return fault(`one PEM block is expected, this has ${labels.length}`);
  let material: KeyObject;
  try {
    material = createPublicKey(pem);
  } catch {
    return fault('no readable public key or certificate in PEM');
  }
  return checkPublicKey(material, algorithm);
}

/** Reads one public JWK of a pair. Private members are refused. @see RFC 7517 §4, RFC 7518 §6 */
export function readPublicJwk(jwk: JsonWebKey, algorithm: PublicAlgorithm): Material {
  if (Object.hasOwn(jwk, 'd')) return fault('a private key; give the public half only');
  let material: KeyObject;
  try {
    material = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return fault('no readable public key');
  }
  return checkPublicKey(material, algorithm);
}
