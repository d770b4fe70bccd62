import { createServer, type IncomingMessage } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import type { LogFields } from '../src/model/telemetry.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { readProxyHeader, writeProxyHeader } from '../src/wire/proxy-protocol.js';
import { eventually } from './fakes/rtmp-live.js';
import { ANSWER, OFFER } from './transports/webrtc/bed.js';

const HEADER = writeProxyHeader({ address: '192.0.2.7', port: 1 }, { address: '198.51.100.1', port: 2 });
const lines: { event: string; fields: LogFields }[] = [];
const ends: (() => unknown)[] = [];
let gateway: Gateway | undefined;

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const end of ends.splice(0)) end();
  lines.length = 0;
});

function configOf(parts: Readonly<Record<string, unknown>>) {
  const config = {
    hooks: ['open'],
    origins: [{ name: 'o', preset: 'mediamtx', health: 'off', rtmp: 'rtmp://127.0.0.1:1', rtsp: 'rtsp://127.0.0.1:1' }],
    ...parts,
  };
  return configFrom(JSON.stringify(config));
}

async function start(parts: Readonly<Record<string, unknown>>, metrics = createMetrics()): Promise<Gateway> {
  const log = {
    write: (_: string, event: string, fields: LogFields) => void lines.push({ event, fields }),
    enabled: () => true,
  };
  gateway = await startGateway(configOf(parts), { log, metrics, clock: systemClock });
  return gateway;
}

function call(to: Gateway, listener: string, first: Buffer): Socket {
  const socket = connect(to.addresses[listener]?.port ?? 0, '127.0.0.1');
  ends.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(first);
  return socket;
}

const at = (more: Readonly<Record<string, unknown>> = {}) => ({ host: '127.0.0.1', port: 0, ...more });
const DESCRIBE = 'DESCRIBE rtsp://gw/live/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n';
const decidedFor = () => lines.filter(({ event }) => event === 'decision').map(({ fields }) => fields['address']);

describe('a gateway behind a balancer', () => {
  it('decides for the client that the header names, in RTSP', async () => {
    const to = await start({ listen: { trustedProxies: ['127.0.0.0/8'], rtsp: at({ proxyProtocol: 'required' }) } });
    call(to, 'rtsp', Buffer.concat([HEADER, Buffer.from(DESCRIBE)]));
    await eventually(() => decidedFor().length > 0);
    expect(decidedFor()[0]).toBe('192.0.2.7');
  });

  it('shakes hands behind a header, in RTMP', async () => {
    const to = await start({ listen: { trustedProxies: ['127.0.0.1'], rtmp: at({ proxyProtocol: 'optional' }) } });
    const socket = call(to, 'rtmp', Buffer.concat([HEADER, Buffer.from([3]), Buffer.alloc(1536)]));
    let received = 0;
    socket.on('data', (bytes: Buffer) => (received += bytes.length));
    await eventually(() => received === 3073);
  });

  it('cuts a peer that is not trusted, says so and counts it', async () => {
    const metrics = createMetrics();
    const listen = { trustedProxies: ['10.0.0.0/8'], rtmp: at({ proxyProtocol: 'required' }) };
    const socket = call(await start({ listen }, metrics), 'rtmp', HEADER);
    await new Promise((done) => void socket.resume().once('close', done));
    expect(lines).toContainEqual({
      event: 'connection.close',
      fields: {
        ...{ transport: 'RTMP', address: '127.0.0.1', code: 'proxy-untrusted' },
        detail: 'only trusted proxies may connect',
      },
    });
    expect(metrics.render()).toContain('connections_refused_total{transport="RTMP",reason="proxy-untrusted"} 1');
  });

  it('takes a header for nonsense where it looks for none', async () => {
    const socket = call(await start({ listen: { rtmp: at() } }), 'rtmp', HEADER);
    await new Promise((done) => void socket.resume().once('close', done));
  });

  it('believes other proxies as soon as a new config names them', async () => {
    const rtsp = at({ proxyProtocol: 'optional' });
    const to = await start({ listen: { trustedProxies: ['10.0.0.0/8'], rtsp } });
    expect(await to.reload(configOf({ listen: { trustedProxies: ['127.0.0.1'], rtsp } }))).toEqual([]);
    call(to, 'rtsp', Buffer.concat([HEADER, Buffer.from(DESCRIBE)]));
    await eventually(() => decidedFor().length > 0);
    expect(decidedFor()[0]).toBe('192.0.2.7');
  });

  it('counts the clients of a balancer one by one, and never the balancer', async () => {
    const listen = { trustedProxies: ['127.0.0.1'], rtsp: at({ proxyProtocol: 'optional' }) };
    const to = await start({ listen, limits: { perAddress: 1 } });
    call(to, 'rtsp', Buffer.concat([HEADER, Buffer.from(DESCRIBE)]));
    await eventually(() => decidedFor().length > 0);
    const second = call(to, 'rtsp', Buffer.concat([HEADER, Buffer.from(DESCRIBE)]));
    await new Promise((done) => void second.resume().once('close', done));
    for (const expected of [2, 3]) {
      call(to, 'rtsp', Buffer.from(DESCRIBE));
      await eventually(() => decidedFor().length >= expected);
    }
  });
});

