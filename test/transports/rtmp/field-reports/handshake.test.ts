import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { DEFAULT_CHUNK_SIZE } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import { listenTls, type TlsListener } from '../../../../src/net/tls.js';
import { findClientDigest } from '../../../../src/transports/rtmp/wire/handshake-digest.js';
import type { ByteStream, ByteStreamHandler } from '../../../../src/model/byte-stream.js';
import { selfSigned } from '../../../config/loading.js';
import { listen } from '../../../fakes/byte-stream.js';
import { makeGate, quiet, type Gate } from '../../../fakes/gate.js';
import { RtmpPeer } from '../../../fakes/rtmp-peer.js';
import { textOf } from '../../../house/source.js';
import { askToPublish, lastOrigin, logLines, publishing, verdicts } from '../scenes.js';

/** A C1 of a Flash player with a valid digest; everything else of it is `fill`, the key block included. */
function digestedC1(layout: 772 | 8, fill = 0x51): Buffer {
  const c1 = Buffer.alloc(1536, fill);
  c1.fill(0, 0, 4);
  Buffer.from([9, 0, 124, 2]).copy(c1, 4);
  const at = layout + 4 + ((4 * fill) % 728);
  const mac = createHmac('sha256', 'Genuine Adobe Flash Player 001').update(c1.subarray(0, at));
  mac
    .update(c1.subarray(at + 32))
    .digest()
    .copy(c1, at);
  return c1;
}

/** Shakes hands with a C1 of the test's own; S1 and S2. */
async function shakeWith(c1: Buffer): Promise<{ s0: number; s1: Buffer; s2: Buffer; gate: Gate }> {
  const gate = makeGate();
  const { stream } = gate.raw();
  const answer = listen(stream);
  stream.write(Buffer.concat([Buffer.from([3]), c1]));
  await quiet();
  const bytes = answer.bytes();
  return { s0: bytes.readUInt8(0), s1: bytes.subarray(1, 1537), s2: bytes.subarray(1537), gate };
}

describe('the handshake', () => {
  it('RTMP-58 echoes a plain C1 exactly, in answer to any C1 without a version', async () => {
    const c1 = Buffer.from(Array.from({ length: 1536 }, (_, index) => (index * 7) & 0xff));
    c1.fill(0, 4, 8);
    const { s0, s1, s2 } = await shakeWith(c1);
    expect([s0, s1.readUInt32BE(4), s2.equals(c1)]).toEqual([3, 0, true]);
  });

  it('RTMP-59 answers a digest that does not fit as it answers a plain client', async () => {
    const odd = digestedC1(772);
    expect(findClientDigest(odd)).toBeDefined();
    // One bit of the key block: the digest is over it too.
    odd.writeUInt8(odd.readUInt8(100) ^ 1, 100);
    const { s1, s2 } = await shakeWith(odd);
    expect([s1.readUInt32BE(4), s2.equals(odd)]).toEqual([0, true]);
  });

  it.each([772, 8] as const)('RTMP-59 signs its answer whatever the key bytes are, layout %i', async (layout) => {
    for (const fill of [0, 0xff]) {
      const { s1, s2 } = await shakeWith(digestedC1(layout, fill));
      expect(s1.readUInt32BE(4)).not.toBe(0);
      expect(s2).toHaveLength(1536);
    }
  });

  it.each([
    ['RTMP-60 closes a POST', 'POST / HTTP/1.1\r\nHost: x\r\n\r\n', 'not-rtmp-http'],
    ['RTMP-60 closes a GET', 'GET / HTTP/1.1\r\n\r\n', 'not-rtmp-http'],
    [
      'RTMP-61 closes an RTMPT open',
      'POST /open/1 HTTP/1.1\r\nContent-Type: application/x-fcs\r\n\r\n\0',
      'not-rtmp-http',
    ],
    ['RTMP-61 closes an RTMPT probe', 'POST /fcs/ident2 HTTP/1.1\r\n\r\n\0', 'not-rtmp-http'],
  ])('%s quietly, counts it and writes no line above debug', async (_name, bytes, reason) => {
    const gate = makeGate();
    const { stream, gateSide } = gate.raw();
    listen(stream);
    stream.write(Buffer.from(bytes));
    await quiet();
    expect([gateSide.written.length, stream.closed, gate.open]).toEqual([0, true, 0]);
    expect(gate.counts.get(`connections_refused_total${JSON.stringify({ transport: 'RTMP', reason })}`)).toBe(1);
    expect(gate.lines.filter(({ level }) => level !== 'debug')).toEqual([]);
    expect(logLines(gate).join('')).not.toMatch(/stack|at .*\.ts/);
  });

  it('RTMP-62 says in its pages that RTMPT is not offered', () => {
    expect(textOf('docs/clients.md')).toContain('**RTMPT** (RTMP inside HTTP) is not offered');
  });

  it('RTMP-63 logs app, tcUrl host and key length of a client that splits its URL oddly, and takes ten in a row', async () => {
    const gate = makeGate();
    for (let round = 0; round < 10; round++) {
      const name = `room1/cam?token=${gate.token()}`;
      const { peer, stream } = await askToPublish(gate, 'live/', `/${name}`);
      expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
      const arrived = gate.lines.filter(({ fields }) => fields['note'] === 'arrived').at(-1);
      expect(arrived?.fields).toMatchObject({
        app: 'live/',
        tcUrlHost: 'gate.example',
        nameLength: name.length + 1,
        parameters: ['token'],
      });
      stream.destroy();
      await quiet();
    }
    expect(gate.open).toBe(0);
    // Two at once: one of them is refused in words, and the other goes on.
    const token = gate.token();
    const both = [gate.client(), gate.client()];
    await quiet();
    await Promise.all(both.map(({ peer }) => peer.publish('live', `room1/cam?token=${token}`)));
    await quiet();
    expect(verdicts(gate).slice(-2)).toEqual(['yes', 'stream-busy']);
  });
});

