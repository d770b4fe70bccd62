import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { callHttpHook, type CallHttpOptions } from '../../../src/hooks/call-http/index.js';
import type { Decision } from '../../../src/model/decision.js';
import type { Hook } from '../../../src/model/hook.js';
import type { Identity } from '../../../src/model/identity.js';
import { Secret } from '../../../src/model/secret.js';
import { selfSigned } from '../../config/loading.js';
import { fakeClock, type FakeClock } from '../../fakes/clock.js';
import { makeIdentity, makeRequest } from '../requests.js';
import { json, policyServer, until, type PolicyServer } from './policy-server.js';

const YES = json({ allow: true });
const never = new AbortController().signal;

let server: PolicyServer;
let clock: FakeClock;
let outcomes: string[];
beforeEach(async () => {
  server = await policyServer(YES);
  clock = fakeClock();
  outcomes = [];
});
afterEach(async () => {
  await server.close();
});

function hook(more: Partial<CallHttpOptions> = {}): Hook {
  return callHttpHook({
    ...{ id: 'policy', form: 'json', actions: ['publish', 'subscribe'], onFailure: 'refuse' },
    ...{ sendToken: false, clientTokenRequired: false, headers: [] },
    target: { host: '127.0.0.1', port: server.port, secure: false, path: '/allow?v=1' },
    ...{ timeoutMs: 2000, maxConcurrent: 64, cacheMs: 0, breakerFailures: 0, breakerMs: 10_000, clock },
    onCall: (outcome) => void outcomes.push(outcome),
    ...more,
  });
}

const ask = async (one: Hook, changed: Parameters<typeof makeRequest>[0] = {}, identity?: Identity) =>
  one.decide(makeRequest(changed), identity, never);
const codeOf = (decision: Decision): string => (decision.ok ? 'yes' : decision.rejection.code);

