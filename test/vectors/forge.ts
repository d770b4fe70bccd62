import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { TransportName } from '../../src/model/transport.js';

/** Keys of the vectors. The pairs are made when first asked for, so no private key stands in the repository. */
export interface VectorMaterial {
  readonly secret: string;
  readonly previousSecret: string;
  readonly rsa: KeyPair;
  readonly ec: KeyPair;
  /** Pairs that the policy does not know. */
  readonly strangerRsa: KeyPair;
  readonly strangerEc: KeyPair;
  readonly koblitz: KeyPair;
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly pem: string;
}

/** What a vector is built for. */
export interface VectorContext {
  /** Whole seconds since 1970. */
  readonly nowS: number;
  readonly transport: TransportName;
  readonly material: VectorMaterial;
}

export type Claims = Readonly<Record<string, unknown>>;

function pair(made: { privateKey: KeyObject; publicKey: KeyObject }): KeyPair {
  return { ...made, pem: made.publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

let made: VectorMaterial | undefined;

/** The keys; the same ones for the life of the process. */
export function vectorMaterial(): VectorMaterial {
  made ??= {
    secret: 'vector-secret-of-plenty-of-bytes-0123456789',
    previousSecret: 'vector-secret-of-last-month-9876543210-abcdef',
    rsa: pair(generateKeyPairSync('rsa', { modulusLength: 2048 })),
    ec: pair(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    strangerRsa: pair(generateKeyPairSync('rsa', { modulusLength: 2048 })),
    strangerEc: pair(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    koblitz: pair(generateKeyPairSync('ec', { namedCurve: 'secp256k1' })),
  };
  return made;
}

export function encode(part: string | Buffer): string {
  return Buffer.from(part).toString('base64url');
}

export function hmac(input: string, secret: string | Buffer, hash = 'sha256'): Buffer {
  return createHmac(hash, secret).update(input).digest();
}

/** Joins any header and payload bytes and signs them with HMAC SHA-256. */
export function compact(header: string | Buffer, payload: string | Buffer, secret: string | Buffer): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encode(hmac(input, secret))}`;
}

/** Joins header and claims with a signature of any making. */
export function signedBy(header: Claims, claims: Claims, signer: (input: string) => Buffer): string {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
  return `${input}.${encode(signer(input))}`;
}

export const HEADER = { alg: 'HS256', typ: 'JWT' } as const;

/** Claims that pass for everything: ten minutes, no limits. */
export function goodClaims({ nowS }: VectorContext): Claims {
  return { iss: 'https://issuer.example', aud: 'portcullis-vectors', sub: 'vector', iat: nowS, exp: nowS + 600 };
}

/** A well-made token with claims changed; undefined takes a claim away. */
export function withClaims(context: VectorContext, changed: Claims): string {
  return compact(
    JSON.stringify(HEADER),
    JSON.stringify({ ...goodClaims(context), ...changed }),
    context.material.secret,
  );
}

/** A well-signed token with another header over good claims. */
export function withHeader(context: VectorContext, header: Claims): string {
  return compact(JSON.stringify(header), JSON.stringify(goodClaims(context)), context.material.secret);
}

/** A well-signed token whose payload is the JSON text of good claims with `extra` put in front of the last brace. */
export function withPayloadText(context: VectorContext, extra: string, without: readonly string[] = []): string {
  const claims = Object.fromEntries(Object.entries(goodClaims(context)).filter(([name]) => !without.includes(name)));
  return compact(JSON.stringify(HEADER), `${JSON.stringify(claims).slice(0, -1)},${extra}}`, context.material.secret);
}

export function rsaSign(key: KeyPair, hash = 'sha256', padding?: number): (input: string) => Buffer {
  return (input) => sign(hash, Buffer.from(input), { key: key.privateKey, ...(padding !== undefined && { padding }) });
}

export function ecSign(
  key: KeyPair,
  hash = 'sha256',
  dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363',
): (input: string) => Buffer {
  return (input) => sign(hash, Buffer.from(input), { key: key.privateKey, dsaEncoding });
}
