import { constants } from 'node:crypto';
import {
  compact,
  ecSign,
  encode,
  goodClaims,
  HEADER,
  hmac,
  rsaSign,
  signedBy,
  withClaims,
  type VectorContext,
  type VectorMaterial,
} from './forge.js';
import { row } from './row.js';
import type { TokenVector } from './tokens.js';

const S = 'token-signature';
const good = (context: VectorContext): string => withClaims(context, {});

/** The signature's bytes changed. */
const resigned = (change: (signature: Buffer) => Buffer) => (context: VectorContext) => {
  const [header, payload, signature = ''] = good(context).split('.');
  return `${String(header)}.${String(payload)}.${encode(change(Buffer.from(signature, 'base64url')))}`;
};

const withSecret = (secret: (material: VectorMaterial) => string | Buffer) => (context: VectorContext) =>
  compact(JSON.stringify(HEADER), JSON.stringify(goodClaims(context)), secret(context.material));

const flip = (signature: Buffer, at: number): Buffer => {
  const changed = Buffer.from(signature);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

const bytesVectors: readonly TokenVector[] = [
  row(
    S,
    'first bit of the signature',
    'Wycheproof 2',
    resigned((signature) => flip(signature, 0)),
  ),
  row(
    S,
    'last bit of the signature',
    'all of it is compared',
    resigned((signature) => flip(signature, 31)),
  ),
  row(
    S,
    'signature without its last byte',
    'length counts',
    resigned((signature) => signature.subarray(0, 31)),
  ),
  row(
    S,
    'signature of one byte',
    'length counts',
    resigned((signature) => signature.subarray(0, 1)),
  ),
  row(
    S,
    'signature with a byte more',
    'length counts',
    resigned((signature) => Buffer.concat([signature, Buffer.from([0])])),
  ),
  row(
    S,
    'signature of zeros',
    'no default value matches',
    resigned(() => Buffer.alloc(32)),
  ),
  row(
    S,
    'signature in hexadecimal',
    'base64url of the bytes',
    resigned((signature) => Buffer.from(signature.toString('hex'))),
  ),
  row(
    S,
    'signature encoded twice',
    'base64url of the bytes',
    resigned((signature) => Buffer.from(signature.toString('base64url'))),
  ),
  row(S, 'the payload changed after signing', 'Wycheproof 5', (context) => {
    const [header, , signature] = good(context).split('.');
    const payload = encode(JSON.stringify({ ...goodClaims(context), roles: 'red5-publisher' }));
    return `${String(header)}.${payload}.${String(signature)}`;
  }),
  row(S, 'the header changed after signing', 'Wycheproof 8', (context) =>
    good(context).replace(/^[^.]*/, encode(JSON.stringify({ ...HEADER, kid: 'main' }))),
  ),
  row(S, 'the signature of another good token', 'it is bound to the text', (context) => {
    const other = withClaims(context, { sub: 'somebody else' });
    return [...good(context).split('.').slice(0, 2), other.split('.')[2]].join('.');
  }),
  row(S, 'signed over the decoded parts', 'the text is what is signed', (context) => {
    const [header, payload] = [JSON.stringify(HEADER), JSON.stringify(goodClaims(context))];
    return `${encode(header)}.${encode(payload)}.${encode(hmac(`${header}.${payload}`, context.material.secret))}`;
  }),
  row(S, 'an HMAC with SHA-1', 'the hash is the algorithm’s', (context) =>
    signedBy(HEADER, goodClaims(context), (input) => hmac(input, context.material.secret, 'sha1')),
  ),
  row(S, 'an HMAC with SHA-512', 'the hash is the algorithm’s', (context) =>
    signedBy(HEADER, goodClaims(context), (input) => hmac(input, context.material.secret, 'sha512')),
  ),
  row(S, 'an HMAC with SHA-512 cut to 32 bytes', 'the hash is the algorithm’s', (context) =>
    signedBy(HEADER, goodClaims(context), (input) => hmac(input, context.material.secret, 'sha512').subarray(0, 32)),
  ),
];

const secretVectors: readonly TokenVector[] = [
  row(
    S,
    'signed with an empty secret',
    'joserfc took one',
    withSecret(() => ''),
  ),
  row(
    S,
    'signed with the word secret',
    'guessing',
    withSecret(() => 'secret'),
  ),
  row(
    S,
    'signed with the vendor’s sample secret',
    'it stands in public documentation',
    withSecret(() => 'changeme-to-a-strong-32-byte-secret-key'),
  ),
  row(
    S,
    'signed with the secret read as base64',
    'the vendor’s Java sample (red5.md §1.2)',
    withSecret(({ secret }) => Buffer.from(secret, 'base64')),
  ),
  row(
    S,
    'signed with the secret and a newline',
    'read from a file',
    withSecret(({ secret }) => `${secret}\n`),
  ),
  row(
    S,
    'signed with the secret and a NUL',
    'C strings',
    withSecret(({ secret }) => `${secret}\u0001`),
  ),
  row(
    S,
    'signed with the secret in capitals',
    'case counts',
    withSecret(({ secret }) => secret.toUpperCase()),
  ),
  row(
    S,
    'signed with 31 bytes of the secret',
    'all of it counts',
    withSecret(({ secret }) => secret.slice(0, 31)),
  ),
  row(
    S,
    'signed with the hash of the secret',
    'all of it counts',
    withSecret(({ secret }) => hmac('', secret)),
  ),
  row(
    S,
    'signed with the secret’s fingerprint',
    'what a log shows is no secret',
    withSecret(() => 'secret:0a1b2c3d'),
  ),
];

const confusion = (name: string, secret: (material: VectorMaterial) => string | Buffer): TokenVector =>
  row(S, `HS256 with ${name} as secret`, 'key confusion (RFC 8725 §2.1, CVE-2023-48223)', withSecret(secret));

const confusionVectors: readonly TokenVector[] = [
  confusion('the RSA public key', ({ rsa }) => rsa.pem),
  confusion('the RSA public key without its last newline', ({ rsa }) => rsa.pem.trim()),
  confusion('the RSA public key with a newline in front', ({ rsa }) => `\n${rsa.pem}`),
  confusion('the RSA public key with CRLF', ({ rsa }) => rsa.pem.replaceAll('\n', '\r\n')),
  confusion('the RSA public key in one line', ({ rsa }) => rsa.pem.replaceAll('\n', '')),
  confusion('the RSA public key in DER', ({ rsa }) => rsa.publicKey.export({ type: 'spki', format: 'der' })),
  confusion('the RSA public key in PKCS 1', ({ rsa }) => rsa.publicKey.export({ type: 'pkcs1', format: 'pem' })),
  confusion('the RSA public key as JWK', ({ rsa }) => JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))),
  confusion('the EC public key', ({ ec }) => ec.pem),
  confusion('the EC public key in DER', ({ ec }) => ec.publicKey.export({ type: 'spki', format: 'der' })),
  row(S, 'RS256 with an HMAC of the public key', 'key confusion the other way', (context) =>
    signedBy({ alg: 'RS256' }, goodClaims(context), (input) => hmac(input, context.material.rsa.pem)),
  ),
  row(S, 'RS256 with an HMAC of the secret', 'the key is the RSA key', (context) =>
    signedBy({ alg: 'RS256' }, goodClaims(context), (input) => hmac(input, context.material.secret)),
  ),
  row(
    'token-algorithm',
    'HS256 with the kid of the RSA key and its public key as secret',
    'Jitsi CVE-2021-39215',
    (context) =>
      signedBy({ alg: 'HS256', kid: 'rsa' }, goodClaims(context), (input) => hmac(input, context.material.rsa.pem)),
  ),
];

