import { describe, expect, it } from '@jest/globals';
import { REFUSAL_REASONS } from '../../src/admin/guard.js';
import { Secret } from '../../src/model/secret.js';
import { METRICS } from '../../src/telemetry/metric-list.js';
import { fakeAdmin, fakePorts, request, TOKEN, valueOf } from './fixture.js';

const token = new Secret(TOKEN);
const right = new Secret(`Bearer ${TOKEN}`);
const wrong = new Secret('Bearer canary-that-is-no-token');
const GUESSER = '203.0.113.9';

type Made = ReturnType<typeof fakeAdmin>;

const ask = (made: Made, authorization?: Secret, path = '/api/v1/health', address = GUESSER) =>
  made.admin.handle(request('GET', path, { authorization, address }));
const guess = async (made: Made, times: number, path?: string) => {
  for (let count = 0; count < times; count += 1) await ask(made, wrong, path);
};

describe('who is turned away by the admin listener', () => {
  it('is counted and logged by reason, with the route and without anything that was sent', async () => {
    const made = fakeAdmin({ token });
    await ask(made);
    await ask(made, wrong, '/api/v1/sessions/canary-in-path?canary=1');
    await ask(made, wrong, '/canary-unknown');
    await ask(made, wrong, '/metrics');
    await ask(made, right);
    await made.admin.handle(
      request('DELETE', '/api/v1/sessions/s1', { headers: { origin: 'https://evil.example' }, address: GUESSER }),
    );
    const of = (code: string, path: string, method = 'GET') => ({ address: GUESSER, method, path, code });
    expect(made.lines).toEqual([
      ['info', 'admin.refused', of('token-required', '/api/v1/health')],
      ['warn', 'admin.refused', of('token-wrong', '/api/v1/sessions/{id}')],
      ['warn', 'admin.refused', of('token-wrong', 'unknown')],
      ['warn', 'admin.refused', of('token-wrong', '/metrics')],
      ['warn', 'admin.refused', of('token-throttled', '/api/v1/health')],
      ['warn', 'admin.refused', of('origin-foreign', '/api/v1/sessions/{id}', 'DELETE')],
    ]);
    expect(JSON.stringify(made.lines)).not.toContain('canary');
    expect(made.countOf('admin_refused_total{reason="token-wrong"}')).toBe(3);
    expect(made.countOf('admin_refused_total{reason="token-throttled"}')).toBe(1);
  });

  it('waits after too many wrong tokens, whatever it shows then, and may try when the minute is over', async () => {
    const made = fakeAdmin({ token });
    await guess(made, 3);
    const answer = await ask(made, right);
    expect([answer.status, valueOf(answer)['code']]).toEqual([429, 'token-throttled']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'Retry-After': '60' });
    expect(Object.fromEntries(answer.headers)).not.toHaveProperty('WWW-Authenticate');
    made.clock.advance(59_500);
    expect(Object.fromEntries((await ask(made, wrong)).headers)).toMatchObject({ 'Retry-After': '1' });
    made.clock.advance(500);
    expect((await ask(made, right)).status).toBe(200);
  });

  it('holds up no other address, and nobody who shows nothing', async () => {
    const made = fakeAdmin({ token });
    await guess(made, 5);
    expect((await ask(made, right, '/api/v1/health', '203.0.113.10')).status).toBe(200);
    expect((await ask(made)).status).toBe(401);
    expect((await ask(made, undefined, '/')).status).toBe(200);
  });

  it('is no probe: open paths answer as ever, yet cannot be used to guess', async () => {
    const { ports } = fakePorts({ notReady: () => 'draining' });
    const made = fakeAdmin({ token, ports });
    await guess(made, 2, '/livez');
    expect(made.lines).toEqual([]);
    await ask(made, undefined, '/readyz');
    expect(made.lines).toEqual([]);
    await guess(made, 3, '/readyz');
    expect(made.countOf('admin_refused_total{reason="token-wrong"}')).toBe(3);
    expect(await ask(made, right, '/readyz')).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await ask(made, undefined, '/livez')).toMatchObject({ status: 200 });
    expect((await ask(made, right)).status).toBe(429);
    made.clock.advance(60_000);
    expect(await ask(made, right, '/readyz')).toMatchObject({ status: 503, body: 'draining\n' });
  });

  it('is counted at the door of the live events too, by token and by ticket', async () => {
    const made = fakeAdmin({ token });
    const open = (target: string, authorization?: Secret) =>
      made.admin.ask(request('GET', target, { authorization, address: GUESSER }));
    const ticket = String(
      valueOf(await made.admin.handle(request('POST', '/api/v1/events/ticket', { authorization: right, body: {} })))[
        'ticket'
      ],
    );
    open('/api/v1/events', wrong);
    open('/api/v1/events?ticket=canary');
    open('/api/v1/events?ticket=');
    expect(open(`/api/v1/events?ticket=${ticket}`)).toMatchObject({ status: 429 });
    expect((await ask(made, right)).status).toBe(429);
    expect(made.lines.slice(1).map(([, , { path, code }]) => [path, code])).toEqual([
      ...[1, 2, 3].map(() => ['/api/v1/events', 'token-wrong']),
      ['/api/v1/events', 'token-throttled'],
      ['/api/v1/health', 'token-throttled'],
    ]);
    expect(JSON.stringify(made.lines)).not.toContain('canary');
  });

  it('has been no page of another site: what such a page shows is not looked at, so it shuts nobody out', async () => {
    const made = fakeAdmin({ token });
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      for (const target of ['/api/v1/events?ticket=canary', '/api/v1/events', '/none?ticket=canary']) {
        const answer = made.admin.ask(request('GET', target, { headers, authorization: wrong }));
        expect(answer).toMatchObject({ status: 403 });
      }
    }
    expect((await ask(made, right, '/api/v1/health', '127.0.0.1')).status).toBe(200);
    expect(new Set(made.lines.map(([, , { code }]) => code))).toEqual(new Set(['origin-foreign']));
  });

  it('makes nobody wait but itself where it is a page that has bent its name to us', async () => {
    const made = fakeAdmin({ token });
    const bent = (authorization: Secret, host = 'evil.example:9090') =>
      made.admin.handle(request('GET', '/api/v1/health', { authorization, headers: { host } }));
    for (let count = 0; count < 3; count += 1) await bent(wrong, `evil-${count}.example`);
    expect(Object.fromEntries((await bent(right)).headers)).toMatchObject({ 'Retry-After': '60' });
    expect((await ask(made, right, '/api/v1/health', '127.0.0.1')).status).toBe(200);
    for (let count = 0; count < 3; count += 1) await ask(made, wrong, '/api/v1/health', '127.0.0.1');
    expect((await ask(made, right, '/api/v1/health', '127.0.0.1')).status).toBe(429);
  });

  it('never waits where no token is asked for', async () => {
    const made = fakeAdmin();
    for (let count = 0; count < 9; count += 1) made.admin.ask(request('GET', '/api/v1/events?ticket=old'));
    expect((await ask(made, wrong, '/api/v1/health', '127.0.0.1')).status).toBe(200);
  });

  it('is told in the help of the metric by every reason that there is', () => {
    expect(METRICS.admin_refused_total.help).toContain(`(${REFUSAL_REASONS.join(', ')})`);
  });
});
