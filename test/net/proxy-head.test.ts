import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ByteStream } from '../../src/model/byte-stream.js';
import type { BadProxyHead, ProxyRules } from '../../src/net/proxy-head.js';
import { listenTcp, type Listener } from '../../src/net/tcp.js';
import { writeProxyHeader } from '../../src/wire/proxy-protocol.js';
import { fakeClock } from '../fakes/clock.js';

const clock = fakeClock();
const listeners: Listener[] = [];
const streams: ByteStream[] = [];
const sockets: Socket[] = [];
const refused: [BadProxyHead, string][] = [];

interface Arrived {
  readonly from: string;
  readonly text: string;
}

/** Opens a port that tells of each stream once two bytes of its protocol have come, and says them back. */
async function listening(rules: Partial<ProxyRules> = {}): Promise<{ port: number; arrived: Promise<Arrived> }> {
  let tell: (arrived: Arrived) => void;
  const arrived = new Promise<Arrived>((done) => (tell = done));
  const listener = await listenTcp({
    ...{ host: '127.0.0.1', port: 0, clock },
    proxies: {
      ...{ mode: 'required', isTrusted: (address) => address === '127.0.0.1', timeoutMs: 5000, maxWaiting: 10 },
      onBadHead: (reason, peer) => refused.push([reason, peer]),
      ...rules,
    },
    onStream: (stream) => {
      streams.push(stream);
      let text = '';
      stream.handle({
        onBytes: (bytes) => {
          text += bytes.toString('latin1');
          stream.write(bytes);
          if (text.length >= 2) tell({ from: stream.remoteAddress, text });
        },
        onClose: () => undefined,
      });
    },
  });
  listeners.push(listener);
  return { port: listener.port, arrived };
}

function call(port: number, first?: Buffer | string): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  sockets.push(socket);
  socket.on('error', () => undefined);
  if (first !== undefined) socket.write(first);
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((done) => void socket.resume().once('close', () => done()));
const said = (socket: Socket, size: number): Promise<string> =>
  new Promise((done) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (text.length >= size) done(text);
    });
  });

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(listeners.splice(0).map((each) => each.close()));
  refused.length = 0;
});

const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 58820 1935\r\n';
const V2 = writeProxyHeader({ address: '2001:db8::7', port: 1 }, { address: '2001:db8::1', port: 2 });

describe('a port behind a proxy', () => {
  it.each([
    ['version 1', Buffer.from(`${V1}hello`), '192.0.2.7'],
    ['version 2', Buffer.concat([V2, Buffer.from('hello')]), '2001:db8::7'],
    ['LOCAL', Buffer.concat([writeProxyHeader(), Buffer.from('hello')]), '127.0.0.1'],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\nhello'), '127.0.0.1'],
  ])('takes the client from a header and leaves the rest alone: %s', async (_, bytes, from) => {
    const { port, arrived } = await listening();
    const socket = call(port, bytes);
    expect(await arrived).toEqual({ from, text: 'hello' });
    // And whatever comes behind it.
    const echo = said(socket, 10);
    socket.write('world');
    expect(await echo).toBe('helloworld');
    expect(refused).toEqual([]);
  });

  it('reads a header that comes byte by byte', async () => {
    const { port, arrived } = await listening();
    const socket = call(port);
    for (const byte of Buffer.concat([V2, Buffer.from('hi')])) {
      await new Promise((done) => socket.write(Buffer.from([byte]), done));
      await new Promise(setImmediate);
    }
    expect((await arrived).from).toBe('2001:db8::7');
  });

  it('shows a client that speaks behind a header only when it speaks', async () => {
    const { port, arrived } = await listening();
    const socket = call(port, V1);
    const hello = said(socket, 2);
    socket.write('hi');
    expect(await arrived).toEqual({ from: '192.0.2.7', text: 'hi' });
    expect(await hello).toBe('hi');
  });

  it.each([
    ['without a header', 'required', true, 'hello', 'proxy-header-missing'],
    ['with half a header that is none', 'required', true, 'PROXY TCP9 ', 'more'],
    ['with a bad header', 'required', true, 'PROXY TCP9 \r\n', 'proxy-header-malformed'],
    ['with a bad header', 'optional', true, 'PROXY TCP9 \r\n', 'proxy-header-malformed'],
    ['whom nobody trusts', 'required', false, 'hello', 'proxy-untrusted'],
    ['whom nobody trusts, with a header', 'required', false, V1, 'proxy-untrusted'],
    ['whom nobody trusts, with a header', 'optional', false, V1, 'proxy-untrusted'],
    ['whom nobody trusts, with a bad header', 'optional', false, 'PROXY TCP9 \r\n', 'proxy-untrusted'],
  ] as const)('cuts a peer %s (%s)', async (_, mode, isTrusted, bytes, reason) => {
    const { port } = await listening({ mode, isTrusted: () => isTrusted });
    const socket = call(port, bytes);
    if (reason === 'more') {
      socket.end();
      await closed(socket);
      expect(refused).toEqual([]);
    } else {
      await closed(socket);
      expect(refused).toEqual([[reason, '127.0.0.1']]);
    }
    expect(streams).toEqual([]);
  });

  it.each([true, false])('lets a peer speak for itself where a header is optional (trusted: %s)', async (isTrusted) => {
    const { port, arrived } = await listening({ mode: 'optional', isTrusted: () => isTrusted });
    call(port, 'PLAY rtsp://');
    expect(await arrived).toEqual({ from: '127.0.0.1', text: 'PLAY rtsp://' });
  });

  it('cuts a peer that does not finish its header in time', async () => {
    const { port } = await listening();
    const socket = call(port, 'PROXY TCP4');
    await new Promise((done) => void socket.once('connect', done));
    while (clock.pending === 0) await new Promise(setImmediate);
    clock.advance(5000);
    await closed(socket);
    expect(refused).toEqual([['proxy-header-timeout', '127.0.0.1']]);
    expect(clock.pending).toBe(0);
  });

  it('leaves no deadline behind a header', async () => {
    const { port, arrived } = await listening();
    call(port, `${V1}hello`);
    await arrived;
    expect(clock.pending).toBe(0);
  });

  it('lets only so many wait', async () => {
    const { port } = await listening({ maxWaiting: 1 });
    call(port, 'PROXY ');
    while (clock.pending === 0) await new Promise(setImmediate);
    await closed(call(port, 'PROXY '));
    expect(refused).toEqual([['limit-connections', '127.0.0.1']]);
  });

  it('tells a stream of its end where the client left right behind the header', async () => {
    let tell: () => void;
    const told = new Promise<void>((done) => (tell = done));
    const listener = await listenTcp({
      ...{ host: '127.0.0.1', port: 0, clock },
      proxies: { mode: 'required', isTrusted: () => true, timeoutMs: 5000, maxWaiting: 10 },
      onStream: (stream) => stream.handle({ onBytes: () => undefined, onClose: () => tell() }),
    });
    listeners.push(listener);
    call(listener.port, V1).end();
    await told;
  });
});
