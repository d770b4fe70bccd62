import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startGateway, type Gateway } from '../src/gateway.js';
import { systemClock } from '../src/net/clock.js';
import { dialTcp } from '../src/net/dial.js';
import { selfSigned } from './config/loading.js';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { eventually, liveOrigin, livePublisher, sendVideo, type LiveOrigin } from './fakes/rtmp-live.js';

const HERE = { host: '127.0.0.1', port: 0 };
/** Another address of this machine, so that a listener moves without a port being named. */
const THERE = { host: '127.0.0.2', port: 0 };
const ADMIN_TOKEN = 'a-token-of-the-tests';

let origin: LiveOrigin;
let gateway: Gateway | undefined;
let lines: string[];
beforeEach(async () => {
  lines = [];
  origin = await liveOrigin();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await origin.close();
});

type Section = Readonly<Record<string, unknown>>;

function config(listen: Section, more: Section = {}) {
  return configFrom({
    hooks: ['open'],
    origins: [
      {
        ...{ name: 'origin', preset: 'mediamtx', health: 'off', rtmp: `rtmp://127.0.0.1:${origin.port}` },
        ...{ rtsp: 'rtsp://127.0.0.1:1', http: 'http://127.0.0.1:1', media: 'direct' },
      },
    ],
    listen,
    ...more,
  });
}

async function start(listen: Section, more: Section = {}): Promise<Gateway> {
  const log = {
    enabled: () => true,
    write: (_: unknown, event: string, { listener }: Readonly<Record<string, unknown>>) => {
      if (event.startsWith('listener.')) lines.push(`${event} ${String(listener)}`);
    },
  };
  gateway = await startGateway(config(listen, more), { ...quietDeps(), log });
  return gateway;
}

const at = (name: string) => gateway?.addresses[name] ?? { host: '', port: 0 };

async function isOpen({ host, port } = { host: '', port: 0 }): Promise<boolean> {
  const signal = new AbortController().signal;
  try {
    const stream = await dialTcp({ host, port, secure: false, timeoutMs: 2000, signal });
    stream.handle({ onBytes: () => undefined, onClose: () => undefined });
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}

async function listeningStranger() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** The system's, with the timers counted that wait. */
function countingClock() {
  const waiting = new Set<object>();
  return {
    now: () => systemClock.now(),
    after(delayMs: number, call: () => void) {
      const timer = {};
      waiting.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        waiting.delete(timer);
        call();
      });
      return () => {
        waiting.delete(timer);
        cancel();
      };
    },
    waiting: () => waiting.size,
  };
}