/** A TLS socket of a client as the byte stream that a peer wants. */
function streamOf(socket: TLSSocket): ByteStream {
  const stream: ByteStream = {
    remoteAddress: '127.0.0.1',
    secure: true,
    get bufferedBytes() {
      return socket.writableLength;
    },
    get closed() {
      return socket.destroyed;
    },
    handle(handler: ByteStreamHandler) {
      socket.on('data', (bytes: Buffer) => handler.onBytes(bytes));
      socket.on('close', () => handler.onClose());
    },
    write: (bytes) => socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
  return stream;
}

describe('RTMPS', () => {
  let certificate: ReturnType<typeof selfSigned>;
  const open: { listeners: TlsListener[]; sockets: TLSSocket[] } = { listeners: [], sockets: [] };

  beforeAll(() => {
    certificate = selfSigned();
  });
  afterEach(async () => {
    for (const socket of open.sockets.splice(0)) socket.destroy();
    await Promise.all(open.listeners.splice(0).map((each) => each.close()));
  });

  it.each<[string, ConnectionOptions]>([
    ['with neither SNI nor ALPN', {}],
    ['with SNI', { servername: 'media.example' }],
    ['with an unknown ALPN', { ALPNProtocols: ['rtmp'] }],
    ['with SNI and the ALPN of a proxy', { servername: 'localhost', ALPNProtocols: ['h2', 'http/1.1'] }],
    ['with TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('RTMP-64 takes a client %s', async (_how, options) => {
    const gate = makeGate();
    const listener = await listenTls({
      host: '127.0.0.1',
      port: 0,
      timeoutMs: 5000,
      certificates: [certificate],
      onStream: (stream) => gate.accept(stream),
    });
    open.listeners.push(listener);
    const socket = connectTls({ host: '127.0.0.1', port: listener.port, rejectUnauthorized: false, ...options });
    open.sockets.push(socket);
    await new Promise((done) => socket.once('secureConnect', done));
    const peer = new RtmpPeer(streamOf(socket), 'client');
    const until = async (claim: () => boolean): Promise<void> => {
      while (!claim() && !peer.closed) await new Promise((done) => setImmediate(done));
    };
    const heard = (count: number): Promise<void> => until(() => peer.commands.length >= count);
    await until(() => socket.bytesRead > 2 * 1536);
    peer.connect('live');
    await heard(1);
    peer.command('createStream', 2, null);
    await heard(2);
    peer.commandOn(1, 'publish', 3, null, `cam?token=${gate.token()}`, 'live');
    await heard(3);
    expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
    expect(gate.decisions().at(-1)).toMatchObject({ transport: 'RTMP', secure: true, outcome: 'yes' });
    expect(lastOrigin(gate).names()).toContain('publish');
    expect(peer.writeChunkSize).toBe(DEFAULT_CHUNK_SIZE);
  });

  it('RTMP-64 passes media of a secure client like any other', async () => {
    const gate = makeGate();
    const { origin } = await publishing(gate, 'cam', { secure: true });
    expect(origin.names()).toContain('publish');
    expect(gate.decisions().at(-1)).toMatchObject({ transport: 'RTMP', secure: true });
  });
});
