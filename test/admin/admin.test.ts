import { describe, expect, it } from '@jest/globals';
import type { AdminOptions } from '../../src/admin/index.js';
import { Secret } from '../../src/model/secret.js';
import { fakeAdmin, fakePorts, request, TOKEN, valueOf } from './fixture.js';

const bearer = (text: string) => new Secret(`Bearer ${text}`);
const ask = (options: Partial<AdminOptions>, method: string, path: string, authorization?: Secret) =>
  fakeAdmin(options).admin.handle(request(method, path, { authorization }));
const draining = fakePorts({ notReady: () => 'draining' }).ports;

describe('the operator windows', () => {
  it('show the metrics as Prometheus text', async () => {
    const answer = await ask({}, 'GET', '/metrics');
    expect(answer).toMatchObject({ status: 200, body: 'portcullis_x 1\n' });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Cache-Control': 'no-store',
    });
  });

  it('say that the process lives, even when it is not ready', async () => {
    expect(await ask({ ports: draining }, 'GET', '/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('say whether streams are taken, and the reason only to those with the token', async () => {
    expect(await ask({}, 'GET', '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    const closed = { token: new Secret(TOKEN), ports: draining };
    expect(await ask(closed, 'GET', '/readyz')).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await ask(closed, 'GET', '/readyz', bearer(TOKEN))).toMatchObject({ status: 503, body: 'draining\n' });
  });

  it.each<[string, string, Secret | undefined, number]>([
    ['no token', '/metrics', undefined, 401],
    ['the token', '/metrics', bearer(TOKEN), 200],
    ['the token after a small bearer', '/metrics', new Secret(`bearer  ${TOKEN}`), 200],
    ['another token', '/metrics', bearer(`${TOKEN}x`), 401],
    ['the beginning of the token', '/metrics', bearer(TOKEN.slice(0, -1)), 401],
    ['an empty bearer', '/metrics', new Secret('Bearer '), 401],
    ['the token alone', '/metrics', new Secret(TOKEN), 401],
    ['Basic', '/metrics', new Secret(`Basic ${TOKEN}`), 401],
    ['no token for an open path', '/livez', undefined, 200],
    ['no token for a path that is none', '/secrets', undefined, 401],
    ['no token for the API', '/api/v1/sessions', undefined, 401],
    ['no token for its description', '/api/v1/openapi.json', undefined, 401],
    ['no token for the page, which is empty', '/', undefined, 200],
    ['the token for a path that is none', '/secrets', bearer(TOKEN), 404],
    ['a path that is nearly open', '/livez/', undefined, 401],
  ])('with %s answer %s so', async (_, path, authorization, status) => {
    expect((await ask({ token: new Secret(TOKEN) }, 'GET', path, authorization)).status).toBe(status);
  });

  it('challenge those they refuse', async () => {
    const options = { token: new Secret(TOKEN) };
    const challengeOf = async (shown?: Secret) =>
      Object.fromEntries((await ask(options, 'GET', '/metrics', shown)).headers)['WWW-Authenticate'];
    expect(await challengeOf()).toBe('Bearer realm="portcullis"');
    expect(await challengeOf(bearer('x'))).toContain('invalid_token');
  });

  it.each(['/__proto__', '/constructor', '/metrics/', '//metrics', '/METRICS', '/api/v1', '/api/v1/sessions/'])(
    'have no page %j',
    async (path) => expect((await ask({}, 'GET', path)).status).toBe(404),
  );

  it.each(['/metrics', '/', '/api/v1/openapi.json', '/api/v1/health'])('change nothing at %s', async (path) => {
    expect((await ask({}, 'POST', path)).status).toBe(405);
    expect((await ask({}, 'HEAD', path)).status).toBe(200);
  });
});

describe('pages of other sites', () => {
  const kick = (headers: Readonly<Record<string, string>>, options: Partial<AdminOptions> = {}) =>
    fakeAdmin(options).admin.handle(
      request('POST', '/api/v1/sessions/kick', { headers, body: { subject: 'ann' }, authorization: bearer(TOKEN) }),
    );

  it.each<[string, Readonly<Record<string, string>>, string | undefined]>([
    ['a program that sends neither', {}, undefined],
    ['our own page', { origin: 'http://127.0.0.1:9090', 'sec-fetch-site': 'same-origin' }, undefined],
    ['a page of another site', { origin: 'https://evil.example' }, 'origin-foreign'],
    ['a page at another port', { origin: 'http://127.0.0.1:3000' }, 'origin-foreign'],
    ['a sandboxed page', { origin: 'null' }, 'origin-foreign'],
    ['a browser that says cross-site', { 'sec-fetch-site': 'cross-site' }, 'origin-foreign'],
    ['a form', { 'content-type': 'text/plain' }, 'body-type'],
    ['a name that was bent to us', { host: 'evil.example:9090', origin: 'http://evil.example:9090' }, 'host-unknown'],
    ['no host', { host: '' }, 'host-unknown'],
    ['a name that begins like ours', { host: '127.0.0.1.evil.example' }, 'host-unknown'],
    ['loopback by name', { host: 'localhost:9090' }, undefined],
    ['loopback of IPv6', { host: '[::1]:9090' }, undefined],
  ])('%s: kick is answered so', async (_, headers, code) => {
    const answer = await kick(headers);
    expect([answer.status === 200, valueOf(answer)['code']]).toEqual([code === undefined, code]);
  });

  it('are kept out with a token too, whatever name the listener has', async () => {
    const token = new Secret(TOKEN);
    expect((await kick({ host: 'ops.example' }, { token })).status).toBe(200);
    expect((await kick({ host: 'ops.example', origin: 'https://evil.example' }, { token })).status).toBe(403);
  });

  it('cannot have parts of the API as pictures, scripts or frames, so that they write no lines into the audit trail', async () => {
    const look = async (headers: Readonly<Record<string, string>>) => {
      const { admin, lines } = fakeAdmin();
      const { status } = await admin.handle(request('GET', '/api/v1/config', { headers }));
      return [status, lines.map(([, event]) => event)];
    };
    const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    expect(await look({ ...foreign, 'sec-fetch-dest': 'image' })).toEqual([403, ['admin.refused']]);
    expect(await look({ ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' })).toEqual([
      ...[403, ['admin.refused']],
    ]);
    expect(await look({ 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'empty' })).toEqual([403, ['admin.refused']]);
    expect(await look({ ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })).toEqual([
      ...[200, ['admin.action']],
    ]);
    expect(await look({ 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' })).toEqual([200, ['admin.action']]);
    expect(await look({ 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' })).toEqual([200, ['admin.action']]);
  });

  it('learn by a bent name from an open path no more than everybody', async () => {
    const { ports } = fakePorts({ notReady: () => 'draining' });
    const ready = (headers: Readonly<Record<string, string>>) =>
      fakeAdmin({ ports }).admin.handle(request('GET', '/readyz', { headers }));
    expect(await ready({ host: 'evil.example' })).toMatchObject({ status: 503, body: 'not ready\n' });
    expect(await ready({})).toMatchObject({ status: 503, body: 'draining\n' });
  });

  it('cannot read by a bent name', async () => {
    const bent = request('GET', '/api/v1/sessions', { headers: { host: 'evil.example' } });
    expect((await fakeAdmin().admin.handle(bent)).status).toBe(403);
  });
});