const admin = async (token: string, path = '/livez', method = 'GET') =>
  (
    await fetch(`http://127.0.0.1:${at('admin').port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    })
  ).status;

describe('a gateway whose listeners change', () => {
  it('moves one to another address, and keeps its streams', async () => {
    const running = await start({ rtmp: HERE, rtsp: HERE });
    const [oldRtmp, oldRtsp] = [at('rtmp'), at('rtsp')];
    const old = await livePublisher(oldRtmp.port, 'live', 'one');
    expect(await running.reload(config({ rtmp: THERE, rtsp: HERE }))).toEqual([]);
    expect(at('rtmp').host).toBe('127.0.0.2');
    expect(at('rtsp')).toEqual(oldRtsp);
    expect([await isOpen(at('rtmp')), await isOpen(oldRtmp), await isOpen(oldRtsp)]).toEqual([true, false, true]);
    sendVideo(old, 40);
    await eventually(() => (origin.calls[0]?.peer.media.length ?? 0) > 0);
    expect(old.closed).toBe(false);
    expect(lines.slice(2)).toEqual(['listener.open rtmp', 'listener.closed rtmp']);
  });

  it('opens one that is named anew, and closes one that is named no more', async () => {
    const running = await start({ rtmp: HERE });
    const old = at('rtmp');
    await running.reload(config({ rtsp: HERE, admin: { ...HERE, token: { value: ADMIN_TOKEN } } }));
    expect(Object.keys(running.addresses).sort()).toEqual(['admin', 'rtsp']);
    expect([await isOpen(old), await isOpen(at('rtsp')), await admin(ADMIN_TOKEN)]).toEqual([false, true, 200]);
  });

  it('lets two change places', async () => {
    const running = await start({ rtmp: HERE, rtsp: HERE });
    const [one, other] = [at('rtmp'), at('rtsp')];
    await running.reload(config({ rtmp: other, rtsp: one }));
    expect([at('rtmp'), at('rtsp')]).toEqual([other, one]);
    expect((await livePublisher(other.port, 'live', 'one')).codes).toContain('NetStream.Publish.Start');
  });

  it('keeps all as it was when one cannot be opened, and opens again what had made room', async () => {
    const stranger = await listeningStranger();
    try {
      const running = await start({ rtmp: HERE, rtsp: HERE });
      const [rtmp, rtsp] = [at('rtmp'), at('rtsp')];
      await running.reload(config({ rtmp, rtsp }));
      const next = { rtmp: { ...THERE, port: rtsp.port }, rtsp: { ...HERE, port: stranger.port } };
      await expect(running.reload(config(next, { relay: { allowRecord: true } }))).rejects.toMatchObject({
        code: 'listen-failed',
      });
      expect([at('rtmp'), at('rtsp')]).toEqual([rtmp, rtsp]);
      expect([await isOpen(rtmp), await isOpen(rtsp)]).toEqual([true, true]);
      expect(await isOpen({ ...THERE, port: rtsp.port })).toBe(false);
    } finally {
      stranger.close();
    }
  });

  it('opens what had made room where it was, also where any free port had been asked for', async () => {
    const stranger = await listeningStranger();
    try {
      const running = await start({ rtmp: HERE, rtsp: HERE });
      const [rtmp, rtsp] = [at('rtmp'), at('rtsp')];
      const next = { rtmp: rtsp, rtsp: { ...HERE, port: stranger.port } };
      await expect(running.reload(config(next))).rejects.toMatchObject({ code: 'listen-failed' });
      expect([at('rtmp'), at('rtsp')]).toEqual([rtmp, rtsp]);
      expect(await isOpen(rtsp)).toBe(true);
    } finally {
      stranger.close();
    }
  });

  it('opens nothing when the rest of the config is not fit', async () => {
    const running = await start({ rtmp: HERE });
    const fine = config(
      { rtmp: THERE },
      { hooks: ['verify-token'], auth: { keys: [{ id: 'main', secret: { value: 'x'.repeat(40) } }] } },
    );
    const unfit = {
      ...fine,
      auth: { ...fine.auth, keys: fine.auth.keys.map((key) => ({ ...key, algorithm: 'RS256' as const })) },
    };
    await expect(running.reload(unfit)).rejects.toMatchObject({ code: 'config-keys' });
    expect(lines).toEqual(['listener.open rtmp']);
    expect(await isOpen(at('rtmp'))).toBe(true);
  });

  it('opens TLS listeners with the certificates that come in the same config, and lets both go together', async () => {
    const running = await start({ rtmp: HERE });
    const pair = selfSigned();
    const tls = { certificates: [{ cert: { value: pair.cert }, key: { value: pair.key } }] };
    await running.reload(config({ rtmp: HERE, rtmps: HERE }, { tls }));
    const socket = connectTls({ ...at('rtmps'), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    expect(socket.getPeerX509Certificate()?.toString().trim()).toBe(pair.cert.trim());
    socket.destroy();
    const other = selfSigned();
    await running.reload(
      config(
        { rtmp: HERE, rtmps: HERE },
        { tls: { certificates: [{ cert: { value: other.cert }, key: { value: other.key } }] } },
      ),
    );
    await running.reload(config({ rtmp: HERE }));
    expect(Object.keys(running.addresses)).toEqual(['rtmp']);
  });

  it('asks for client certificates at once when told to', async () => {
    const pair = selfSigned();
    const certificates = [{ cert: { value: pair.cert }, key: { value: pair.key } }];
    const running = await start({ rtmps: HERE }, { tls: { certificates } });
    const clientCertificates = { ca: { value: pair.cert }, mode: 'required' };
    await running.reload(config({ rtmps: HERE }, { tls: { certificates, clientCertificates } }));
    const socket = connectTls({ ...at('rtmps'), rejectUnauthorized: false });
    await expect(once(socket, 'close')).rejects.toThrow('certificate required');
  });

  it('changes what pages are served and where clients are sent without closing a port', async () => {
    const running = await start({ http: HERE });
    const page = async () => (await fetch(`http://127.0.0.1:${at('http').port}/publish`)).status;
    const { port } = at('http');
    expect(await page()).toBe(404);
    await running.reload(config({ http: { ...HERE, pages: true, publicUrl: 'https://media.example.com' } }));
    expect([await page(), at('http').port]).toEqual([200, port]);
  });

  it('takes a deadline that is no whole number of milliseconds', async () => {
    const pair = selfSigned();
    const tls = { certificates: [{ cert: { value: pair.cert }, key: { value: pair.key } }] };
    const running = await start({ http: HERE });
    await running.reload(
      config({ http: HERE, https: HERE, rtmps: HERE }, { tls, limits: { handshakeTimeoutSeconds: 1.005 } }),
    );
    expect(await isOpen(at('https'))).toBe(true);
  });

  it('takes another operator token, also when the reload was asked for with the old one', async () => {
    const listen = (value: string, port = 0) => ({ rtmp: HERE, admin: { ...HERE, port, token: { value } } });
    const operator = {
      reload: async () => ({
        ok: true as const,
        notes: await running.reload(config(listen('another-token-of-the-tests', at('admin').port))),
      }),
    };
    gateway = await startGateway(config(listen(ADMIN_TOKEN)), { ...quietDeps(), operator });
    const running = gateway;
    expect(await admin(ADMIN_TOKEN, '/api/v1/reload', 'POST')).toBe(200);
    expect(await admin('another-token-of-the-tests', '/api/v1/health')).toBe(200);
    expect(await admin(ADMIN_TOKEN, '/api/v1/health')).toBe(401);
  });

  it('opens nothing when it is stopped in the middle of a reload, and nothing after that', async () => {
    const files = { key: 'x'.repeat(40) };
    let load: (exported: unknown) => void = () => undefined;
    const loading = new Promise((resolve) => {
      load = resolve;
    });
    let asked = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const importModule = (): Promise<unknown> => {
      asked();
      return loading;
    };
    const clock = countingClock();
    const log = { enabled: () => true, write: (_: unknown, event: string) => void lines.push(event) };
    gateway = await startGateway(config({ rtmp: HERE }), { ...quietDeps(), clock, log, importModule });
    const next = config(
      { rtmp: THERE, http: HERE },
      {
        hooks: [{ name: 'module', id: 'mine', file: 'my.mjs' }, 'verify-token'],
        auth: {
          keys: [
            { id: 'idp', jwksUrl: 'http://127.0.0.1:1/keys' },
            { id: 'main', secret: { value: files.key } },
          ],
        },
        origins: [
          {
            name: 'other',
            preset: 'mediamtx',
            rtmp: 'rtmp://127.0.0.1:1',
            http: 'http://127.0.0.1:1',
            media: 'direct',
          },
        ],
      },
    );
    const reloaded = gateway.reload(next);
    await isAsked;
    await gateway.stop();
    load({ createHook: () => ({ decide: () => ({ allow: true }) }) });
    await expect(reloaded).rejects.toThrow('the gateway stops');
    await expect(gateway.reload(next)).rejects.toThrow('the gateway stops');
    expect(gateway.addresses).toEqual({});
    expect(lines.filter((line) => line === 'listener.open').length).toBe(
      lines.filter((line) => line === 'listener.closed').length,
    );
    expect(clock.waiting()).toBe(0);
  });

  it('opens and closes listeners 200 times under traffic: nobody is dropped, no port stays open', async () => {
    const running = await start({ rtmp: HERE, http: HERE });
    const publisher = await livePublisher(at('rtmp').port, 'live', 'one');
    for (let round = 1; round <= 200; round += 1) {
      await running.reload(config(round % 2 === 1 ? { rtmp: THERE, rtsp: HERE } : { rtmp: HERE, http: HERE }));
      sendVideo(publisher, round);
    }
    await eventually(() => origin.calls[0]?.peer.media.length === 200);
    expect(publisher.closed).toBe(false);
    expect(lines.filter((line) => line.startsWith('listener.open')).length).toBe(402);
    await eventually(() => lines.filter((line) => line.startsWith('listener.closed')).length === 400);
  }, 30_000);
});
