import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { findSigningKey, mintToken, type MintOptions } from '../../../src/hooks/verify-token/mint.js';
import { parseToken } from '../../../src/hooks/verify-token/strict-parse.js';
import { Secret } from '../../../src/model/secret.js';
import { keySetOf, makePolicy, NOW_S } from '../policy.js';

const key = makePolicy().keys.keys[0]!;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

describe('mintToken', () => {
  it('writes what Red5 Pro reads', () => {
    const token = mintToken(
      {
        key,
        keyId: 'main',
        subject: 'zoe',
        roles: ['red5-publisher', 'red5-subscriber'],
        transports: ['RTMP', 'WHIP'],
        rooms: ['room1', 'a/b'],
        ttlS: 60.9,
        issuer: 'https://issuer.example',
        audience: 'gate',
        tokenId: 't1',
      },
      NOW_S + 0.7,
    );
    const parsed = parseToken(token);
    expect(parsed.ok && Object.fromEntries(parsed.value.header)).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'main' });
    expect(parsed.ok && Object.fromEntries(parsed.value.claims)).toEqual({
      iat: NOW_S,
      exp: NOW_S + 60,
      sub: 'zoe',
      iss: 'https://issuer.example',
      aud: 'gate',
      jti: 't1',
      roles: 'red5-publisher,red5-subscriber',
      'red5-transport': 'RTMP,WHIP',
      'red5-room': 'room1,a/b',
    });
  });

  it('leaves out what it is not told', () => {
    const parsed = parseToken(mintToken({ key, ttlS: 60 }, NOW_S));
    expect(parsed.ok && Object.fromEntries(parsed.value.claims)).toEqual({ iat: NOW_S, exp: NOW_S + 60 });
    expect(parsed.ok && parsed.value.header.has('kid')).toBe(false);
  });

  it('signs with a private key too', () => {
    const token = mintToken({ key: { algorithm: 'RS256', material: rsa.privateKey }, ttlS: 60 }, NOW_S);
    expect(parseToken(token).ok).toBe(true);
  });

  it.each<[string, Partial<MintOptions>]>([
    ['a room with a comma', { rooms: ['a,b'] }],
    ['a room with outer spaces', { rooms: [' a'] }],
    ['an empty room', { rooms: ['a', ''] }],
    ['an empty list, which would be read as no limit', { rooms: [] }],
    ['no lifetime', { ttlS: 0 }],
    ['a negative lifetime', { ttlS: -1 }],
    ['a lifetime that is no number', { ttlS: Number.NaN }],
    ['a public key', { key: { algorithm: 'RS256', material: rsa.publicKey } }],
    ['a secret for RS256', { key: { algorithm: 'RS256', material: key.material } }],
  ])('refuses %s', (_what, changed) => {
    expect(() => mintToken({ key, ttlS: 60, ...changed }, NOW_S)).toThrow(
      expect.objectContaining({ code: 'mint-refused', side: 'gateway' }),
    );
  });
});

describe('findSigningKey', () => {
  const keys = keySetOf([
    { id: 'public', algorithm: 'RS256', pem: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    { id: 'one', algorithm: 'HS256', secret: new Secret('1'.repeat(32)) },
    { id: 'two', algorithm: 'HS512', secret: new Secret('2'.repeat(64)) },
  ]);

  it('finds the first secret, or the one that is named', () => {
    expect(findSigningKey(keys)?.id).toBe('one');
    expect(findSigningKey(keys, 'two')?.id).toBe('two');
    expect(findSigningKey(keys, 'public')).toBeUndefined();
    expect(findSigningKey({ keys: [] })).toBeUndefined();
  });
});
