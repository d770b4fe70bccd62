import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createKeySet, TOKEN_ALGORITHMS, type KeySpec } from '../../../src/hooks/verify-token/index.js';
import { Secret } from '../../../src/model/secret.js';
import { SECRET } from '../policy.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const pss = generateKeyPairSync('rsa-pss', {
  modulusLength: 2048,
  hashAlgorithm: 'sha256',
  mgf1HashAlgorithm: 'sha256',
});
const curve = (namedCurve: string): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve });
const [p256, p384, p521, koblitz] = [curve('P-256'), curve('P-384'), curve('P-521'), curve('secp256k1')];
const ed = generateKeyPairSync('ed25519');

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), ...more });
const jwks = (...keys: readonly unknown[]): string => JSON.stringify({ keys });
const secret = (text: string, more: Partial<KeySpec> = {}): KeySpec => ({
  id: 'k',
  algorithm: 'HS256',
  secret: new Secret(text),
  ...more,
});

function outcome(specs: readonly KeySpec[]): string {
  const result = createKeySet(specs);
  if (result.ok) return result.keySet.keys.map((key) => `${key.id} ${key.algorithm} ${key.material.type}`).join('; ');
  return result.faults.map((fault) => `${fault.property}: ${fault.message}`).join('; ');
}

describe('secrets', () => {
  const bytes = Buffer.from(SECRET);

  it.each<[string, KeySpec]>([
    ['utf8', secret(SECRET)],
    ['utf8, said', secret(SECRET, { encoding: 'utf8' })],
    ['base64', secret(bytes.toString('base64'), { encoding: 'base64' })],
    ['base64 without padding', secret(bytes.toString('base64').replace(/=+$/, ''), { encoding: 'base64' })],
    ['base64url', secret(bytes.toString('base64url'), { encoding: 'base64url' })],
    ['hex', secret(bytes.toString('hex'), { encoding: 'hex' })],
    ['HEX', secret(bytes.toString('hex').toUpperCase(), { encoding: 'hex' })],
  ])('are read from %s', (_what, spec) => {
    const result = createKeySet([spec]);
    expect(result.ok && result.keySet.keys[0]?.material.export()).toEqual(bytes);
    expect(result.ok && result.warnings).toEqual([]);
  });

  it.each<[string, KeySpec, string]>([
    ['empty', secret(''), 'secret: the secret is empty'],
    ['empty, weak allowed', secret('', { allowWeakSecret: true }), 'secret: the secret is empty'],
    ['31 bytes', secret('x'.repeat(31)), 'secret: the secret has 31 bytes, HS256 needs at least 32'],
    [
      '47 bytes',
      secret('x'.repeat(47), { algorithm: 'HS384' }),
      'secret: the secret has 47 bytes, HS384 needs at least 48',
    ],
    [
      '63 bytes',
      secret('x'.repeat(63), { algorithm: 'HS512' }),
      'secret: the secret has 63 bytes, HS512 needs at least 64',
    ],
    [
      '43 letters that are 32 bytes only as text',
      secret('A'.repeat(40), { encoding: 'base64' }),
      'secret: the secret has 30 bytes, HS256 needs at least 32',
    ],
    [
      'published',
      secret('changeme-to-a-strong-32-byte-secret-key'),
      'secret: the secret is the sample of public documentation',
    ],
    ['no base64', secret(`${SECRET}!`, { encoding: 'base64' }), 'secret: the secret is not written in base64'],
    [
      'no base64url',
      secret(`${SECRET}+/`, { encoding: 'base64url' }),
      'secret: the secret is not written in base64url',
    ],
    [
      'base64 with stray bits',
      secret('B'.repeat(42) + 'B', { encoding: 'base64' }),
      'secret: the secret is not written in base64',
    ],
    ['no hex', secret('g'.repeat(64), { encoding: 'hex' }), 'secret: the secret is not written in hex'],
    ['odd hex', secret('a'.repeat(65), { encoding: 'hex' }), 'secret: the secret is not written in hex'],
    ['with RS256', secret(SECRET, { algorithm: 'RS256' }), 'algorithm: a secret goes with HS256, HS384 or HS512'],
    [
      'without algorithm',
      { id: 'k', secret: new Secret(SECRET) },
      'algorithm: a secret goes with HS256, HS384 or HS512',
    ],
  ])('that are %s are a fault', (_what, spec, expected) => {
    expect(outcome([spec])).toBe(expected);
  });

  it.each<[string, string, Partial<KeySpec>?]>([
    ['a PEM public key', pem(rsa.publicKey)],
    ['a PEM public key with white space around', `\n \t${pem(rsa.publicKey)}  \n`],
    ['a PEM public key, weak allowed', pem(rsa.publicKey), { allowWeakSecret: true }],
    ['a PEM private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a PKCS 1 public key', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['an EC public key', pem(p256.publicKey)],
    ['a JWK', JSON.stringify(jwk(rsa.publicKey))],
    ['an SSH key', `ssh-rsa ${'A'.repeat(40)}`],
    [
      'a DER public key in base64',
      rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      { encoding: 'base64' },
    ],
    [
      'a PKCS 1 key in hex',
      rsa.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('hex'),
      { encoding: 'hex' },
    ],
    ['a PEM public key in base64', Buffer.from(pem(rsa.publicKey)).toString('base64'), { encoding: 'base64' }],
  ])('never are %s', (_what, text, more = {}) => {
    expect(outcome([secret(text, more)])).toBe('secret: the secret is a key of a key pair; give it as pem or jwks');
  });

  it('may be weak where the config allows it, with a warning that holds none of it', () => {
    for (const text of ['short-secret', 'changeme-to-a-strong-32-byte-secret-key']) {
      const result = createKeySet([secret(text, { allowWeakSecret: true })]);
      expect(result.ok && result.warnings).toHaveLength(1);
      expect(JSON.stringify(result.ok && result.warnings)).not.toContain(text);
    }
  });

  it('with white space at an end are warned of', () => {
    const result = createKeySet([secret(`${SECRET}\n`)]);
    expect(result.ok && result.warnings.map((note) => note.message)).toEqual([
      'the secret begins or ends with white space',
    ]);
  });

  it('do not show when a key set is printed', () => {
    expect(JSON.stringify(createKeySet([secret(SECRET)]))).not.toContain(SECRET);
  });
});

describe('PEM keys', () => {
  it.each<[string, KeySpec['algorithm'], string, string]>([
    ['RSA for RS256', 'RS256', pem(rsa.publicKey), 'k RS256 public'],
    ['RSA for PS512', 'PS512', pem(rsa.publicKey), 'k PS512 public'],
    ['P-256 for ES256', 'ES256', pem(p256.publicKey), 'k ES256 public'],
    ['P-384 for ES384', 'ES384', pem(p384.publicKey), 'k ES384 public'],
    ['P-521 for ES512', 'ES512', pem(p521.publicKey), 'k ES512 public'],
    ['P-384 for ES256', 'ES256', pem(p384.publicKey), 'pem: ES256 needs a key of prime256v1, this is secp384r1'],
    ['secp256k1 for ES256', 'ES256', pem(koblitz.publicKey), 'pem: ES256 needs a key of prime256v1, this is secp256k1'],
    ['RSA for ES256', 'ES256', pem(rsa.publicKey), 'pem: ES256 needs a key of prime256v1, this is rsa'],
    ['EC for RS256', 'RS256', pem(p256.publicKey), 'pem: RS256 needs a key of rsa, this is prime256v1'],
    ['RSA-PSS for PS256', 'PS256', pem(pss.publicKey), 'pem: PS256 needs a key of rsa, this is rsa-pss'],
    ['Ed25519 for ES256', 'ES256', pem(ed.publicKey), 'pem: ES256 needs a key of prime256v1, this is ed25519'],
    ['1024 bits', 'RS256', pem(smallRsa.publicKey), 'pem: the RSA key has 1024 bits, at least 2048 are needed'],
    [
      'a private key',
      'RS256',
      rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'pem: a private key; give the public half only',
    ],
    [
      'an EC private key',
      'ES256',
      p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
      'pem: a private key; give the public half only',
    ],
    ['two keys', 'RS256', pem(rsa.publicKey) + pem(rsa.publicKey), 'pem: one PEM block is expected, this has 2'],
    ['nothing', 'RS256', '', 'pem: one PEM block is expected, this has 0'],
    [
      'a broken block',
      'RS256',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'pem: no readable public key or certificate in PEM',
    ],
    [
      'RSA for HS256',
      'HS256',
      pem(rsa.publicKey),
      'algorithm: a public key goes with RS256, PS256, ES256 or their kin, and one must be named',
    ],
    [
      'no algorithm',
      undefined,
      pem(rsa.publicKey),
      'algorithm: a public key goes with RS256, PS256, ES256 or their kin, and one must be named',
    ],
  ])('%s', (_what, algorithm, text, expected) => {
    expect(outcome([{ id: 'k', pem: text, ...(algorithm && { algorithm }) }])).toBe(expected);
  });
});

describe('JWK sets', () => {
  const oct = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') };

  it.each<[string, string, KeySpec['algorithm'], string]>([
    [
      'keys with their own alg',
      jwks(jwk(rsa.publicKey, { kid: 'a', alg: 'RS256' }), jwk(p256.publicKey, { kid: 'b', alg: 'ES256' })),
      undefined,
      'a RS256 public; b ES256 public',
    ],
    ['a key pinned by the config', jwks(jwk(rsa.publicKey, { kid: 'a' })), 'PS256', 'a PS256 public'],
    ['a key without kid', jwks(jwk(rsa.publicKey)), 'RS256', 'set#0 RS256 public'],
    ['a key with a kid that is no text', jwks(jwk(rsa.publicKey, { kid: 5 })), 'RS256', 'set#0 RS256 public'],
    ['a secret', jwks({ ...oct, kid: 's', alg: 'HS256' }), undefined, 's HS256 secret'],
    [
      'keys for encryption beside',
      jwks(jwk(rsa.publicKey, { kid: 'e', use: 'enc' }), jwk(rsa.publicKey, { kid: 'a', use: 'sig' })),
      'RS256',
      'a RS256 public',
    ],
    [
      'key_ops',
      jwks(
        jwk(rsa.publicKey, { kid: 'a', key_ops: ['verify'] }),
        jwk(rsa.publicKey, { kid: 'b', key_ops: ['encrypt'] }),
        jwk(rsa.publicKey, { kid: 'c', key_ops: 'verify' }),
      ),
      'RS256',
      'a RS256 public',
    ],
    [
      'another alg beside',
      jwks(jwk(rsa.publicKey, { kid: 'a', alg: 'RS512' }), jwk(rsa.publicKey, { kid: 'b', alg: 'RS256' })),
      'RS256',
      'b RS256 public',
    ],
    [
      'entries that are no keys beside',
      jwks(null, 'x', [], jwk(rsa.publicKey, { kid: 'b', alg: 'RS256' })),
      undefined,
      'b RS256 public',
    ],
    ['no alg anywhere', jwks(jwk(rsa.publicKey)), undefined, 'jwks: the set has no key to check tokens with'],
    ['alg none', jwks(jwk(rsa.publicKey, { alg: 'none' })), undefined, 'jwks: the set has no key to check tokens with'],
    [
      'alg EdDSA',
      jwks(jwk(ed.publicKey, { alg: 'EdDSA' })),
      undefined,
      'jwks: the set has no key to check tokens with',
    ],
    ['no keys', jwks(), 'RS256', 'jwks: the set has no key to check tokens with'],
    ['no JSON', 'x', 'RS256', 'jwks: not JSON'],
    ['no set', '{"kty":"RSA"}', 'RS256', 'jwks: no JWK Set: an object with a list "keys" is expected'],
    ['null', 'null', 'RS256', 'jwks: no JWK Set: an object with a list "keys" is expected'],
    ['too many', jwks(...Array<object>(65).fill({})), 'RS256', 'jwks: 65 keys, at most 64 are read'],
    [
      'secrets and public keys',
      jwks(jwk(rsa.publicKey, { alg: 'RS256' }), { ...oct, alg: 'HS256' }),
      undefined,
      'jwks: secrets and public keys in one set',
    ],
    [
      'a private key',
      jwks(jwk(rsa.privateKey, { alg: 'RS256' })),
      undefined,
      'jwks: key 0: a private key; give the public half only',
    ],
    [
      'an unreadable key',
      jwks({ kty: 'RSA', n: 'AQ', alg: 'RS256' }),
      undefined,
      'jwks: key 0: no readable public key',
    ],
    [
      'a public key as HMAC secret',
      jwks(jwk(rsa.publicKey, { alg: 'HS256' })),
      undefined,
      'jwks: key 0: no secret in base64url',
    ],
    [
      'a public key with a k as HMAC secret',
      jwks(jwk(rsa.publicKey, { alg: 'HS256', k: oct.k })),
      undefined,
      'jwks: key 0: no secret in base64url',
    ],
    ['a secret as RSA key', jwks({ ...oct, alg: 'RS256' }), undefined, 'jwks: key 0: no readable public key'],
    [
      'a secret that is short',
      jwks({ kty: 'oct', k: 'AAAA', alg: 'HS256' }),
      undefined,
      'jwks: key 0: the secret has 3 bytes, HS256 needs at least 32',
    ],
    [
      'a secret that is no base64url',
      jwks({ kty: 'oct', k: '+/+/', alg: 'HS256' }),
      undefined,
      'jwks: key 0: no secret in base64url',
    ],
    ['a secret without k', jwks({ kty: 'oct', alg: 'HS256' }), undefined, 'jwks: key 0: no secret in base64url'],
    [
      'the same kid twice',
      jwks(jwk(rsa.publicKey, { kid: 'a' }), jwk(rsa.publicKey, { kid: 'a' })),
      'RS256',
      'id: the id "a" stands twice',
    ],
  ])('with %s', (_what, text, algorithm, expected) => {
    expect(outcome([{ id: 'set', jwks: text, ...(algorithm && { algorithm }) }])).toBe(expected);
  });

  it('say what they left out', () => {
    const text = jwks(
      null,
      jwk(rsa.publicKey, { use: 'enc' }),
      jwk(rsa.publicKey, { key_ops: [] }),
      jwk(rsa.publicKey, { alg: 'X' }),
      jwk(rsa.publicKey),
    );
    const result = createKeySet([{ id: 'set', jwks: text, algorithm: 'RS256' }]);
    expect(result.ok && result.warnings.map((note) => note.message)).toEqual([
      'key 0 is left out: it is not an object',
      'key 1 is left out: its use is not sig',
      'key 2 is left out: its key_ops lack verify',
      'key 3 is left out: its alg is not RS256',
    ]);
  });
});

describe('createKeySet', () => {
  it('takes no keys, for a gateway that is open', () => {
    expect(createKeySet([])).toEqual({ ok: true, keySet: { keys: [] }, warnings: [] });
  });

  it('wants exactly one source', () => {
    const words = 'id: exactly one of secret, pem and jwks is expected';
    expect(outcome([{ id: 'k', algorithm: 'HS256' }])).toBe(words);
    expect(outcome([secret(SECRET, { pem: pem(rsa.publicKey) })])).toBe(words);
    expect(outcome([secret(SECRET, { jwks: jwks() })])).toBe(words);
    expect(outcome([{ id: 'k', algorithm: 'RS256', pem: pem(rsa.publicKey), jwks: jwks() }])).toBe(words);
  });

  it('finds an id that stands twice, also between a set and a key', () => {
    const result = createKeySet([
      secret(SECRET),
      { id: 'x', jwks: jwks(jwk(rsa.publicKey, { kid: 'k', alg: 'RS256' })) },
    ]);
    expect(!result.ok && result.faults).toEqual([
      { index: 1, keyId: 'x', property: 'id', message: 'the id "k" stands twice' },
    ]);
  });

  it('tells all faults at once, with their places', () => {
    const result = createKeySet([secret('short'), secret(SECRET), { id: 'p', algorithm: 'RS256', pem: '' }]);
    expect(!result.ok && result.faults.map(({ index, keyId, property }) => [index, keyId, property])).toEqual([
      [0, 'k', 'secret'],
      [2, 'p', 'pem'],
    ]);
  });

  it('warns once where keys are too many to be tried', () => {
    const specs = Array.from({ length: 7 }, (_, n) => secret(`${SECRET}${n}`, { id: `k${n}` }));
    const result = createKeySet(specs);
    expect(result.ok && result.warnings.map(({ index, keyId }) => [index, keyId])).toEqual([[4, 'k4']]);
  });

  it('knows no EdDSA and no none', () => {
    expect(TOKEN_ALGORITHMS).toHaveLength(12);
    expect(TOKEN_ALGORITHMS.join()).not.toMatch(/none|EdDSA/i);
  });
});
