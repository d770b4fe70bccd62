import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkTraces } from '../../../src/cli/doctor/traces.js';
import { runDoctor, type Machine } from '../../../src/cli/doctor.js';
import { startGateway, type Gateway } from '../../../src/gateway.js';
import { loadConfig } from '../../../src/config/load.js';
import { systemClock } from '../../../src/net/clock.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { configFrom } from '../../fakes/gateway-config.js';
import { configText, fakeIo } from '../fake-io.js';

const CANARY = 'Yk3vQz8rT1nLx6wPb0sHd7mFj4cGa9eU';
const MACHINE: Machine = { nodeVersion: '24.17.0', ownAddresses: ['127.0.0.1', '192.0.2.7'] };
const LIMITS = 'Max open files            65536                65536                files\n';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const port = await listening(createServer());
  await open.pop()?.();
  return port;
}

async function doctor(parts: Readonly<Record<string, unknown>> | undefined, ...flags: readonly string[]) {
  const text = parts && configText({ auth: { keys: [{ id: 'main', secret: { value: CANARY } }] }, ...parts });
  const files = { '/proc/self/limits': LIMITS, ...(text !== undefined && { 'g.yaml': text }) };
  const io = { ...fakeIo({ files }), clock: systemClock };
  const code = await runDoctor([...(text === undefined ? [] : ['--config', 'g.yaml']), ...flags], io, MACHINE);
  expect(io.out() + io.err()).not.toContain(CANARY);
  return { code, out: io.out(), err: io.err() };
}

interface Shown {
  readonly check: string;
  readonly about: string;
  readonly verdict: string;
  readonly text: string;
  readonly advice?: string;
}

async function findings(parts: Readonly<Record<string, unknown>>, ...flags: readonly string[]) {
  const { code, out } = await doctor(parts, '--json', ...flags);
  const all = (JSON.parse(out) as { readonly findings: readonly Shown[] }).findings;
  return { code, all, of: (check: string) => all.filter((one) => one.check === check) };
}

const QUIET = { name: 'a', rtmp: 'rtmp://127.0.0.1:1' };

