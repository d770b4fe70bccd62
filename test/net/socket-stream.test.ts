import { afterEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { dialTcp } from '../../src/net/dial.js';
import { READ_BYTES } from '../../src/net/fast-socket.js';
import { listenTcp, type Listener } from '../../src/net/tcp.js';
import { fakeClock } from '../fakes/clock.js';

const clock = fakeClock();
const open: { listeners: Listener[]; sockets: Socket[]; streams: ByteStream[] } = {
  listeners: [],
  sockets: [],
  streams: [],
};
const faults: Error[] = [];

async function listener(onStream: (stream: ByteStream) => void): Promise<Listener> {
  const opened = await listenTcp({
    host: '127.0.0.1',
    port: 0,
    clock,
    onStream: (stream) => {
      open.streams.push(stream);
      onStream(stream);
    },
    onError: (error) => faults.push(error),
  });
  open.listeners.push(opened);
  return opened;
}

/** A stream of ours, and the plain socket at its other end. */
async function accepted(): Promise<{ stream: ByteStream; socket: Socket }> {
  let arrived: (stream: ByteStream) => void = () => undefined;
  const arrival = new Promise<ByteStream>((done) => (arrived = done));
  const { port } = await listener((stream) => arrived(stream));
  const socket = connect({ port, host: '127.0.0.1' });
  // Whether a test's own socket is reset is not the matter here.
  socket.on('error', () => undefined);
  open.sockets.push(socket);
  return { stream: await arrival, socket };
}

/** A stream that we dialled, and the accepted stream at its other end. */
async function dialled(): Promise<{ near: ByteStream; far: ByteStream }> {
  let arrived: (stream: ByteStream) => void = () => undefined;
  const arrival = new Promise<ByteStream>((done) => (arrived = done));
  const { port } = await listener((stream) => arrived(stream));
  const signal = new AbortController().signal;
  const near = await dialTcp({ host: '127.0.0.1', port, secure: false, timeoutMs: 1000, signal, clock });
  open.streams.push(near);
  return { near, far: await arrival };
}

interface Watched {
  readonly text: () => string;
  readonly closed: Promise<Error | undefined>;
  readonly closes: () => number;
}

function watch(stream: ByteStream, onBytes: (bytes: Buffer) => void = () => undefined): Watched {
  const chunks: Buffer[] = [];
  let closes = 0;
  const closed = new Promise<Error | undefined>((done) => {
    stream.handle({
      onBytes: (bytes) => {
        chunks.push(Buffer.from(bytes));
        onBytes(bytes);
      },
      onClose: (error) => {
        closes++;
        done(error);
      },
    });
  });
  return { text: () => Buffer.concat(chunks).toString(), closed, closes: () => closes };
}

const ended = (socket: Socket): Promise<void> => new Promise((done) => socket.once('end', () => done()));

async function until(claim: () => boolean): Promise<void> {
  while (!claim()) await new Promise((done) => setImmediate(done));
}

afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const stream of open.streams.splice(0)) stream.destroy();
  await Promise.all(open.listeners.splice(0).map((each) => each.close()));
  expect(faults.splice(0)).toEqual([]);
});

