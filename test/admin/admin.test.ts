import { describe, expect, it } from '@jest/globals';
import type { AdminOptions } from '../../src/admin/index.js';
import { createAdmin } from '../../src/admin/index.js';
import { Secret } from '../../src/model/secret.js';

const TOKEN = 'a-token-for-operators';
const open = ['/livez', '/readyz'];
const bearer = (text: string) => new Secret(`Bearer ${text}`);

function admin(options: Partial<AdminOptions> = {}) {
  return createAdmin({ openPaths: open, render: () => 'portcullis_x 1\n', notReady: () => undefined, ...options });
}

describe('the operator windows', () => {
  it('show the metrics as Prometheus text', () => {
    expect(admin().handle('GET', '/metrics')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
      body: 'portcullis_x 1\n',
    });
  });

  it('say that the process lives, even when it is not ready', () => {
    expect(admin({ notReady: () => 'draining' }).handle('GET', '/livez')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('say whether streams are taken, with the reason', () => {
    expect(admin().handle('GET', '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(admin({ notReady: () => 'draining' }).handle('GET', '/readyz')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: 'draining\n',
    });
  });

  it('keep the reason from those without the token', () => {
    const windows = admin({ token: new Secret(TOKEN), notReady: () => 'draining' });
    expect(windows.handle('GET', '/readyz').body).toBe('not ready\n');
    expect(windows.handle('GET', '/readyz', bearer(TOKEN)).body).toBe('draining\n');
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
    ['the token for a path that is none', '/secrets', bearer(TOKEN), 404],
    ['a path that is nearly open', '/livez/', undefined, 401],
  ])('with %s answer %s so', (_, path, authorization, status) => {
    expect(admin({ token: new Secret(TOKEN) }).handle('GET', path, authorization).status).toBe(status);
  });

  it('challenge those they refuse', () => {
    const windows = admin({ token: new Secret(TOKEN) });
    expect(windows.handle('GET', '/metrics').headers['www-authenticate']).toBe('Bearer realm="portcullis"');
    expect(windows.handle('GET', '/metrics', bearer('x')).headers['www-authenticate']).toContain('invalid_token');
  });

  it('open the metrics when the config says so', () => {
    const windows = admin({ token: new Secret(TOKEN), openPaths: ['/metrics'] });
    expect(windows.handle('GET', '/metrics').status).toBe(200);
    expect(windows.handle('GET', '/livez').status).toBe(401);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'get', ''])('take no %s', (method) => {
    expect(admin().handle(method, '/metrics')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('take HEAD', () => {
    expect(admin().handle('HEAD', '/livez').status).toBe(200);
  });

  it.each(['/', '', '/__proto__', '/constructor', '/metrics/', '//metrics', '/METRICS'])('have no page %j', (path) => {
    expect(admin().handle('GET', path).status).toBe(404);
  });
});