describe('call-http by JSON', () => {
  it('sends the whole question, the token not among it', async () => {
    const identity = makeIdentity({ subject: 'anna', tokenId: 't1', roles: new Set(['red5-publisher' as const]) });
    expect(await ask(hook(), { token: 'canary' }, identity)).toEqual({ ok: true });
    expect(server.heard).toHaveLength(1);
    const [{ method, url, headers, body } = { method: '', url: '', headers: {}, body: '' }] = server.heard;
    expect([method, url]).toEqual(['POST', '/allow?v=1']);
    expect(headers).toMatchObject({ accept: 'application/json', 'content-type': 'application/json' });
    expect(JSON.parse(body)).toEqual({
      ...{ sessionId: 's1', action: 'publish', transport: 'RTMP', secure: false, address: '192.0.2.1' },
      ...{ app: 'live', room: 'room1', name: 'cam', path: 'live/room1/cam' },
      claims: { sub: 'anna', jti: 't1', exp: 2_000_000_000, roles: ['red5-publisher'] },
    });
  });

  it('sends the token where it is told to, and headers whose values are secret', async () => {
    const headers = [['Authorization', new Secret('Bearer key')]] as const;
    await ask(hook({ sendToken: true, headers }), { token: 'canary' });
    expect(JSON.parse(server.heard[0]?.body ?? '')).toMatchObject({ token: 'canary' });
    expect(server.heard[0]?.headers.authorization).toBe('Bearer key');
  });

  it.each<[string, string, unknown]>([
    ['a plain yes', 'yes', { allow: true }],
    ['a yes with what nobody asked', 'yes', { allow: true, color: 'red' }],
    ['a plain no', 'hook-denied', { allow: false }],
    ['a no with a code of ours', 'token-revoked', { allow: false, code: 'token-revoked' }],
    ['a no with a code of nobody', 'hook-denied', { allow: false, code: 'constructor' }],
    ['a no with a yes in its detail', 'hook-denied', { allow: false, detail: 'allow' }],
    ['the word true', 'hook-failed', { allow: 'true' }],
    ['the number 1', 'hook-failed', { allow: 1 }],
    ['nothing', 'hook-failed', {}],
    ['a list', 'hook-failed', [{ allow: true }]],
    ['a bare true', 'hook-failed', true],
    ['null', 'hook-failed', null],
    [
      'limits that fit',
      'yes',
      { allow: true, limits: { roles: ['red5-publisher'], rooms: ['room1'], transports: ['RTMP'] } },
    ],
    ['the wrong role', 'role-denied', { allow: true, limits: { roles: ['red5-subscriber'] } }],
    ['a role of nobody', 'role-denied', { allow: true, limits: { roles: ['admin'] } }],
    ['the wrong room', 'room-denied', { allow: true, limits: { rooms: ['room2'] } }],
    ['no room at all', 'room-denied', { allow: true, limits: { rooms: [] } }],
    ['the wrong transport', 'transport-denied', { allow: true, limits: { transports: ['WHIP'] } }],
    ['a limit in time that has passed', 'hook-denied', { allow: true, limits: { expiresAtS: 1 } }],
    ['a bit rate of nothing', 'hook-failed', { allow: true, limits: { maxKbps: 0 } }],
    ['a bit rate in words', 'hook-failed', { allow: true, limits: { maxKbps: '100' } }],
    ['a bit rate', 'yes', { allow: true, limits: { maxKbps: 100 } }],
    ['a limit that is no limit of ours', 'hook-failed', { allow: true, limits: { speed: 1 } }],
    ['a limit of another type', 'hook-failed', { allow: true, limits: { rooms: 'room1' } }],
    ['a limit within a limit', 'hook-failed', { allow: true, limits: { rooms: [['room1']] } }],
    ['limits that are a list', 'hook-failed', { allow: true, limits: [] }],
    ['no limits', 'yes', { allow: true, limits: null }],
  ])('takes %s for %s', async (_, expected, answer) => {
    server.answer = json(answer);
    expect(codeOf(await ask(hook()))).toBe(expected);
  });

  it.each<[string, string]>([
    ['a name twice', '{"allow":false,"allow":true}'],
    ['no JSON', '<html>allow</html>'],
    ['half of it', '{"allow":true'],
    ['no bytes', ''],
    ['more than one value', '{"allow":true}{"allow":false}'],
  ])('takes %s for nonsense', async (_, body) => {
    server.answer = (response) => response.end(body);
    expect(codeOf(await ask(hook({ onFailure: 'allow' })))).toBe('hook-failed');
    expect(outcomes).toEqual(['nonsense']);
  });

  it('reads over a byte order mark', async () => {
    server.answer = (response) => response.end('\uFEFF{"allow":true}');
    expect(codeOf(await ask(hook()))).toBe('yes');
  });

  it('gives the narrower identity on, and never a wider one', async () => {
    server.answer = json({
      allow: true,
      limits: { rooms: ['room1', 'room9'], expiresAtS: 1_900_000_000, roles: ['red5-publisher', 'red5-subscriber'] },
    });
    const identity = makeIdentity({
      subject: 'anna',
      rooms: new Set(['room1', 'room2']),
      roles: new Set(['red5-publisher' as const]),
    });
    expect(await ask(hook(), {}, identity)).toEqual({
      ok: true,
      identity: {
        subject: 'anna',
        expiresAtS: 1_900_000_000,
        rooms: new Set(['room1']),
        roles: new Set(['red5-publisher']),
      },
    });
    const slow = makeIdentity({ maxKbps: 500 });
    server.answer = json({ allow: true, limits: { maxKbps: 400 } });
    expect(await ask(hook(), {}, slow)).toEqual({ ok: true, identity: { ...slow, maxKbps: 400 } });
    server.answer = json({ allow: true, limits: { maxKbps: 600 } });
    expect(await ask(hook(), {}, slow)).toEqual({ ok: true, identity: slow });
    server.answer = json({ allow: true, limits: { expiresAtS: 2_100_000_000 } });
    expect(await ask(hook(), {}, identity)).toEqual({ ok: true, identity });
  });
});

/** Ways in which a server fails to answer: what the hook says of it, and what `onFailure: allow` makes of it. */
const FAILURES: readonly (readonly [string, string, string, (response: ServerResponse) => void])[] = [
  ['500', 'hook-failed', 'yes', json({ allow: true }, 500)],
  ['503', 'hook-failed', 'yes', json({}, 503)],
  ['429', 'hook-failed', 'yes', json({}, 429)],
  ['403', 'hook-denied', 'hook-denied', json({ allow: true }, 403)],
  ['404', 'hook-denied', 'hook-denied', json({ allow: true }, 404)],
  ['a redirect', 'hook-denied', 'hook-denied', json({ allow: true }, 302, { Location: '/yes' })],
  ['201', 'hook-denied', 'hook-denied', json({ allow: true }, 201)],
  ['204', 'hook-denied', 'hook-denied', (response) => response.writeHead(204).end()],
  [
    'a body that is too large',
    'hook-failed',
    'hook-failed',
    (response) => response.end(`{"allow":true,"a":"${'x'.repeat(70_000)}"}`),
  ],
  ['a connection that breaks', 'hook-failed', 'yes', (response) => response.destroy()],
  ['bytes that are no HTTP', 'hook-failed', 'hook-failed', (response) => response.socket?.end('allow: true\r\n\r\n')],
  [
    'a second answer behind the first',
    'yes',
    'yes',
    (response) => {
      response.socket?.end(
        'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"allow":true}HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"allow":false}',
      );
    },
  ],
];