describe('a socket stream', () => {
  it('knows the address of its peer, also after the close', async () => {
    const { stream } = await accepted();
    expect(stream.remoteAddress).toBe('127.0.0.1');
    expect(stream.secure).toBe(false);
    stream.destroy();
    expect(stream.remoteAddress).toBe('127.0.0.1');
  });

  it('loses nothing that came before its first handler', async () => {
    const { stream, socket } = await accepted();
    socket.write('early');
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    const seen = watch(stream);
    await until(() => seen.text() === 'early');
  });

  it('lets its handler be exchanged at any time', async () => {
    const { stream, socket } = await accepted();
    const first = watch(stream);
    socket.write('one');
    await until(() => first.text() === 'one');
    const second = watch(stream);
    socket.write('two');
    await until(() => second.text() === 'two');
    expect(first.text()).toBe('one');
  });

  it('copies what it is given, so that the caller may reuse the bytes', async () => {
    const { near, far } = await dialled();
    const seen = watch(far);
    watch(near);
    const bytes = Buffer.from('first');
    near.write(bytes);
    bytes.write('other');
    near.write(bytes);
    await until(() => seen.text() === 'firstother');
  });

  it('shows no bytes while it is paused', async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream);
    stream.pause();
    socket.write('later');
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    expect(seen.text()).toBe('');
    stream.resume();
    await until(() => seen.text() === 'later');
  });

  it('stays paused when it was paused before its first handler', async () => {
    const { stream, socket } = await accepted();
    stream.pause();
    const seen = watch(stream);
    socket.write('later');
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    expect(seen.text()).toBe('');
    stream.resume();
    await until(() => seen.text() === 'later');
  });

  it('says false when the kernel is full, and drains once it has taken all', async () => {
    const { near, far } = await dialled();
    far.pause();
    watch(far);
    let drains = 0;
    near.handle({ onBytes: () => undefined, onDrain: () => drains++, onClose: () => undefined });
    const piece = Buffer.alloc(READ_BYTES, 1);
    while (near.write(piece));
    expect(near.bufferedBytes).toBeGreaterThan(0);
    expect(drains).toBe(0);
    far.resume();
    await until(() => drains === 1);
    expect(near.bufferedBytes).toBe(0);
    expect(near.write(piece)).toBe(true);
  });

  it('shows that a slow peer takes something, long before it has taken all', async () => {
    const { near, far } = await dialled();
    far.pause();
    let drains = 0;
    near.handle({ onBytes: () => undefined, onDrain: () => drains++, onClose: () => undefined });
    for (let sent = 0; sent < 40_000_000; sent += 20_000) near.write(Buffer.alloc(20_000));
    const levels = new Set([near.bufferedBytes]);
    let received = 0;
    far.handle({
      onBytes: (bytes) => {
        received += bytes.length;
        levels.add(near.bufferedBytes);
      },
      onClose: () => undefined,
    });
    far.resume();
    await until(() => drains === 1);
    expect(received).toBeGreaterThan(0);
    expect(levels.size).toBeGreaterThan(5);
  });

  it('sends what is buffered before its FIN', async () => {
    const { near, far } = await dialled();
    far.pause();
    let received = 0;
    const seen = new Promise<void>((done) =>
      far.handle({ onBytes: (bytes) => (received += bytes.length), onClose: () => done() }),
    );
    const own = watch(near);
    let sent = 0;
    do sent += READ_BYTES;
    while (near.write(Buffer.alloc(READ_BYTES)));
    near.end(1000);
    far.resume();
    await seen;
    expect(received).toBe(sent);
    expect(await own.closed).toBeUndefined();
  });

  it('lets its last words arrive although the peer has sent bytes that nobody read', async () => {
    const { stream, socket } = await accepted();
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
    socket.write(Buffer.alloc(300_000));
    const done = ended(socket);
    stream.write(Buffer.from('refused'));
    stream.end(1000);
    await done;
    expect(text).toBe('refused');
  });

  it('shows no more bytes after its end', async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream);
    stream.end(1000);
    socket.write('too late');
    socket.end();
    await seen.closed;
    expect(seen.text()).toBe('');
  });

  it('destroys a peer that does not close within the grace', async () => {
    const { stream, socket } = await accepted();
    socket.removeAllListeners('end');
    socket.pause();
    const seen = watch(stream);
    // Half open on purpose: the peer's FIN never comes.
    (socket as { allowHalfOpen: boolean }).allowHalfOpen = true;
    stream.end(700);
    clock.advance(699);
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    expect(seen.closes()).toBe(0);
    clock.advance(1);
    expect(await seen.closed).toBeUndefined();
  });

  it("takes the peer's FIN for a close and ends its own side after flushing", async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream, () => stream.write(Buffer.from('pong')));
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
    const done = ended(socket);
    socket.end('ping');
    expect(await seen.closed).toBeUndefined();
    expect(stream.closed).toBe(true);
    await done;
    expect(text).toBe('pong');
  });

  it("reports a reset as the system's error, once, and throws nothing", async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream);
    socket.resetAndDestroy();
    const error = await seen.closed;
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNRESET');
    for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
    expect(seen.closes()).toBe(1);
  });

  it('reports a write to a reset connection through the close', async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream);
    stream.pause();
    socket.resetAndDestroy();
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    stream.write(Buffer.from('into the void'));
    stream.write(Buffer.from('again'));
    stream.resume();
    expect(['ECONNRESET', 'EPIPE']).toContain(((await seen.closed) as NodeJS.ErrnoException).code);
  });

  it('loses its connection when its handler throws, and the handler hears why', async () => {
    const { stream, socket } = await accepted();
    const seen = watch(stream, () => {
      throw new Error('a bug');
    });
    socket.write('x');
    expect((await seen.closed)?.message).toBe('a bug');
    expect(stream.closed).toBe(true);
  });

  it('reports what a handler throws from its close', async () => {
    const { stream } = await accepted();
    stream.handle({
      onBytes: () => undefined,
      onClose: () => {
        throw new Error('no one left to tell');
      },
    });
    stream.destroy();
    await until(() => faults.length === 1);
    expect(faults.splice(0)[0]?.message).toBe('no one left to tell');
  });

  it('tells a handler that comes after the close', async () => {
    const { near, far } = await dialled();
    near.destroy();
    await new Promise((done) => setImmediate(done));
    expect(await watch(near).closed).toBeUndefined();
    watch(far);
  });

  it('is harmless after its close', async () => {
    const { stream } = await accepted();
    const seen = watch(stream);
    stream.destroy();
    expect(stream.closed).toBe(true);
    expect(stream.write(Buffer.from('x'))).toBe(true);
    stream.pause();
    stream.resume();
    stream.end(10);
    stream.destroy();
    expect(await seen.closed).toBeUndefined();
    stream.resume();
    stream.write(Buffer.from('x'));
    stream.end(10);
    expect(seen.closes()).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe('streams that share one read buffer', () => {
  /** Sends `bytes` through a plain socket, in pieces that do not fit the reads. */
  const pump = (socket: Socket, bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += 50_021) socket.write(bytes.subarray(at, at + 50_021));
  };
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  it('bring every byte intact to a slow reader while other sockets read', async () => {
    const relays = 6;
    const bytes = 3_000_000;
    const sinks: { chunks: Buffer[]; total: number }[] = [];
    const back = await listener((stream) => {
      const sink: { chunks: Buffer[]; total: number } = { chunks: [], total: 0 };
      const isSlow = sinks.push(sink) % 2 === 1;
      let reads = 0;
      stream.handle({
        onBytes: (piece) => {
          sink.chunks.push(Buffer.from(piece));
          sink.total += piece.length;
          if (!isSlow || ++reads % 4 !== 0) return;
          stream.pause();
          setImmediate(() => setImmediate(() => setImmediate(() => stream.resume())));
        },
        onClose: () => undefined,
      });
    });
    // No pausing of the source: the queue of the slow ones has to grow and must own its bytes.
    const front = await listener((near) => {
      const signal = new AbortController().signal;
      near.pause();
      void dialTcp({ host: '127.0.0.1', port: back.port, secure: false, timeoutMs: 1000, signal, clock }).then(
        (far) => {
          open.streams.push(far);
          far.handle({ onBytes: (piece) => void near.write(piece), onClose: () => near.destroy() });
          near.handle({ onBytes: (piece) => void far.write(piece), onClose: () => far.end(1000) });
          near.resume();
        },
      );
    });
    const sent = Array.from({ length: relays }, () => randomBytes(bytes));
    const noise = await accepted();
    noise.stream.handle({ onBytes: () => undefined, onClose: () => undefined });
    for (const each of sent) {
      const socket = connect({ port: front.port, host: '127.0.0.1' });
      open.sockets.push(socket);
      pump(socket, each);
      pump(noise.socket, Buffer.alloc(500_000, 0xee));
    }
    await until(() => sinks.length === relays && sinks.every((sink) => sink.total === bytes));
    expect(sinks.map((sink) => digest(Buffer.concat(sink.chunks))).sort()).toEqual(sent.map(digest).sort());
  }, 20_000);

  it('keep the order when a write meets a queue', async () => {
    const { near, far } = await dialled();
    far.pause();
    const chunks: Buffer[] = [];
    far.handle({ onBytes: (piece) => chunks.push(Buffer.from(piece)), onClose: () => undefined });
    watch(near);
    const expected: Buffer[] = [];
    const scratch = Buffer.alloc(40_000);
    for (let round = 0; round < 400; round++) {
      scratch.fill(round & 0xff);
      const piece = scratch.subarray(0, 1 + ((round * 7919) % scratch.length));
      expected.push(Buffer.from(piece));
      near.write(piece);
      if (round === 200) far.resume();
      if (round % 10 === 0) await new Promise((done) => setImmediate(done));
    }
    const whole = Buffer.concat(expected);
    await until(() => chunks.reduce((sum, piece) => sum + piece.length, 0) === whole.length);
    expect(digest(Buffer.concat(chunks))).toBe(digest(whole));
  });
});
