import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { eventually, liveOrigin, livePublisher } from './fakes/rtmp-live.js';
import { liveRtspOrigin } from './fakes/rtsp-live.js';

let gateway: Gateway | undefined;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const call of undo.splice(0)) await call();
});

/** An origin that a check may find, and that can go away. */
interface Checked {
  readonly port: number;
  readonly close: () => unknown;
}

async function httpOrigin(statusOf: () => number): Promise<Checked> {
  const server = createServer((request, response) => void response.writeHead(statusOf()).end(request.method));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

const KINDS: Readonly<Record<string, () => Promise<Checked>>> = {
  rtmp: () => liveOrigin(),
  rtsp: () => liveRtspOrigin(),
  http: () => httpOrigin(() => 405),
};

async function start(origins: readonly Readonly<Record<string, unknown>>[]): Promise<Gateway> {
  const healthCheck = { intervalSeconds: 0.05, timeoutSeconds: 0.5, failures: 2, successes: 2, ejectSeconds: 0.05 };
  const text = JSON.stringify({
    listen: { rtmp: { host: '127.0.0.1', port: 0 } },
    hooks: ['open'],
    origins: [
      ...origins.map((one, index) => ({ name: `o${index}`, preset: 'generic', healthCheck, ...one })),
      { name: 'last', preset: 'generic', health: 'off', apps: ['other'], rtmp: 'rtmp://127.0.0.1:1' },
    ],
  });
  gateway = await startGateway(configFrom(text), quietDeps());
  return gateway;
}

const stateOf = (name: string) => gateway?.origins.list().find((one) => one.name === name)?.state;

describe.each(Object.keys(KINDS))('an origin that is checked by %s', (kind) => {
  it('is up while it answers, and down when it does not', async () => {
    const origin = await KINDS[kind]?.();
    if (origin === undefined) throw new Error('no such kind');
    undo.push(origin.close);
    await start([{ [kind]: `${kind}://127.0.0.1:${origin.port}` }]);
    await eventually(() => stateOf('o0') === 'up');
    await origin.close();
    await eventually(() => stateOf('o0') === 'down');
  });
});

describe('an origin by HTTP', () => {
  it('is down when a proxy says that nobody is behind it, and up again when somebody is', async () => {
    let status = 502;
    const origin = await httpOrigin(() => status);
    undo.push(origin.close);
    await start([{ http: `http://127.0.0.1:${origin.port}` }]);
    await eventually(() => stateOf('o0') === 'down');
    status = 204;
    await eventually(() => stateOf('o0') === 'up');
  });
});

describe('streams', () => {
  it('go to an origin that is up while another one is down', async () => {
    const [one, two] = [await liveOrigin(), await liveOrigin()];
    undo.push(
      () => one.close(),
      () => two.close(),
    );
    const { port } = one;
    await start([{ rtmp: `rtmp://127.0.0.1:${port}` }, { rtmp: `rtmp://127.0.0.1:${two.port}` }]);
    await eventually(() => stateOf('o0') === 'up' && stateOf('o1') === 'up');
    await one.close();
    await eventually(() => stateOf('o0') === 'down');
    for (let index = 0; index < 8; index += 1) {
      const peer = await livePublisher(gateway?.addresses['rtmp']?.port ?? 0, 'live', `cam${index}`);
      expect(peer.codes).toContain('NetStream.Publish.Start');
    }
    const published = two.calls.filter((call) => call.names().includes('publish'));
    expect(published).toHaveLength(8);
  });
});