describe('a server of call-http that', () => {
  it.each(FAILURES)('answers with %s: %s, with onFailure allow %s', async (_, refused, allowed, answer) => {
    server.answer = answer;
    expect(codeOf(await ask(hook()))).toBe(refused);
    expect(codeOf(await ask(hook({ onFailure: 'allow' })))).toBe(allowed);
    expect(server.heard.map(({ url }) => url)).toEqual(['/allow?v=1', '/allow?v=1']);
    expect(clock.pending).toBe(0);
  });

  it.each<['refuse' | 'allow', string]>([
    ['refuse', 'hook-failed'],
    ['allow', 'yes'],
  ])('never answers is given up in time (%s: %s)', async (onFailure, expected) => {
    server.answer = () => undefined;
    const asking = ask(hook({ onFailure }));
    await until(() => server.heard.length === 1);
    clock.advance(2000);
    expect(codeOf(await asking)).toBe(expected);
    expect(outcomes).toEqual(['failed']);
    expect(clock.pending).toBe(0);
  });

  it('answers a byte at a time is given up in time', async () => {
    server.answer = (response) => {
      response.writeHead(200);
      response.write('{');
    };
    const asking = ask(hook());
    await until(() => server.heard.length === 1);
    clock.advance(2000);
    expect(codeOf(await asking)).toBe('hook-failed');
  });

  it('is not there is a failure', async () => {
    await server.close();
    expect(codeOf(await ask(hook()))).toBe('hook-failed');
    expect(codeOf(await ask(hook({ onFailure: 'allow' })))).toBe('yes');
  });

  it('hides behind a metadata address is never called, by number or by name', async () => {
    const target = { host: '169.254.169.254', port: 80, secure: false, path: '/' };
    const decision = await ask(hook({ target }));
    expect(decision).toMatchObject({ ok: false, rejection: { code: 'hook-failed' } });
    expect(JSON.stringify(decision)).toContain('metadata');
  });

  it('holds its connection open is let go all the same', async () => {
    server.answer = json({ allow: true }, 200, { Connection: 'keep-alive' });
    const one = hook();
    await ask(one);
    await ask(one);
    expect(server.connections()).toBe(2);
  });

  it('speaks TLS has to show a certificate that is trusted', async () => {
    await server.close();
    const tls = selfSigned();
    server = await policyServer(YES, tls);
    const target = { host: 'localhost', port: server.port, secure: true, path: '/' };
    expect(codeOf(await ask(hook({ target })))).toBe('hook-failed');
    expect(codeOf(await ask(hook({ target, ca: tls.cert })))).toBe('yes');
    expect(server.heard).toHaveLength(1);
  });

  it('is given up when the pipeline does not wait any longer', async () => {
    server.answer = () => undefined;
    const leaving = new AbortController();
    const asking = Promise.resolve(hook().decide(makeRequest(), undefined, leaving.signal));
    await until(() => server.heard.length === 1);
    leaving.abort();
    expect(codeOf(await asking)).toBe('hook-failed');
  });
});

