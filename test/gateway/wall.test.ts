import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { framersOf, wallOf, type AddressOf } from '../../src/gateway/wall.js';
import { configFrom } from '../fakes/gateway-config.js';

const SECRET = '0123456789abcdef0123456789abcdef0123';
const PUBLIC_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  type: 'spki',
  format: 'pem',
});
const addressOf: AddressOf = (name) => ({ host: '127.0.0.1', port: name === 'admin' ? 9090 : 5080 });
const TOKEN = { value: 'a-token-for-operators' };

/** A config with a dashboard and a watch page; parts of it may differ. */
function configOf(parts: Readonly<Record<string, unknown>> = {}, admin: object = {}, http: object = {}) {
  return configFrom({
    listen: { http: { host: '127.0.0.1', pages: true, ...http }, media: { host: '127.0.0.1' }, admin },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [{ name: 'o', preset: 'generic', http: 'http://127.0.0.1:1' }],
    ...parts,
  });
}

const view = (...parts: Parameters<typeof configOf>) => {
  const config = configOf(...parts);
  return wallOf(config, addressOf);
};

describe('the origins that may frame the tile', () => {
  it.each<[string, object, readonly string[]]>([
    ['loopback', {}, ['http://127.0.0.1:9090', 'http://localhost:9090']],
    ['all addresses', { host: '0.0.0.0', token: TOKEN }, ['http://127.0.0.1:9090', 'http://localhost:9090']],
    ['all of IPv6', { host: '::', token: TOKEN }, ['http://127.0.0.1:9090', 'http://localhost:9090']],
    // No policy can name it.
    ['loopback of IPv6', { host: '::1' }, ['http://127.0.0.1:9090', 'http://localhost:9090']],
    [
      'one address',
      { host: '10.0.0.3', token: TOKEN },
      ['http://127.0.0.1:9090', 'http://localhost:9090', 'http://10.0.0.3:9090'],
    ],
    [
      'a proxy with TLS before it',
      { token: TOKEN, publicUrl: 'https://OPS.example.com/' },
      ['http://127.0.0.1:9090', 'http://localhost:9090', 'https://ops.example.com'],
    ],
    [
      'a tunnel from another port',
      { publicUrl: 'http://localhost:19090' },
      ['http://127.0.0.1:9090', 'http://localhost:9090', 'http://localhost:19090'],
    ],
  ])('are for %s', (_, admin, origins) => {
    expect(framersOf(configOf({}, admin).listen.admin, addressOf)).toEqual(origins);
  });

  it('have the port that the system chose, and are none before it has', () => {
    const { admin } = configOf({}, { port: 0 }).listen;
    expect(framersOf(admin, () => ({ host: '127.0.0.1', port: 80 }))).toEqual(['http://127.0.0.1', 'http://localhost']);
    expect(framersOf(admin, () => undefined)).toEqual([]);
    expect(framersOf(undefined, addressOf)).toEqual([]);
  });
});

describe('what the wall has', () => {
  const RS256 = { id: 'rsa', algorithm: 'RS256', publicKey: { value: PUBLIC_KEY } };

  it('is the tile, and tokens for a moment', () => {
    expect(view()).toEqual({
      tileUrl: 'http://127.0.0.1:5080/watch-tile',
      framedBy: ['http://127.0.0.1:9090', 'http://localhost:9090'],
      tokenTtlSeconds: 60,
    });
  });

  it('is the tile at the public address', () => {
    expect(view({}, {}, { publicUrl: 'https://media.example.com/edge/' }).tileUrl).toBe(
      'https://media.example.com/edge/watch-tile',
    );
  });

  it.each<[string, Readonly<Record<string, unknown>>, number | undefined]>([
    [
      'long where sessions end with them',
      { auth: { profile: 'strict', keys: [{ id: 'a', secret: { value: SECRET } }] } },
      600,
    ],
    [
      'no longer than the gateway takes',
      { auth: { onExpiry: 'close', maxTtlMinutes: 2, keys: [{ id: 'a', secret: { value: SECRET } }] } },
      120,
    ],
    ['none where nobody reads them', { hooks: ['open'], auth: {} }, undefined],
    ['some where one key of several can sign', { auth: { keys: [RS256, { id: 'a', secret: { value: SECRET } }] } }, 60],
  ])('has tokens that are %s', (_, parts, ttl) => {
    expect(view(parts)).toMatchObject({ tileUrl: expect.any(String) });
    expect(view(parts).problem).toBeUndefined();
    expect(view(parts).tokenTtlSeconds).toBe(ttl);
  });

  it.each<[string, Readonly<Record<string, unknown>>, object]>([
    ['no-key', { auth: { keys: [RS256] } }, {}],
    ['no-pages', {}, { pages: false }],
    ['pages-unnamed', {}, { publicUrl: 'http://[2001:db8::7]:5080' }],
  ])('is %s in words where there can be no pictures', (code, parts, http) => {
    const { problem, tokenTtlSeconds } = view(parts, {}, http);
    expect(problem).toEqual({ code, text: expect.stringMatching(/^[A-Z].{40,}\.$/) });
    expect(tokenTtlSeconds).toBeUndefined();
  });
});