const rsa =
  (alg: string, signer: (material: VectorMaterial) => (input: string) => Buffer, kid?: string) =>
  (context: VectorContext) =>
    signedBy({ alg, ...(kid !== undefined && { kid }) }, goodClaims(context), signer(context.material));

const P256_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
const ONE = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
const ecRaw = (signature: Buffer) => rsa('ES256', () => () => signature);

/** The other signature that holds for the same text: s replaced by n - s. */
function otherHalf(signature: Buffer): Buffer {
  const order = BigInt(`0x${P256_ORDER.toString('hex')}`);
  const s = order - BigInt(`0x${signature.subarray(32).toString('hex')}`);
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
}

const pairVectors: readonly TokenVector[] = [
  row(
    'ok',
    'RS256 by the RSA key',
    'pinned per key',
    rsa('RS256', (material) => rsaSign(material.rsa)),
  ),
  row(
    'ok',
    'RS256 by the RSA key, kid of it',
    'pinned per key',
    rsa('RS256', (material) => rsaSign(material.rsa), 'rsa'),
  ),
  row(
    S,
    'RS256 by a stranger',
    'not our key',
    rsa('RS256', (material) => rsaSign(material.strangerRsa)),
  ),
  row(
    S,
    'RS256 by a stranger, kid of ours',
    'not our key',
    rsa('RS256', (material) => rsaSign(material.strangerRsa), 'rsa'),
  ),
  row(
    S,
    'RS256 with SHA-512',
    'the hash is the algorithm’s (Wycheproof 335)',
    rsa('RS256', (material) => rsaSign(material.rsa, 'sha512')),
  ),
  row(
    S,
    'RS256 with SHA-1',
    'the hash is the algorithm’s',
    rsa('RS256', (material) => rsaSign(material.rsa, 'sha1')),
  ),
  row(
    S,
    'RS256 with PSS padding',
    'Wycheproof 331',
    rsa('RS256', (material) => rsaSign(material.rsa, 'sha256', constants.RSA_PKCS1_PSS_PADDING)),
  ),
  row(
    'token-algorithm',
    'PS256 by the RSA key',
    'pinned to RS256',
    rsa('PS256', (material) => rsaSign(material.rsa, 'sha256', constants.RSA_PKCS1_PSS_PADDING)),
  ),
  row(
    S,
    'RS256 of zeros',
    'length alone is nothing',
    rsa('RS256', () => () => Buffer.alloc(256)),
  ),
  row(
    S,
    'RS256 of one byte',
    'length counts',
    rsa('RS256', () => () => Buffer.from([1])),
  ),
  row(
    S,
    'RS256 by the EC key',
    'the key’s own sort',
    rsa('RS256', (material) => ecSign(material.ec)),
  ),
  row(
    'ok',
    'ES256 by the EC key',
    'pinned per key',
    rsa('ES256', (material) => ecSign(material.ec)),
  ),
  row(
    'ok',
    'ES256 by the EC key, other half of s',
    'holds for the same text and the same claims',
    rsa('ES256', (material) => (input) => otherHalf(ecSign(material.ec)(input))),
  ),
  row(
    S,
    'ES256 by a stranger',
    'not our key',
    rsa('ES256', (material) => ecSign(material.strangerEc)),
  ),
  row(
    S,
    'ES256 on the curve of Bitcoin',
    'another curve',
    rsa('ES256', (material) => ecSign(material.koblitz)),
  ),
  row(
    S,
    'ES256 in DER',
    'r and s side by side (RFC 7518 §3.4)',
    rsa('ES256', (material) => ecSign(material.ec, 'sha256', 'der')),
  ),
  row(
    S,
    'ES256 with SHA-384',
    'the hash is the algorithm’s',
    rsa('ES256', (material) => ecSign(material.ec, 'sha384')),
  ),
  row(S, 'ES256 of zeros', 'psychic signatures (CVE-2022-21449)', ecRaw(Buffer.alloc(64))),
  row(S, 'ES256 with r zero', 'psychic signatures', ecRaw(Buffer.concat([Buffer.alloc(32), ONE]))),
  row(S, 'ES256 with s zero', 'psychic signatures', ecRaw(Buffer.concat([ONE, Buffer.alloc(32)]))),
  row(
    S,
    'ES256 with r and s the order',
    'zero again, modulo the order',
    ecRaw(Buffer.concat([P256_ORDER, P256_ORDER])),
  ),
  row(S, 'ES256 of 63 bytes', 'length counts', ecRaw(Buffer.alloc(63, 1))),
  row(S, 'ES256 of 65 bytes', 'length counts', ecRaw(Buffer.alloc(65, 1))),
  row(S, 'ES256 of 64 bytes 0xff', 'beyond the order', ecRaw(Buffer.alloc(64, 0xff))),
];

/** Signatures and the keys behind them. */
export const SIGNATURE_VECTORS: readonly TokenVector[] = [
  ...bytesVectors,
  ...secretVectors,
  ...confusionVectors,
  ...pairVectors,
];