describe('the doctor', () => {
  it('looks at the machine alone when there is no config', async () => {
    const { code, out } = await doctor(undefined);
    expect(code).toBe(0);
    expect(out).toContain('ok    node        Node 24.17.0\n');
    expect(out).toContain('ok    descriptors 65536');
    expect(out).toMatch(/0 faults, 0 warnings\.\n$/);
  });

  it.each([
    [['--jsn'], 2],
    [['--config', 'missing.yaml'], 78],
  ])('ends as other commands do with %p', async (flags, code) => {
    const io = fakeIo();
    expect(await runDoctor(flags, io, MACHINE)).toBe(code);
    expect([io.out(), io.err()]).toEqual(['', expect.stringMatching(/./)]);
  });

  it('finds ports free and taken, and says who could have them', async () => {
    const taken = await listening(createServer());
    const free = await freePort();
    const { code, of } = await findings({
      listen: { rtmp: { host: '127.0.0.1', port: free }, rtsp: { host: '127.0.0.1', port: taken } },
      origins: [QUIET],
    });
    expect(code).toBe(1);
    expect(of('port')).toMatchObject([
      { about: 'listen.rtmp', verdict: 'fine' },
      { about: 'listen.rtsp', verdict: 'fault', advice: expect.stringContaining(`ss -ltnp 'sport = :${taken}'`) },
    ]);
  });

  it('finds an address that the machine has not', async () => {
    const { of } = await findings({ listen: { rtmp: { host: '192.0.2.250', port: 21_935 } }, origins: [QUIET] });
    expect(of('port')).toMatchObject([{ verdict: 'fault', text: expect.stringContaining('no such address') }]);
  });

  it('sends itself a datagram at the port of media, and tells which addresses clients cannot use', async () => {
    const media = {
      host: '127.0.0.1',
      port: await freePort(),
      publicAddresses: ['127.0.0.1', '192.0.2.7', '192.0.2.8'],
    };
    const listen = { http: { host: '127.0.0.1', port: await freePort() }, media };
    const { of } = await findings({ listen, origins: [{ name: 'a', http: 'http://127.0.0.1:1' }] });
    expect(of('udp').map(({ verdict }) => verdict)).toEqual(['fine', 'warning', 'fine', 'skipped']);
    expect(of('udp')[0]?.text).toContain('arrives');
  });

  it('finds the port of media taken', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    open.push(() => new Promise<void>((resolve) => socket.close(resolve)));
    const media = { host: '127.0.0.1', port: socket.address().port };
    const listen = { http: { host: '127.0.0.1', port: await freePort() }, media };
    const { of } = await findings({ listen, origins: [{ name: 'a', http: 'http://127.0.0.1:1' }] });
    expect(of('udp')[0]).toMatchObject({ verdict: 'fault', text: expect.stringContaining('is taken') });
  });

  it('asks an origin by each of its protocols, and reads the clock off its answer', async () => {
    const web = await listening(
      createHttpServer((_, response) => response.setHeader('date', 'Thu, 01 Jan 2026 00:00:00 GMT').end()),
    );
    const silentThenGone = await listening(
      createServer((socket) => socket.resume().end('no protocol of yours\r\n\r\n')),
    );
    const { code, of } = await findings({
      listen: { rtmp: { host: '127.0.0.1', port: await freePort() } },
      origins: [
        {
          name: 'o',
          preset: 'generic',
          rtmp: 'rtmp://127.0.0.1:1',
          rtsp: `rtsp://127.0.0.1:${silentThenGone}`,
          http: `http://127.0.0.1:${web}`,
        },
      ],
    });
    expect(code).toBe(1);
    expect(of('origin')).toMatchObject([
      { about: 'o by RTMP', verdict: 'fault', advice: expect.stringContaining('is it started?') },
      { about: 'o by RTSP', verdict: 'fault' },
      { about: 'o by HTTP', verdict: 'fine' },
    ]);
    expect(of('clock')[0]).toMatchObject({ verdict: 'fault', text: expect.stringContaining('ahead of origin o') });
  });

  it('asks servers of hooks and key sets, and tells one that answers with the wrong thing', async () => {
    const web = await listening(createHttpServer((_, response) => response.writeHead(404).end()));
    const { of } = await findings({
      listen: { rtmp: { host: '127.0.0.1', port: await freePort() } },
      auth: { keys: [{ id: 'k', jwksUrl: `http://127.0.0.1:${web}/keys`, algorithms: ['ES256'] }] },
      hooks: ['verify-token', { name: 'call-http', url: `http://127.0.0.1:${web}/ask` }],
      origins: [QUIET],
    });
    expect(of('server').map(({ about, verdict }) => [about, verdict])).toEqual([
      ['key set k', 'fault'],
      ['hook call-http', 'fine'],
    ]);
  });

  it('does not trust a certificate that nobody knows', async () => {
    const plain = await listening(createServer((socket) => socket.resume().end('plain')));
    const { of } = await findings({
      listen: { rtmp: { host: '127.0.0.1', port: await freePort() } },
      origins: [{ name: 'o', preset: 'generic', rtmp: `rtmps://127.0.0.1:${plain}` }],
    });
    expect(of('origin')).toMatchObject([{ about: 'o by RTMP in TLS', verdict: 'fault' }]);
  });

  it('asks a gateway that runs for its ports', async () => {
    const port = await freePort();
    const parts = { listen: { rtmp: { host: '127.0.0.1', port } }, origins: [{ ...QUIET, health: 'off' }] };
    const before = await findings(parts, '--running');
    expect(before.of('port')).toMatchObject([{ verdict: 'fault', text: expect.stringContaining('nobody answers') }]);
    const loaded = loadConfig({
      text: configText({ auth: { keys: [{ id: 'main', secret: { value: CANARY } }] }, ...parts }),
      env: {},
      readFile: () => Buffer.alloc(0),
    });
    if (!loaded.ok) throw new Error('the config of the test is bad');
    const log = { write: () => undefined, enabled: () => false };
    const gateway: Gateway = await startGateway(loaded.config, { log, metrics: createMetrics(), clock: systemClock });
    open.push(() => gateway.stop());
    const during = await findings(parts, '--running');
    expect(during.of('port')).toMatchObject([{ verdict: 'fine' }]);
  });

  it('looks for the packages of traces and asks their collector, where there are to be traces', async () => {
    const collector = createHttpServer((_, response) => response.writeHead(405).end());
    const port = await listening(collector);
    const { of } = await findings({ origins: [QUIET], log: { traces: { endpoint: `http://127.0.0.1:${port}` } } });
    expect(of('traces')).toMatchObject([{ verdict: 'fine' }]);
    expect(of('server')).toMatchObject([{ about: 'log.traces', verdict: 'fine' }]);
    expect((await findings({ origins: [QUIET] })).of('traces')).toEqual([]);
  });

  it('says what to install when the packages of traces are not there', async () => {
    const config = configFrom({
      ...{ listen: { rtmp: { port: 0 } }, hooks: ['open'], origins: [QUIET] },
      log: { traces: { endpoint: 'http://127.0.0.1:4318' } },
    });
    const [finding] = await checkTraces(config, () => Promise.reject(new Error('Cannot find package')));
    expect(finding).toMatchObject({
      verdict: 'fault',
      advice: expect.stringMatching(/^npm install @opentelemetry\/api@/),
    });
  });
});
