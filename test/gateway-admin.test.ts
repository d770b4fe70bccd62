import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { eventually } from './fakes/rtmp-live.js';
import { WebSocket } from 'ws';
import { startGateway, type Gateway } from '../src/gateway.js';
import { createLog } from '../src/telemetry/log.js';
import type { Log } from '../src/model/telemetry.js';

const SECRET = '0123456789abcdef0123456789abcdef0123';
let gateway: Gateway | undefined;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

const TOKEN = 'a-token-for-operators';

/** A config with an admin listener. */
function configOf(listen: object = {}, admin: object = {}) {
  return configFrom({
    listen: { rtmp: { host: '127.0.0.1', port: 0 }, admin: { port: 0 }, ...listen },
    admin,
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [{ name: 'o1', preset: 'generic', rtmp: 'rtmp://127.0.0.1:1', health: 'off' }],
  });
}

/** Starts a gateway with its admin listener; gives the address of that. */
async function start(config = configOf(), log: Log = quietDeps().log): Promise<string> {
  gateway = await startGateway(config, { ...quietDeps(), log });
  return `127.0.0.1:${gateway.addresses['admin']?.port ?? 0}`;
}

async function call(at: string, path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
  const answer = await fetch(`http://${at}/api/v1${path}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Readonly<Record<string, unknown>>;
}

function open(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

describe('the admin listener of a gateway', () => {
  it('sends live what happens inside and what is heard from outside, and says goodbye at the end', async () => {
    const at = await start();
    const { ticket } = await call(at, '/events/ticket', {});
    const socket = await open(`ws://${at}/api/v1/events?ticket=${String(ticket)}`);
    const heard: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        heard.push(JSON.parse(data.toString()));
        if (heard.length === 3) resolve();
      });
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await call(at, '/origins/o1/drained', { drained: true }, 'PUT');
    gateway?.hear('config.reload', { outcome: 'applied' });
    await both;
    expect(heard).toMatchObject([
      { type: 'origin', fields: { origin: 'o1', state: 'drained' } },
      { type: 'admin', event: 'admin.action', fields: { action: 'drain-origin', aim: { origin: 'o1' }, hit: 1 } },
      { type: 'config', event: 'config.reload', fields: { outcome: 'applied' } },
    ]);
    await gateway?.stop();
    expect(await closed).toBe(1001);
  });

  it('opens no WebSocket twice for one ticket, nor for a page of another site', async () => {
    const at = await start();
    const { ticket } = await call(at, '/events/ticket', {});
    const url = `ws://${at}/api/v1/events?ticket=${String(ticket)}`;
    (await open(url)).terminate();
    await expect(open(url)).rejects.toThrow('401');
    await expect(open(`ws://${at}/api/v1/sessions`)).rejects.toThrow('404');
  });

  it('has room for so many connections from one address, and for one more when one has gone', async () => {
    const at = await start();
    const [host, port] = at.split(':');
    const flood = Array.from({ length: 130 }, () => connect(Number(port), host).on('error', () => undefined));
    const left = (): readonly Socket[] => flood.filter(({ destroyed }) => !destroyed);
    await eventually(() => left().length === 128);
    await expect(fetch(`http://${at}/livez`)).rejects.toThrow();
    left()[0]?.destroy();
    const look = async (): Promise<number> => {
      const answer = await fetch(`http://${at}/livez`).catch(() => undefined);
      return answer?.status ?? look();
    };
    expect(await look()).toBe(200);
    expect(left()).toHaveLength(127);
    for (const socket of flood) socket.destroy();
  });

  it('makes tokens that it takes itself, and tells why it would not take others', async () => {
    const at = await start();
    const { token } = await call(at, '/tokens/mint', { roles: ['publisher'] });
    const question = { token, transport: 'RTMP', path: 'live/cam' };
    expect(await call(at, '/tokens/why', { ...question, action: 'publish' })).toMatchObject({ ok: true });
    expect(await call(at, '/tokens/why', { ...question, action: 'subscribe' })).toMatchObject({ code: 'role-denied' });
    expect(JSON.stringify(await call(at, '/config'))).not.toContain(SECRET);
  });
});

describe('the audit trail of a gateway', () => {
  it('tells who did what, with tokens as fingerprints only', async () => {
    const written: string[] = [];
    const log = createLog({ level: 'info', format: 'json', now: () => 0, write: (line) => void written.push(line) });
    const at = await start(configOf(), log);
    const { token } = await call(at, '/tokens/mint', { subject: 'cam-7', roles: ['publisher'], ttlSeconds: 60 });
    await call(at, '/tokens/why', { token, transport: 'RTMP', path: 'live/cam', action: 'publish' });
    await call(at, '/tokens/why', { token: 'canary-opaque', transport: 'RTMP', path: 'live/cam', action: 'publish' });
    await call(at, '/revocations', { subject: 'cam-7' });
    await call(at, '/sessions/kick', { subject: `canary ${String(token)}` });
    await call(at, '/config');
    const lines = written.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const trail = lines.filter(({ event }) => event === 'admin.action');
    expect(trail).toMatchObject([
      { action: 'mint', outcome: 'done', address: '127.0.0.1', aim: { subject: 'cam-7', ttlSeconds: 60 }, hit: 1 },
      { action: 'why', aim: { path: 'live/cam', token: trail[0]?.['token'] } },
      { action: 'why', code: 'token-malformed' },
      { action: 'revoke', aim: { subject: 'cam-7' }, hit: 0, id: 'r1' },
      { action: 'kick', aim: { subject: 'canary [token]' }, hit: 0 },
      { action: 'read-config', outcome: 'done' },
    ]);
    expect(written.join('')).not.toMatch(/eyJ|canary-opaque/);
  });
});

describe('wrong admin tokens', () => {
  const listen = {
    trustedProxies: ['127.0.0.1'],
    admin: { port: 0, token: { value: TOKEN }, forwarded: 'x-forwarded-for' },
  };
  const statusOf = async (at: string, token: string, forwarded?: string) => {
    const headers = { authorization: `Bearer ${token}`, ...(forwarded && { 'x-forwarded-for': forwarded }) };
    return (await fetch(`http://${at}/api/v1/health`, { headers })).status;
  };

  it('make the operator wait whom a trusted proxy names, and neither the others nor the proxy itself', async () => {
    const at = await start(configOf(listen, { failuresPerAddress: 2 }));
    const guesser = '198.51.100.1, 203.0.113.9';
    expect([await statusOf(at, 'x', guesser), await statusOf(at, 'x', guesser)]).toEqual([401, 401]);
    expect(await statusOf(at, TOKEN, '203.0.113.9')).toBe(429);
    expect(await statusOf(at, TOKEN, '203.0.113.10')).toBe(200);
    for (let count = 0; count < 4; count += 1) expect(await statusOf(at, 'x')).toBe(401);
    expect(await statusOf(at, TOKEN)).toBe(200);
  });

  it('are counted as the config in force says, so that a reload lets an operator in', async () => {
    const own = { admin: { port: 0, token: { value: TOKEN } } };
    const at = await start(configOf(own, { failuresPerAddress: 1 }));
    expect([await statusOf(at, 'x'), await statusOf(at, TOKEN)]).toEqual([401, 429]);
    expect(await gateway?.reload(configOf(own, { failuresPerAddress: 0 }))).toEqual([]);
    expect(await statusOf(at, TOKEN)).toBe(200);
  });
});
