import { createServer } from 'node:http';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Config } from '../src/config/config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { selfSigned } from './config/loading.js';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { eventually, liveClient, liveOrigin, livePublisher, type LiveOrigin } from './fakes/rtmp-live.js';
import { ANSWER, OFFER } from './transports/webrtc/bed.js';

const HERE = { host: '127.0.0.1', port: 0 };
const THERE = { host: '127.0.0.2', port: 0 };
const START = 'NetStream.Publish.Start';

let rtmp: LiveOrigin;
let gateway: Gateway | undefined;
let asked: string[];
/** The origin's answer to a POST waits for this. */
let mayAnswer: Promise<void>;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  rtmp = await liveOrigin();
  asked = [];
  mayAnswer = Promise.resolve();
});
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await gateway?.stop();
  gateway = undefined;
  await rtmp.close();
});

async function httpOrigin(): Promise<number> {
  const server = createServer((request, response) => {
    asked.push(request.method ?? '');
    request.resume();
    if (request.method !== 'POST') response.writeHead(200).end();
    else {
      const headers = { location: '/there/1', 'content-type': 'application/sdp' };
      void mayAnswer.then(() => response.writeHead(201, headers).end(ANSWER.WHIP));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

type Section = Readonly<Record<string, unknown>>;

async function bed() {
  const http = await httpOrigin();
  const origin = { name: 'origin', preset: 'mediamtx', health: 'off', rtmp: `rtmp://127.0.0.1:${rtmp.port}` };
  const origins = [{ ...origin, http: `http://127.0.0.1:${http}` }];
  const config = (listen: Section, more: Section = {}) => configFrom({ hooks: ['open'], origins, listen, ...more });
  const start = async (listen: Section, more: Section = {}): Promise<Gateway> => {
    gateway = await startGateway(config(listen, more), quietDeps());
    return gateway;
  };
  return { config, start };
}

const at = (name: string) => gateway?.addresses[name] ?? { host: '', port: 0 };

function held<S extends Socket>(socket: S): S {
  socket.on('error', () => undefined);
  closers.push(() => socket.destroy());
  return socket;
}

describe('a listener that goes while a client', () => {
  it('is in the middle of RTMP: it is served to the end', async () => {
    const { config, start } = await bed();
    const running = await start({ rtmp: HERE });
    const { port } = at('rtmp');
    const [shaken, connected] = [await liveClient(port), await liveClient(port)];
    connected.connect('live');
    await eventually(() => connected.codes.length > 0);
    await running.reload(config({ rtmp: THERE }));
    shaken.connect('live');
    await eventually(() => shaken.codes.length > 0);
    for (const [index, peer] of [shaken, connected].entries()) {
      peer.command('createStream', 2, null);
      await eventually(() => peer.commands.some(({ transactionId }) => transactionId === 2));
      peer.commandOn(1, 'publish', 3, null, `cam${index}`, 'live');
      await eventually(() => peer.codes.includes(START));
    }
  });

  it('is in the middle of a TLS handshake: it is served to the end', async () => {
    const { config, start } = await bed();
    const pair = selfSigned();
    const tls = { certificates: [{ cert: { value: pair.cert }, key: { value: pair.key } }] };
    const running = await start({ rtmp: HERE, rtmps: HERE }, { tls });
    const raw = held(connect(at('rtmps')));
    await once(raw, 'connect');
    await running.reload(config({ rtmp: HERE }));
    const secured = held(connectTls({ socket: raw, rejectUnauthorized: false }));
    await once(secured, 'secureConnect');
    expect(secured.getPeerX509Certificate()?.toString().trim()).toBe(pair.cert.trim());
    const shaken = once(secured, 'data');
    secured.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
    expect(((await shaken)[0] as Buffer)[0]).toBe(3);
  });

  it('waits for the answer to its POST, and the port for media goes too: it gets its session, and ends it elsewhere', async () => {
    const { config, start } = await bed();
    const running = await start({ http: HERE, media: HERE });
    let answer = (): void => undefined;
    mayAnswer = new Promise((resolve) => {
      answer = resolve;
    });
    const old = at('media').port;
    const posting = fetch(`http://127.0.0.1:${at('http').port}/live/cam/whip`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: OFFER.WHIP,
    });
    await eventually(() => asked.includes('POST'));
    await running.reload(config({ http: THERE, media: THERE }));
    expect(at('http').host).toBe('127.0.0.2');
    answer();
    const response = await posting;
    expect([response.status, response.headers.get('connection')]).toEqual([201, 'close']);
    expect(await response.text()).toContain(` ${old} typ host`);
    const { pathname } = new URL(response.headers.get('location') ?? '');
    const { host, port } = at('http');
    expect((await fetch(`http://${host}:${port}${pathname}`, { method: 'DELETE' })).status).toBe(200);
    await eventually(() => asked.includes('DELETE'));
  });
});

describe('an admin listener that goes by a reload that was asked for through it', () => {
  it('answers first, and sends those who listen to events away with 1001', async () => {
    const { config } = await bed();
    const operator = {
      reload: async () => ({ ok: true as const, notes: (await gateway?.reload(config({ rtmp: HERE }))) ?? [] }),
    };
    gateway = await startGateway(config({ rtmp: HERE, admin: HERE }), { ...quietDeps(), operator });
    const place = `127.0.0.1:${at('admin').port}`;
    const events = new WebSocket(`ws://${place}/api/v1/events`);
    await once(events, 'open');
    const away = once(events, 'close');
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://${place}/api/v1/reload`, { method: 'POST', headers, body: '{}' });
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    expect((await away)[0]).toBe(1001);
    expect(Object.keys(gateway.addresses)).toEqual(['rtmp']);
    await expect(fetch(`http://${place}/livez`)).rejects.toThrow('fetch failed');
  });
});

describe('a port that stays while its address changes', () => {
  it.each([
    ['an address and all of IPv4', '127.0.0.1', '0.0.0.0'],
    ['all of IPv4 and all there are', '0.0.0.0', '::'],
  ])('goes between %s and back, with its streams', async (_, one, other) => {
    const { config, start } = await bed();
    const running = await start({ rtmp: { host: one, port: 0 } });
    const { port } = at('rtmp');
    const peer = await livePublisher(port, 'live', 'one');
    for (const host of [other, one, other]) {
      await running.reload(config({ rtmp: { host, port } }));
      expect(at('rtmp')).toEqual({ host, port });
    }
    expect((await livePublisher(port, 'live', 'two')).codes).toContain(START);
    expect(peer.closed).toBe(false);
  });
});

describe('a reload that fails', () => {
  const keys = [{ id: 'main', secret: { value: 'x'.repeat(40) } }];
  const fetched = { id: 'idp', jwksUrl: 'http://127.0.0.1:9/keys' };
  const moved = { rtmp: THERE, rtsp: HERE, http: HERE, media: THERE, admin: HERE };

  const listening = (next: Config, listen: Section): Config => ({
    ...next,
    listen: { ...next.listen, ...(listen as Config['listen']) },
  });
  const withAlgorithm = ({ auth, ...next }: Config): Config => ({
    ...next,
    auth: { ...auth, keys: auth.keys.map((key) => ({ ...key, algorithm: 'RS256' as const })) },
  });
  const noModule = { name: 'module', id: 'm', file: '/none.mjs' };
  const same = (next: Config): Config => next;

  it.each<[string, string, (config: Config) => Config, Section]>([
    ['a module that is not there', 'config-hooks', same, { hooks: ['verify-token', noModule] }],
    ['a bad file', 'config-revocations', same, { auth: { keys, revocations: { file: '/none' } } }],
    ['a key of another kind', 'config-keys', withAlgorithm, {}],
    ['TLS without a certificate', 'certificate-unusable', (next) => listening(next, { rtsps: next.listen.rtsp }), {}],
    [
      'a TCP port that a stranger has',
      'listen-failed',
      (next) => listening(next, { admin: next.listen.admin && { ...next.listen.admin, port: strangers.tcp } }),
      {},
    ],
    [
      'a UDP port that a stranger has',
      'listen-failed',
      (next) => listening(next, { media: next.listen.media && { ...next.listen.media, port: strangers.udp } }),
      {},
    ],
  ])('for %s leaves all as it was, and nothing open or waiting', async (_, code, spoil, more) => {
    const { config, start } = await bed();
    await openStrangers();
    const running = await start({ rtmp: HERE, http: HERE, media: HERE }, { hooks: ['verify-token'], auth: { keys } });
    const before = running.addresses;
    const next = spoil(
      config(moved, {
        hooks: ['verify-token'],
        log: { traces: { endpoint: 'http://127.0.0.1:9' } },
        auth: { keys: [...keys, fetched] },
        ...more,
      }),
    );
    const fail = () => expect(running.reload(next)).rejects.toMatchObject({ code });
    await fail();
    const open = await resources();
    for (let round = 0; round < 20; round += 1) await fail();
    expect(running.addresses).toEqual(before);
    await eventually(() => counted() <= open);
  });

  const strangers = { tcp: 0, udp: 0 };
  async function openStrangers(): Promise<void> {
    const tcp = createTcpServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp4').bind(0, '127.0.0.2');
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    closers.push(
      () => tcp.close(),
      () => udp.close(),
    );
    [strangers.tcp, strangers.udp] = [(tcp.address() as AddressInfo).port, udp.address().port];
  }
  const counted = (): number => process.getActiveResourcesInfo().length;
  /** What is held when all that ends by itself has ended. */
  async function resources(): Promise<number> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
    return counted();
  }
});

describe('a reload that was asked for while', () => {
  it('a client is between connect and publish: the new law judges what it publishes', async () => {
    const { config, start } = await bed();
    const running = await start({ rtmp: HERE });
    const peer = await liveClient(at('rtmp').port);
    peer.connect('live');
    await eventually(() => peer.codes.length > 0);
    const auth = { keys: [{ id: 'main', secret: { value: 'x'.repeat(40) } }] };
    await running.reload(config({ rtmp: HERE }, { hooks: ['verify-token'], auth }));
    peer.command('createStream', 2, null);
    await eventually(() => peer.commands.some(({ transactionId }) => transactionId === 2));
    peer.commandOn(1, 'publish', 3, null, 'one', 'live');
    await eventually(() => peer.codes.length > 1);
    expect(peer.codes).toEqual(['NetConnection.Connect.Success', 'NetStream.Publish.BadName']);
    expect(rtmp.calls).toEqual([]);
  });

  it('fewer connections run than it allows: nobody is cut, and the next is refused', async () => {
    const { config, start } = await bed();
    const running = await start({ rtmp: HERE });
    const peers = [
      await livePublisher(at('rtmp').port, 'live', 'one'),
      await livePublisher(at('rtmp').port, 'live', 'two'),
    ];
    await running.reload(config({ rtmp: HERE }, { limits: { connections: 1 } }));
    const late = await liveClient(at('rtmp').port).catch(() => undefined);
    if (late !== undefined) await eventually(() => late.closed);
    expect(peers.map(({ closed }) => closed)).toEqual([false, false]);
  });

  it('it drains: what is new holds, and it stops all the same', async () => {
    const { config, start } = await bed();
    const running = await start({ rtmp: HERE });
    const peer = await livePublisher(at('rtmp').port, 'live', 'one');
    const drained = running.drain(60_000);
    await running.reload(config({ rtmp: THERE }));
    expect(at('rtmp').host).toBe('127.0.0.2');
    expect(peer.closed).toBe(false);
    peer.stream.destroy();
    await drained;
    expect(running.addresses).toEqual({});
  });
});
