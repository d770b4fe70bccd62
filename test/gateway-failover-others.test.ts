import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { eventually, liveClient, liveOrigin, livePublisher } from './fakes/rtmp-live.js';
import type { RtmpPeer } from './fakes/rtmp-peer.js';
import { ANSWER, OFFER } from './transports/webrtc/bed.js';

let gateway: Gateway | undefined;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const call of undo.splice(0)) await call();
});

const NAMES = Array.from({ length: 8 }, (_, index) => `cam${index}`);

async function start(kind: 'rtmp' | 'http', ports: readonly number[]): Promise<number> {
  const text = JSON.stringify({
    listen: { [kind]: { host: '127.0.0.1', port: 0 } },
    hooks: ['open'],
    origins: ports.map((port, index) => ({
      ...{ name: `o${index}`, preset: 'mediamtx', health: 'off', [kind]: `${kind}://127.0.0.1:${port}` },
      ...(kind === 'http' && { media: 'direct' }),
    })),
  });
  gateway = await startGateway(configFrom(text), quietDeps());
  return gateway.addresses[kind]?.port ?? 0;
}

/** A port that takes connections and never says a word. */
async function silent(): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens at any more. */
async function dead(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A port at which SYNs are dropped: the process behind it is stopped and its queue is full. */
async function blackHole(): Promise<number> {
  const listen = `require('node:net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})`;
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  const queued: Socket[] = [];
  undo.push(() => {
    for (const socket of queued) socket.destroy();
    child.kill('SIGKILL');
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  let connected = 0;
  for (let index = 0; index < 8; index += 1) {
    const socket = connect(port, '127.0.0.1', () => (connected += 1));
    queued.push(socket.on('error', () => undefined));
  }
  await eventually(() => connected > 0);
  // Whoever still finds room has been told by now: on loopback that takes no time.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (connected === queued.length) throw new Error('the queue takes everybody: this is no black hole');
  return port;
}

async function rtmpOrigin() {
  const origin = await liveOrigin();
  undo.push(() => origin.close());
  return origin;
}

/** An origin for WHIP whose media the gateway does not see. */
async function whipOrigin(): Promise<number> {
  const server: HttpServer = createHttp((request, response) => {
    request.resume();
    if (request.method !== 'POST') response.writeHead(200).end();
    else response.writeHead(201, { location: '/x/1', 'content-type': 'application/sdp' }).end(ANSWER.WHIP);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The longest that any of the streams took to be confirmed. */
async function publishAll(port: number): Promise<number> {
  const times: number[] = [];
  for (const name of NAMES) {
    const startedMs = performance.now();
    const peer = await livePublisher(port, 'live', name);
    expect(peer.codes).toContain('NetStream.Publish.Start');
    times.push(performance.now() - startedMs);
    peer.stream.destroy();
  }
  return Math.max(...times);
}

async function postAll(port: number): Promise<number> {
  const times: number[] = [];
  for (const name of NAMES) {
    const startedMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/live/whip/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: OFFER.WHIP,
    });
    expect(answer.status).toBe(201);
    times.push(performance.now() - startedMs);
  }
  return Math.max(...times);
}

describe('of two RTMP origins', () => {
  it('the dead one is passed over within a second', async () => {
    const { port } = await rtmpOrigin();
    expect(await publishAll(await start('rtmp', [await dead(), port]))).toBeLessThan(1000);
  });

  it('the one that takes connections and is silent is passed over within three seconds', async () => {
    const { port } = await rtmpOrigin();
    expect(await publishAll(await start('rtmp', [await silent(), port]))).toBeLessThan(3000);
  }, 30_000);

  it('the black-holed one is passed over within three seconds', async () => {
    const { port } = await rtmpOrigin();
    expect(await publishAll(await start('rtmp', [await blackHole(), port]))).toBeLessThan(3000);
  }, 30_000);

  it('both dead are an origin-unavailable, told at once', async () => {
    const port = await start('rtmp', [await dead(), await dead()]);
    const startedMs = performance.now();
    const peer = await livePublisher(port, 'live', 'cam');
    expect(peer.lastDescription).toContain('origin-unavailable');
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

/** A process that listens and sends each client what an RTMP origin says to a viewer, until it is killed. */
function rtmpProcess(port: number): ChildProcess {
  const forward = `const net=require('node:net');net.createServer((c)=>{const o=net.connect(${port},'127.0.0.1');c.on('error',()=>o.destroy()).pipe(o).on('error',()=>c.destroy()).pipe(c)}).listen(0,'127.0.0.1',function(){console.log(this.address().port)})`;
  const child = spawn(process.execPath, ['-e', forward], { stdio: ['ignore', 'pipe', 'inherit'] });
  undo.push(() => child.kill('SIGKILL'));
  return child;
}

describe('viewers of an RTMP origin whose process is killed', () => {
  it('are told within two seconds', async () => {
    const { port: hidden } = await rtmpOrigin();
    const child = rtmpProcess(hidden);
    const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer];
    const port = await start('rtmp', [Number(line.toString())]);
    const viewers: RtmpPeer[] = [];
    for (const name of NAMES) {
      const peer = await liveClient(port);
      peer.connect('live');
      await eventually(() => peer.codes.length > 0);
      peer.command('createStream', 2, null);
      await eventually(() => peer.commands.some(({ transactionId }) => transactionId === 2));
      peer.commandOn(1, 'play', 3, null, name, -2000);
      await eventually(() => peer.codes.includes('NetStream.Play.Start'));
      viewers.push(peer);
    }
    child.kill('SIGKILL');
    await eventually(() => viewers.every((peer) => peer.closed), 2000);
    for (const peer of viewers) expect(peer.codes).toContain('NetStream.Play.UnpublishNotify');
  }, 15_000);
});

describe('of two WHIP origins', () => {
  it('the dead one is passed over within a second', async () => {
    const port = await whipOrigin();
    expect(await postAll(await start('http', [await dead(), port]))).toBeLessThan(1000);
  });

  it('the one that takes connections and is silent is passed over within three seconds', async () => {
    const port = await whipOrigin();
    expect(await postAll(await start('http', [await silent(), port]))).toBeLessThan(3000);
  }, 30_000);

  it('the black-holed one is passed over within three seconds', async () => {
    const port = await whipOrigin();
    expect(await postAll(await start('http', [await blackHole(), port]))).toBeLessThan(3000);
  }, 30_000);
});