describe('a gateway that tells origins of clients', () => {
  it('sends a header before all else, in RTSP', async () => {
    let heard = Buffer.alloc(0);
    const server = createTcpServer((socket) => {
      ends.push(() => socket.destroy());
      socket.on('error', () => undefined).on('data', (bytes: Buffer) => (heard = Buffer.concat([heard, bytes])));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ends.push(() => server.close());
    const rtsp = `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const to = await start({
      listen: { trustedProxies: ['127.0.0.1'], rtsp: at({ proxyProtocol: 'optional' }) },
      origins: [{ name: 'o', preset: 'mediamtx', rtsp, health: 'off', proxyProtocol: true }],
    });
    call(to, 'rtsp', Buffer.concat([HEADER, Buffer.from(DESCRIBE)]));
    await eventually(() => heard.length > 28);
    const read = readProxyHeader(heard);
    expect(read).toMatchObject({ version: 2, length: 28, source: { address: '192.0.2.7', port: 0 } });
    expect(heard.subarray(28).toString()).toMatch(/^(?:OPTIONS|DESCRIBE) rtsp:/);
  });
});

describe('a gateway behind a reverse proxy', () => {
  const heard: IncomingMessage['headers'][] = [];
  const behind = async (listen: Readonly<Record<string, unknown>>, origin: Readonly<Record<string, unknown>> = {}) => {
    heard.length = 0;
    const server = createServer((request, response) => {
      heard.push(request.headers);
      request.resume();
      response.writeHead(201, { location: '/live/cam/whip/1', 'content-type': 'application/sdp' }).end(ANSWER.WHIP);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ends.push(() => server.close());
    const http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return start({
      listen,
      origins: [{ name: 'o', preset: 'mediamtx', http, media: 'direct', health: 'off', ...origin }],
    });
  };
  const post = (to: Gateway, headers: Readonly<Record<string, string>>) =>
    fetch(`http://127.0.0.1:${to.addresses['http']?.port ?? 0}/live/whip/cam`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/sdp', ...headers }, body: OFFER.WHIP },
    });
  const told = {
    'x-forwarded-for': '192.0.2.66, 192.0.2.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'm.example',
  };

  it('decides for the client that it forwards, and gives URLs of the host that it names', async () => {
    const to = await behind({ trustedProxies: ['127.0.0.1'], http: at({ forwarded: 'x-forwarded-for' }) });
    const answer = await post(to, told);
    expect(answer.headers.get('location')).toMatch(/^https:\/\/m\.example\/session\//);
    expect(decidedFor()).toEqual(['192.0.2.7']);
    expect(heard[0]).toMatchObject({ 'x-forwarded-for': '192.0.2.7' });
  });

  it.each([
    ['of a peer that is not trusted', { trustedProxies: ['10.0.0.0/8'], http: at({ forwarded: 'x-forwarded-for' }) }],
    ['where it reads the other one', { trustedProxies: ['127.0.0.1'], http: at({ forwarded: 'forwarded' }) }],
    ['where it reads none', { http: at() }],
  ])('does not look at the header %s', async (_, listen) => {
    const to = await behind(listen);
    const answer = await post(to, told);
    expect(answer.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/session\//);
    expect(decidedFor()).toEqual(['127.0.0.1']);
  });

  it('tells an origin nothing that is not to be told', async () => {
    await post(await behind({ http: at() }, { forwardedFor: false }), {});
    expect(heard.length).toBe(1);
    expect(heard[0]).not.toHaveProperty('x-forwarded-for');
  });
});
