import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { fakeClock, type FakeClock } from './fakes/clock.js';

const LOOK_MS = 5_000;
const LISTENERS = ['rtmps', 'rtsps', 'https'] as const;
const SECRET = 'a secret of the tests, long enough for HS256';

let folder: string;
let clock: FakeClock;
let gateway: Gateway | undefined;
const sockets: TLSSocket[] = [];
const metrics = createMetrics();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
  clock = fakeClock();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  const stopped = gateway?.stop();
  await new Promise((done) => setImmediate(done));
  clock.advance(5_000);
  await stopped;
  gateway = undefined;
  rmSync(folder, { recursive: true });
});

/** Makes a certificate for `NAME.example` and its key, in two files. */
function write(name: string): string {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=gateway', '-addext', `subjectAltName=DNS:${name}.example`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return readFileSync(cert, 'utf8');
}

function config(names: readonly string[]) {
  const at = { host: '127.0.0.1', port: 0 };
  const text = JSON.stringify({
    listen: { rtmps: at, rtsps: at, https: at, media: at },
    tls: {
      certificates: names.map((name) => ({
        cert: { file: join(folder, `${name}.pem`) },
        key: { file: join(folder, `${name}.key`) },
      })),
    },
    limits: { handshakeTimeoutSeconds: 600 },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [
      {
        ...{ name: 'origin', preset: 'mediamtx', health: 'off' },
        ...{ rtmp: 'rtmp://127.0.0.1:1', rtsp: 'rtsp://127.0.0.1:1', http: 'http://127.0.0.1:1' },
      },
    ],
  });
  return configFrom(text, (path) => readFileSync(path));
}

async function start(names: readonly string[]): Promise<Gateway> {
  const log = { write: () => undefined, enabled: () => false };
  const readFile = (path: string): Buffer => readFileSync(path);
  gateway = await startGateway(config(names), { log, metrics, clock, readFile });
  return gateway;
}

function dial(listener: string, servername?: string): Promise<TLSSocket> {
  const { host, port } = gateway?.addresses[listener] ?? { host: '', port: 0 };
  return new Promise((done, fail) => {
    const options = { host, port, rejectUnauthorized: false, ...(servername !== undefined && { servername }) };
    const socket = connect(options, () => done(socket));
    sockets.push(socket.on('error', fail));
  });
}

/** The certificate that a new client is shown. */
async function shown(listener: string, servername?: string): Promise<string> {
  const socket = await dial(listener, servername);
  const pem = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return pem;
}

describe('a gateway with certificates in files', () => {
  it('shows new clients new certificates at every listener, and drops nobody', async () => {
    const old = write('first');
    await start(['first']);
    const before = await Promise.all(LISTENERS.map((listener) => dial(listener)));
    expect(await Promise.all(LISTENERS.map((listener) => shown(listener)))).toEqual([old, old, old]);
    const next = write('first');
    clock.advance(LOOK_MS);
    clock.advance(LOOK_MS - 1);
    expect(await Promise.all(LISTENERS.map((listener) => shown(listener)))).toEqual([old, old, old]);
    clock.advance(1);
    for (const name of [undefined, 'first.example']) {
      expect(await Promise.all(LISTENERS.map((listener) => shown(listener, name)))).toEqual([next, next, next]);
    }
    expect(before.map(({ destroyed, readableEnded }) => destroyed || readableEnded)).toEqual([false, false, false]);
    expect(metrics.render()).toContain('portcullis_tls_reloads_total{outcome="applied"} 1\n');
  });

  it('answers on a connection of HTTPS that is older than the certificate', async () => {
    write('first');
    await start(['first']);
    const socket = await dial('https');
    const { port } = gateway?.addresses['https'] ?? { port: 0 };
    write('first');
    clock.advance(2 * LOOK_MS);
    const status = await new Promise((done, fail) => {
      const call = request({ port, path: '/live/whip/cam', method: 'OPTIONS', createConnection: () => socket });
      call.on('response', ({ statusCode }) => done(statusCode)).on('error', fail);
      call.end();
    });
    expect(status).toBe(204);
  });

  it('shows those of another config when it is put in force', async () => {
    write('first');
    const second = write('second');
    const running = await start(['first']);
    expect(await running.reload(config(['second']))).toEqual([]);
    expect(await Promise.all(LISTENERS.map((listener) => shown(listener)))).toEqual([second, second, second]);
  });

  it('tells certificates apart by the names in them when the config names none', async () => {
    const [first, second] = [write('first'), write('second')];
    await start(['first', 'second']);
    for (const listener of LISTENERS) {
      expect(await shown(listener, 'second.example')).toBe(second);
      expect(await shown(listener, 'third.example')).toBe(first);
    }
  });
});
