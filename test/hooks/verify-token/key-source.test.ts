import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import {
  createKeySource,
  joinKeys,
  verifyToken,
  type KeySource,
  type KeySourceOptions,
} from '../../../src/hooks/verify-token/index.js';
import { readFetchedKeys } from '../../../src/hooks/verify-token/fetched-keys.js';
import type { Decision } from '../../../src/model/decision.js';
import { selfSigned } from '../../config/loading.js';
import { fakeClock, type FakeClock } from '../../fakes/clock.js';
import { json, policyServer, until, type PolicyServer } from '../call-http/policy-server.js';
import { makePolicy, NOW_S } from '../policy.js';
import { makeRequest } from '../requests.js';

const rsa = [0, 1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (key: KeyObject | undefined, more: object): object => ({ ...key?.export({ format: 'jwk' }), ...more });
const rsaJwk = (index: number, kid = `k${index}`): object =>
  jwk(rsa[index]?.publicKey, { kid, alg: 'RS256', use: 'sig' });
const set = (...keys: readonly object[]): { readonly keys: readonly object[] } => ({ keys });

const never = new AbortController().signal;
let server: PolicyServer;
let clock: FakeClock;
let news: string[];
const sources: KeySource[] = [];
beforeEach(async () => {
  server = await policyServer(json(set(rsaJwk(0))));
  clock = fakeClock(NOW_S * 1000);
  news = [];
});
afterEach(async () => {
  for (const source of sources.splice(0)) source.stop();
  expect(clock.pending).toBe(0);
  await server.close();
});

function sourceOf(more: Partial<KeySourceOptions> = {}): KeySource {
  const source = createKeySource({
    ...{ id: 'idp', host: '127.0.0.1', port: server.port, secure: false, path: '/jwks?v=1' },
    ...{ algorithms: ['RS256'], timeoutMs: 2000, refreshMs: 300_000, cooldownMs: 30_000, maxStaleMs: 3_600_000 },
    ...{ clock, random: () => 0 },
    onFetch: ({ outcome, keys }) => void news.push(`${outcome} ${keys}`),
    ...more,
  });
  sources.push(source);
  return source;
}

const idsOf = (source: KeySource): readonly string[] => source.keys.map(({ id }) => id);

/** Moves time on and lets the fetch that falls due come to its end. */
async function passes(ms: number): Promise<void> {
  const before = news.length;
  clock.advance(ms);
  await until(() => news.length > before);
}

describe('a key set at a URL', () => {
  it('is fetched once, with plain words', async () => {
    const source = sourceOf();
    expect(source.problem).toContain('not fetched yet');
    await source.refresh();
    expect(idsOf(source)).toEqual(['k0']);
    expect(source.problem).toBeUndefined();
    expect(server.heard).toMatchObject([{ method: 'GET', url: '/jwks?v=1', body: '' }]);
  });

  it('is fetched again in time, and follows the server', async () => {
    const source = sourceOf();
    await source.refresh();
    server.answer = json(set(rsaJwk(1), rsaJwk(0)));
    await passes(300_000);
    expect(idsOf(source)).toEqual(['k1', 'k0']);
    server.answer = json(set(rsaJwk(1)));
    await passes(300_000);
    expect(idsOf(source)).toEqual(['k1']);
    expect(news).toEqual(['changed 1', 'changed 2', 'changed 1']);
  });

  it('is fetched a little earlier by chance, so that not all gateways come at once', async () => {
    const source = sourceOf({ random: () => 1 });
    await source.refresh();
    await passes(270_000);
    expect(server.heard).toHaveLength(2);
  });

  it.each<[string, number]>([
    ['max-age=60', 60_000],
    ['public, max-age=60, must-revalidate', 60_000],
    ['max-age=1', 30_000],
    ['max-age=0', 30_000],
    ['max-age=999999999', 300_000],
    ['no-store', 300_000],
    ['x-max-age=60', 300_000],
    ['max-age=abc', 300_000],
  ])('with Cache-Control: %s is fetched again after %d ms', async (value, delayMs) => {
    server.answer = json(set(rsaJwk(0)), 200, { 'Cache-Control': value });
    await sourceOf().refresh();
    clock.advance(delayMs - 1);
    expect(server.heard).toHaveLength(1);
    await passes(1);
    expect(server.heard).toHaveLength(2);
  });

  it('is not sent again when it has not changed', async () => {
    server.answer = json(set(rsaJwk(0)), 200, { ETag: '"a"' });
    const source = sourceOf();
    await source.refresh();
    server.answer = (response, { headers }) => response.writeHead(headers['if-none-match'] === '"a"' ? 304 : 500).end();
    const { keys } = source;
    await passes(300_000);
    await passes(300_000);
    expect(source.keys).toBe(keys);
    expect(news).toEqual(['changed 1', 'same 1', 'same 1']);
  });

  it('that is the same as before keeps its keys, without ETag too', async () => {
    const source = sourceOf();
    await source.refresh();
    const { keys } = source;
    await passes(300_000);
    expect(source.keys).toBe(keys);
    expect(news).toEqual(['changed 1', 'same 1']);
  });

  it('is kept while the server is away, but not for ever', async () => {
    const source = sourceOf({ maxStaleMs: 700_000 });
    await source.refresh();
    server.answer = json({}, 503);
    await passes(300_000);
    expect(news).toEqual(['changed 1', 'failed 1']);
    expect(source.problem).toBeUndefined();
    // Tries again sooner than usual, then less and less often.
    await passes(30_000);
    await passes(60_000);
    await passes(120_000);
    expect(idsOf(source)).toEqual(['k0']);
    await passes(190_000);
    expect(source.keys).toEqual([]);
    expect(source.problem).toContain('too long');
    server.answer = json(set(rsaJwk(2)));
    await passes(50_000);
    expect(idsOf(source)).toEqual(['k2']);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['500', json(set(rsaJwk(1)), 500)],
    ['a redirect', json(set(rsaJwk(1)), 302, { Location: '/other' })],
    ['304 to who has nothing', (response) => response.writeHead(304).end()],
    ['no JSON', (response) => response.end('<html>')],
    ['no set', json([])],
    ['keys that are no list', json({ keys: {} })],
    ['too many keys', json(set(...Array.from({ length: 65 }, (_, index) => rsaJwk(0, `k${index}`))))],
    ['too many bytes', (response) => response.end(JSON.stringify({ keys: [], more: 'x'.repeat(70_000) }))],
    ['secrets among public keys', json(set(rsaJwk(1), { kty: 'oct', k: 'A'.repeat(43), alg: 'HS256' }))],
    ['a connection that breaks', (response) => response.destroy()],
  ])('is not taken from an answer that is %s', async (_, answer) => {
    server.answer = answer;
    const fresh = sourceOf();
    await fresh.refresh();
    expect(fresh.keys).toEqual([]);
    expect(fresh.problem).not.toContain('not fetched yet');
    expect(news).toEqual(['failed 0']);
    server.answer = json(set(rsaJwk(0)));
    const known = sourceOf();
    await known.refresh();
    server.answer = answer;
    news.length = 0;
    clock.advance(299_999);
    await passes(1);
    expect(idsOf(known)).toEqual(['k0']);
  });

  it('that is empty is believed: the issuer has withdrawn its keys', async () => {
    const source = sourceOf();
    await source.refresh();
    server.answer = json(set());
    await passes(300_000);
    expect(source.keys).toEqual([]);
    expect(source.problem).toBeUndefined();
  });

  it('is waited for no longer than it may take', async () => {
    server.answer = () => undefined;
    const fetching = sourceOf().refresh();
    await until(() => server.heard.length === 1);
    clock.advance(2000);
    await fetching;
    expect(news).toEqual(['failed 0']);
  });

  it('is never fetched from a metadata service', async () => {
    const source = sourceOf({ host: '169.254.169.254', port: 80 });
    await source.refresh();
    expect(source.problem).toContain('metadata');
  });

  it('comes over TLS from who is trusted only, and may then hold secrets', async () => {
    await server.close();
    const tls = selfSigned();
    server = await policyServer(json(set({ kty: 'oct', kid: 's', alg: 'HS256', k: 'A'.repeat(43) })), tls);
    const to = { host: 'localhost', port: server.port, secure: true, algorithms: ['HS256'] as const };
    const stranger = sourceOf(to);
    await stranger.refresh();
    expect(stranger.keys).toEqual([]);
    const trusted = sourceOf({ ...to, ca: tls.cert });
    await trusted.refresh();
    expect(idsOf(trusted)).toEqual(['s']);
  });
});

describe('keys of a fetched set', () => {
  const from = { id: 'idp', secure: true, algorithms: ['RS256', 'ES256'] } as const;
  const outcome = (keys: readonly object[], more: Partial<Parameters<typeof readFetchedKeys>[1]> = {}): string => {
    const read = readFetchedKeys(JSON.stringify({ keys }), { ...from, ...more });
    return read.ok
      ? [...read.keys.map((key) => `${key.id} ${key.algorithm}`), ...read.leftOut].join('; ')
      : read.problem;
  };

  it.each<[string, readonly object[], Partial<Parameters<typeof readFetchedKeys>[1]>, string]>([
    ['several algorithms', [rsaJwk(0), jwk(ec.publicKey, { kid: 'e', alg: 'ES256' })], {}, 'k0 RS256; e ES256'],
    ['no kid', [jwk(rsa[0]?.publicKey, { alg: 'RS256' })], {}, 'idp#0 RS256'],
    ['no alg, one allowed', [jwk(rsa[0]?.publicKey, { kid: 'k' })], { algorithms: ['RS256'] }, 'k RS256'],
    [
      'no alg, two allowed',
      [jwk(rsa[0]?.publicKey, { kid: 'k' })],
      {},
      'key 0 is left out: its alg is not one that is known',
    ],
    [
      'an alg that is not allowed',
      [jwk(rsa[0]?.publicKey, { kid: 'k', alg: 'RS512' })],
      {},
      'key 0 is left out: RS512 is not allowed',
    ],
    [
      'a key to encrypt with',
      [jwk(rsa[0]?.publicKey, { kid: 'k', alg: 'RS256', use: 'enc' }), rsaJwk(1)],
      {},
      'k1 RS256; key 0 is left out: its use is not sig',
    ],
    [
      'a weak key among others',
      [jwk(weak.publicKey, { kid: 'w', alg: 'RS256' }), rsaJwk(1)],
      {},
      'k1 RS256; key 0 is left out: the RSA key has 1024 bits, at least 2048 are needed',
    ],
    [
      'a private key',
      [jwk(rsa[0]?.privateKey, { kid: 'p', alg: 'RS256' })],
      {},
      'key 0 is left out: a private key; give the public half only',
    ],
    ['a kid twice', [rsaJwk(0, 'k'), rsaJwk(1, 'k')], {}, 'k RS256; key 1 is left out: its kid stands twice'],
    [
      'a secret without TLS',
      [{ kty: 'oct', kid: 's', alg: 'HS256', k: 'A'.repeat(43) }],
      { secure: false, algorithms: ['HS256'] },
      'key 0 is left out: a secret that came without TLS',
    ],
    [
      'a secret where none is allowed',
      [{ kty: 'oct', kid: 's', alg: 'HS256', k: 'A'.repeat(43) }],
      {},
      'key 0 is left out: HS256 is not allowed',
    ],
  ])('with %s', (_, keys, more, expected) => {
    expect(outcome(keys, more)).toBe(expected);
  });
});

describe('a token whose key is at a URL', () => {
  const tokenOf = (index: number, keyid: string | undefined = `k${index}`): string =>
    jwt.sign({ exp: NOW_S + 3000, sub: 'anna' }, rsa[index]?.privateKey ?? '', {
      algorithm: 'RS256',
      ...(keyid === '' ? {} : { keyid }),
    });
  function hookOf(source: KeySource) {
    const fixed = makePolicy().keys.keys;
    return verifyToken({ policy: makePolicy({ keys: joinKeys(fixed, [source]) }), clock, sources: [source] });
  }
  const ask = (hook: ReturnType<typeof hookOf>, token: string): Decision | Promise<Decision> =>
    hook.decide(makeRequest({ token }), undefined, never);
  const codeOf = (decision: Decision): string => (decision.ok ? 'yes' : decision.rejection.code);

  it('is judged at once when its key is here', async () => {
    const source = sourceOf();
    await source.refresh();
    expect(ask(hookOf(source), tokenOf(0))).toMatchObject({ ok: true, identity: { subject: 'anna' } });
    expect(ask(hookOf(source), tokenOf(1, 'k0'))).toMatchObject({ rejection: { code: 'token-signature' } });
    expect(server.heard).toHaveLength(1);
  });

  it('passes right after a rotation, since its unknown key is asked for', async () => {
    const source = sourceOf();
    await source.refresh();
    server.answer = json(set(rsaJwk(1), rsaJwk(0)));
    clock.advance(30_000);
    expect(codeOf(await ask(hookOf(source), tokenOf(1)))).toBe('yes');
    expect(server.heard).toHaveLength(2);
  });

  it('lets nobody make the gateway fetch more than once in a while', async () => {
    const source = sourceOf();
    await source.refresh();
    const hook = hookOf(source);
    // Within the cool-down not at all, and then nobody waits.
    expect(ask(hook, tokenOf(1))).toMatchObject({ rejection: { code: 'token-signature' } });
    clock.advance(30_000);
    const held: ServerResponse[] = [];
    server.answer = (response) => void held.push(response);
    const flood = Array.from({ length: 500 }, (_, index) => ask(hook, tokenOf(1, `strange-${index}`)));
    // Who has a known key passes meanwhile.
    expect(ask(hook, tokenOf(0))).toMatchObject({ ok: true });
    await until(() => held.length > 0);
    held.forEach((response) => json(set(rsaJwk(0)))(response));
    const codes = new Set((await Promise.all(flood.map((answer) => Promise.resolve(answer)))).map(codeOf));
    expect([...codes]).toEqual(['token-signature']);
    for (let index = 0; index < 500; index += 1) void ask(hook, tokenOf(1, `other-${index}`));
    expect(server.heard).toHaveLength(2);
  });

  it('causes no fetch where no key there could fit it', async () => {
    const source = sourceOf();
    await source.refresh();
    clock.advance(30_000);
    const es = jwt.sign({ exp: NOW_S + 3000 }, ec.privateKey, { algorithm: 'ES256', keyid: 'e' });
    const hs = jwt.sign({ exp: NOW_S + 3000 }, 'x'.repeat(32), { algorithm: 'HS256', keyid: 'h' });
    const expired = jwt.sign({ exp: NOW_S - 1 }, rsa[0]?.privateKey ?? '', { algorithm: 'RS256', keyid: 'k0' });
    const codes = await Promise.all(
      [es, hs, expired, 'no.token.', tokenOf(1, '')].map((token) => Promise.resolve(ask(hookOf(source), token))),
    );
    expect(codes.map(codeOf)).toEqual([
      ...['token-algorithm', 'token-signature', 'token-expired', 'token-malformed', 'token-signature'],
    ]);
    expect(server.heard).toHaveLength(1);
  });

  it('is not blamed when the set could never be fetched', async () => {
    server.answer = json({}, 503);
    const source = sourceOf();
    const hook = hookOf(source);
    expect(codeOf(await ask(hook, tokenOf(0)))).toBe('hook-failed');
    expect(codeOf(await ask(hook, tokenOf(0, '')))).toBe('hook-failed');
    server.answer = json(set(rsaJwk(0)));
    clock.advance(30_000);
    await until(() => source.keys.length > 0);
    expect(codeOf(await ask(hook, tokenOf(0)))).toBe('yes');
  });

  it('passes as before while the server is away', async () => {
    const source = sourceOf();
    await source.refresh();
    await server.close();
    await passes(300_000);
    expect(ask(hookOf(source), tokenOf(0))).toMatchObject({ ok: true });
    clock.advance(29_000);
    expect(codeOf(await ask(hookOf(source), tokenOf(1)))).toBe('token-signature');
  });
});
