import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callHttpHook, type CallHttpOptions } from '../../../src/hooks/call-http/index.js';
import type { Decision } from '../../../src/model/decision.js';
import type { Hook } from '../../../src/model/hook.js';
import type { ConnectionRequest } from '../../../src/model/request.js';
import { Secret } from '../../../src/model/secret.js';
import { fakeClock } from '../../fakes/clock.js';
import { makeRequest } from '../requests.js';
import { json, policyServer, type PolicyServer } from './policy-server.js';

const never = new AbortController().signal;

let server: PolicyServer;
beforeEach(async () => {
  server = await policyServer(json({ result: true }));
});
afterEach(async () => {
  await server.close();
});

function hook(more: Partial<CallHttpOptions> = {}): Hook {
  const at = { host: '127.0.0.1', port: server.port, secure: false };
  return callHttpHook({
    ...{ id: 'red5', form: 'round-trip', actions: ['publish', 'subscribe'], onFailure: 'refuse' },
    ...{ sendToken: false, clientTokenRequired: false, headers: [] },
    target: { ...at, path: '/validateCredentials' },
    invalidate: { ...at, path: '/invalidateCredentials' },
    ...{ timeoutMs: 2000, maxConcurrent: 64, cacheMs: 0, breakerFailures: 0, breakerMs: 10_000, clock: fakeClock() },
    ...more,
  });
}

const credential = {
  token: new Secret('tok'),
  carrier: 'amf-arguments' as const,
  username: 'anna',
  password: new Secret('pw'),
};
const ask = async (request: ConnectionRequest, one = hook()): Promise<Decision> =>
  one.decide(request, undefined, never);
const codeOf = (decision: Decision): string => (decision.ok ? 'yes' : decision.rejection.code);

// Red5 Pro's contract: facts from its documentation and RoundTripAuthValidator of red5pro-simple-auth-plugin.
describe('call-http by round trip', () => {
  it.each<[string, ConnectionRequest, object]>([
    [
      'a publisher',
      makeRequest({ credential }),
      { username: 'anna', password: 'pw', token: 'tok', type: 'publisher', streamID: 'cam' },
    ],
    [
      'a viewer without a token',
      makeRequest({ action: 'subscribe', account: { username: 'ben', password: new Secret('pw2') } }),
      { username: 'ben', password: 'pw2', token: '', type: 'subscriber', streamID: 'cam' },
    ],
    [
      'a token alone',
      makeRequest({ token: 'tok', target: { app: 'live', room: 'a/b', name: 'c.d' } }),
      { username: '', password: '', token: 'tok', type: 'publisher', streamID: 'c.d' },
    ],
    [
      'a Basic login, whose password stands where a token may',
      makeRequest({ credential: { token: new Secret('pw'), carrier: 'basic', username: 'anna' } }),
      { username: 'anna', password: 'pw', token: '', type: 'publisher', streamID: 'cam' },
    ],
    [
      'a Basic login with a JWT',
      makeRequest({ credential: { token: new Secret('a.b.c'), carrier: 'basic', username: 'anna' } }),
      { username: 'anna', password: '', token: 'a.b.c', type: 'publisher', streamID: 'cam' },
    ],
    ['nobody', makeRequest(), { username: '', password: '', token: '', type: 'publisher', streamID: 'cam' }],
  ])('asks for %s with the five fields', async (_, request, expected) => {
    expect(await ask(request)).toEqual({ ok: true });
    const [heard] = server.heard;
    expect(heard).toMatchObject({ method: 'POST', url: '/validateCredentials' });
    expect(heard?.headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json' });
    expect(JSON.parse(heard?.body ?? '')).toEqual(expected);
  });

  it.each<[string, string, number, unknown]>([
    ['true', 'yes', 200, { result: true }],
    ['true and a url', 'yes', 200, { result: true, url: 'https://signed.example/' }],
    ['the word true', 'yes', 200, { result: 'true' }],
    ['the word True', 'yes', 200, { result: 'True' }],
    ['false', 'hook-denied', 200, { result: false }],
    ['the word false', 'hook-denied', 200, { result: 'false' }],
    ['1', 'hook-denied', 200, { result: 1 }],
    ['null', 'hook-denied', 200, { result: null }],
    ['another name', 'hook-failed', 200, { allow: true }],
    ['a list', 'hook-failed', 200, [true]],
    ['true with status 201', 'hook-denied', 201, { result: true }],
    ['true with status 401', 'hook-denied', 401, { result: true }],
    ['true with status 500', 'hook-failed', 500, { result: true }],
  ])('takes %s for %s', async (_, expected, status, answer) => {
    server.answer = json(answer, status);
    expect(codeOf(await ask(makeRequest({ credential })))).toBe(expected);
  });

  it('says to who has shown nothing that something is missing', async () => {
    server.answer = json({ result: false });
    expect(codeOf(await ask(makeRequest()))).toBe('token-missing');
    expect(codeOf(await ask(makeRequest({ account: { username: 'anna' } })))).toBe('hook-denied');
  });

  it('is not asked at connect', () => {
    expect(hook().actions).toEqual(['publish', 'subscribe']);
    expect(hook({ actions: ['connect', 'publish'] }).actions).toEqual(['publish']);
  });

  it('wants a token at connect where the config says so, and asks nobody for that', async () => {
    const one = hook({ clientTokenRequired: true });
    expect(one.actions).toEqual(['connect', 'publish', 'subscribe']);
    expect(codeOf(await ask(makeRequest({ action: 'connect' }), one))).toBe('token-missing');
    expect(codeOf(await ask(makeRequest({ action: 'connect', account: { username: 'anna' } }), one))).toBe(
      'token-missing',
    );
    expect(codeOf(await ask(makeRequest({ action: 'connect', token: 't' }), one))).toBe('yes');
    expect(server.heard).toEqual([]);
  });

  it('tells of a publisher that is gone, and looks at no reply', async () => {
    server.answer = json({ result: false }, 500);
    const one = hook();
    await one.onEnd?.(makeRequest({ credential }), undefined, 'client-closed');
    expect(server.heard.map(({ method, url, body }) => [method, url, JSON.parse(body) as unknown])).toEqual([
      [
        'POST',
        '/invalidateCredentials',
        { username: 'anna', password: 'pw', token: 'tok', type: 'publisher', streamID: 'cam' },
      ],
    ]);
    await server.close();
    await expect(one.onEnd?.(makeRequest({ credential }), undefined, 'client-closed')).resolves.toBeUndefined();
  });

  it('tells nothing of viewers', async () => {
    await hook().onEnd?.(makeRequest({ action: 'subscribe' }), undefined, 'client-closed');
    expect(server.heard).toEqual([]);
  });

  it('tells of thousands that end in one moment one after the other', async () => {
    let atOnce = 0;
    let most = 0;
    server.answer = (response) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      setImmediate(() => {
        atOnce -= 1;
        response.end('{}');
      });
    };
    const one = hook({ maxConcurrent: 4 });
    const names = [...Array(200).keys()].map((index) => `cam${index}`);
    await Promise.all(
      names.map((name) =>
        Promise.resolve(one.onEnd?.(makeRequest({ target: { app: 'live', room: null, name } }), undefined, 'draining')),
      ),
    );
    const told = server.heard.map(({ body }) => (JSON.parse(body) as { readonly streamID: string }).streamID);
    expect([...told].sort()).toEqual([...names].sort());
    expect(most).toBeLessThanOrEqual(4);
  });
});