describe('the care that call-http takes', () => {
  it('has so many calls at once and no more; who comes on top is not let wait', async () => {
    const held: ServerResponse[] = [];
    server.answer = (response) => void held.push(response);
    const one = hook({ maxConcurrent: 2 });
    const first = [ask(one), ask(one)];
    await until(() => held.length === 2);
    expect(await ask(one)).toMatchObject({ ok: false, rejection: { code: 'hook-failed' } });
    expect(outcomes).toEqual(['busy']);
    held.forEach((response) => YES(response));
    expect((await Promise.all(first)).map(codeOf)).toEqual(['yes', 'yes']);
    server.answer = YES;
    expect(codeOf(await ask(one))).toBe('yes');
  });

  it('leaves a server alone that fails again and again, then tries with one call', async () => {
    const states: string[] = [];
    const one = hook({ breakerFailures: 3, onBreaker: (state) => void states.push(state) });
    server.answer = json({}, 500);
    for (let call = 0; call < 5; call += 1) expect(codeOf(await ask(one))).toBe('hook-failed');
    expect(server.heard).toHaveLength(3);
    expect(outcomes).toEqual(['failed', 'failed', 'failed', 'breaker-open', 'breaker-open']);
    clock.advance(10_000);
    // Half open: one call goes, those beside it do not.
    const held: ServerResponse[] = [];
    server.answer = (response) => void held.push(response);
    const probe = ask(one);
    await until(() => held.length === 1);
    expect(codeOf(await ask(one))).toBe('hook-failed');
    expect(server.heard).toHaveLength(4);
    held.forEach((response) => json({}, 500)(response));
    expect(codeOf(await probe)).toBe('hook-failed');
    // It failed: closed to all again, until the next try.
    expect(codeOf(await ask(one))).toBe('hook-failed');
    expect(server.heard).toHaveLength(4);
    clock.advance(10_000);
    server.answer = YES;
    expect(codeOf(await ask(one))).toBe('yes');
    expect(codeOf(await ask(one))).toBe('yes');
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
    expect(clock.pending).toBe(0);
  });

  it('counts failures in a row only, and a no is none', async () => {
    const one = hook({ breakerFailures: 2 });
    for (const answer of [json({}, 500), json({ allow: false }), json({}, 500), json({}, 403), json({}, 500)]) {
      server.answer = answer;
      await ask(one);
    }
    server.answer = YES;
    expect(codeOf(await ask(one))).toBe('yes');
  });

  it('is not fooled by a clock that is set', async () => {
    const one = hook({ breakerFailures: 1, cacheMs: 5000 });
    server.answer = json({}, 500);
    await ask(one);
    clock.jump(-3_600_000);
    clock.advance(10_000);
    server.answer = YES;
    expect(codeOf(await ask(one))).toBe('yes');
    clock.jump(-3_600_000);
    await ask(one);
    expect(server.heard).toHaveLength(3);
  });

  it('keeps the answer to a question for a while, and the session id out of it', async () => {
    const one = hook({ cacheMs: 5000 });
    server.answer = json({ allow: false });
    expect(codeOf(await ask(one))).toBe('hook-denied');
    server.answer = YES;
    expect(codeOf(await ask(one, { sessionId: 's2' }))).toBe('hook-denied');
    expect(server.heard[0]?.body).not.toContain('sessionId');
    expect(outcomes).toEqual(['no', 'cached']);
    clock.advance(5000);
    expect(codeOf(await ask(one))).toBe('yes');
    expect(server.heard).toHaveLength(2);
  });

  it.each<[string, Parameters<typeof makeRequest>[0], Identity | undefined]>([
    ['another stream', { target: { app: 'live', room: 'room1', name: 'cam2' } }, undefined],
    ['another room', { target: { app: 'live', room: 'room1/cam', name: '' } }, undefined],
    ['another action', { action: 'subscribe' }, undefined],
    ['another transport', { transport: 'RTSP' }, undefined],
    ['another address', { remoteAddress: '192.0.2.2' }, undefined],
    ['TLS', { secure: true }, undefined],
    ['another token', { token: 'other' }, undefined],
    ['a login', {}, makeIdentity({ subject: 'anna' })],
  ])('does not take the answer for another question: %s', async (_, changed, identity) => {
    const one = hook({ cacheMs: 5000, sendToken: true });
    await ask(one, { token: 'one' });
    await ask(one, { token: 'one', ...changed }, identity);
    expect(outcomes).toEqual(['yes', 'yes']);
  });

  it('keeps no failure, and a bounded number of answers', async () => {
    const one = hook({ cacheMs: 60_000 });
    server.answer = json({}, 500);
    await ask(one);
    server.answer = YES;
    expect(codeOf(await ask(one))).toBe('yes');
    const names = [...Array(1000).keys()].map((index) => ({ app: 'live', room: null, name: `cam${index}` }));
    for (const target of names) await ask(one, { target });
    outcomes.length = 0;
    await ask(one);
    await ask(one, { target: names[999] ?? { app: '', room: null, name: null } });
    expect(outcomes).toEqual(['yes', 'cached']);
  });

  it('judges the limits of a kept yes at the time of the question', async () => {
    const one = hook({ cacheMs: 60_000 });
    server.answer = json({ allow: true, limits: { expiresAtS: clock.now() / 1000 + 10 } });
    expect(codeOf(await ask(one))).toBe('yes');
    clock.advance(11_000);
    expect(codeOf(await ask(one))).toBe('hook-denied');
    expect(outcomes).toEqual(['yes', 'cached']);
  });
});
