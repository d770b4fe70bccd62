import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { selfSigned } from './config/loading.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';

const SECRET = 'a secret of the tests, long enough for HS256';

function config(text: string) {
  return configFrom(text);
}

const PLAIN = `
listen: { rtmp: { host: 127.0.0.1, port: 0 }, admin: { port: 0 } }
auth: { keys: [{ id: main, secret: { value: "${SECRET}" } }] }
origins: [{ name: origin, preset: generic, rtmp: "rtmp://127.0.0.1:1" }]
`;

function deps() {
  const lines: { event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const log = {
    write: (_level: string, event: string, fields: Readonly<Record<string, unknown>>) =>
      void lines.push({ event, fields }),
    enabled: () => true,
  };
  return { lines, log, metrics: createMetrics(), clock: systemClock };
}

let gateway: Gateway | undefined;
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
});

async function admin(path: string): Promise<Response> {
  const address = gateway?.addresses['admin'];
  return fetch(`http://127.0.0.1:${address?.port ?? 0}${path}`);
}

/** The system's clock, with a count of timers that are still to come. */
function countingClock() {
  const pending = new Set<object>();
  return {
    pending,
    now: () => systemClock.now(),
    after(delayMs: number, call: () => void) {
      const timer = {};
      pending.add(timer);
      const cancel = systemClock.after(delayMs, () => {
        pending.delete(timer);
        call();
      });
      return () => {
        pending.delete(timer);
        cancel();
      };
    },
  };
}

describe('the gateway', () => {
  it('looks after nothing any more when it could not start, or has stopped', async () => {
    const clock = countingClock();
    const pair = selfSigned();
    const files: Readonly<Record<string, string>> = { '/revoked': '', '/cert': pair.cert, '/key': pair.key };
    const readFile = (path: string): Buffer => Buffer.from(files[path] ?? '');
    const text = JSON.stringify({
      listen: {
        rtmps: { host: '127.0.0.1', port: 0 },
        media: { host: '127.0.0.1', port: 0, publicAddresses: ['127.0.0.1'] },
        admin: { port: 1 },
      },
      tls: { certificates: [{ cert: { file: '/cert' }, key: { file: '/key' } }] },
      auth: { keys: [{ id: 'main', secret: { value: SECRET } }], revocations: { file: '/revoked' } },
      origins: [{ name: 'origin', preset: 'generic', rtmp: 'rtmp://127.0.0.1:1' }],
    });
    const load = (source: string) => {
      return configFrom(source, readFile);
    };
    // Somebody has the admin's port already: the last of all that are opened.
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const given = { ...deps(), clock, readFile };
    await expect(startGateway(load(text.replace('"port":1}', `"port":${port}}`)), given)).rejects.toMatchObject({
      code: 'listen-failed',
    });
    taken.close();
    expect(clock.pending.size).toBe(0);
    const running = await startGateway(load(text.replace('"port":1}', '"port":0}')), given);
    expect(clock.pending.size).toBeGreaterThan(0);
    await running.stop();
    expect(clock.pending.size).toBe(0);
  });

  it('opens the listeners the config names, and no others', async () => {
    gateway = await startGateway(config(PLAIN), deps());
    expect(Object.keys(gateway.addresses).sort()).toEqual(['admin', 'rtmp']);
    expect((await admin('/readyz')).status).toBe(200);
    expect(await (await admin('/metrics')).text()).toContain('portcullis_decisions_total');
  });

  it('answers RTMP and counts its clients', async () => {
    const given = deps();
    gateway = await startGateway(config(PLAIN), given);
    const socket = connect(gateway.addresses['rtmp']?.port ?? 0, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)]));
    let received = 0;
    for await (const piece of socket) {
      received += (piece as Buffer).length;
      if (received >= 3073) break;
    }
    expect(received).toBe(3073);
    expect(await (await admin('/metrics')).text()).toContain('portcullis_connections{transport="RTMP"}');
    socket.destroy();
  });

  it('frees its ports when it stops, and says so', async () => {
    const given = deps();
    gateway = await startGateway(config(PLAIN), given);
    const port = gateway.addresses['rtmp']?.port ?? 0;
    await gateway.drain(0);
    gateway = undefined;
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(
      given.lines.filter(({ event }) => event === 'listener.closed').map(({ fields }) => fields['listener']),
    ).toEqual(['rtmp', 'admin']);
  });

  it('opens nothing when one of its ports is taken', async () => {
    gateway = await startGateway(config(PLAIN), deps());
    const taken = gateway.addresses['admin']?.port ?? 0;
    const given = deps();
    await expect(
      startGateway(config(PLAIN.replace('admin: { port: 0 }', `admin: { port: ${taken} }`)), given),
    ).rejects.toMatchObject({
      code: 'listen-failed',
    });
    const opened = given.lines.find(({ fields }) => fields['listener'] === 'rtmp')?.fields['port'] as number;
    const socket = connect(opened, '127.0.0.1');
    await once(socket, 'error');
  });

  it('refuses keys that no token may be checked with', async () => {
    const bad = config(PLAIN);
    const weak = {
      ...bad,
      auth: { ...bad.auth, keys: bad.auth.keys.map((key) => ({ ...key, algorithm: 'HS512' as const })) },
    };
    await expect(startGateway(weak, deps())).rejects.toMatchObject({ code: 'config-keys' });
  });
});
