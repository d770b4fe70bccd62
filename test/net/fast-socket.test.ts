import { describe, expect, it } from '@jest/globals';
import { createServer, connect, Socket, type AddressInfo } from 'node:net';
import { readShared, reopen, writeNow } from '../../src/net/fast-socket.js';
import { SocketStream } from '../../src/net/socket-stream.js';
import { fakeClock } from '../fakes/clock.js';

const unheard = readShared(() => undefined);

/** A socket as a listener gets it, and its client. */
async function accepted(): Promise<{ socket: Socket; client: Socket; close: () => void }> {
  let arrived: (socket: Socket) => void = () => undefined;
  const arrival = new Promise<Socket>((done) => (arrived = done));
  const server = createServer({ pauseOnConnect: true }, (socket) => arrived(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  const socket = await arrival;
  const close = (): void => {
    client.destroy();
    server.close();
  };
  return { socket, client, close };
}

describe('the fast socket', () => {
  it('is what this Node has the means for', async () => {
    const { socket, client, close } = await accepted();
    const reopened = reopen(socket, unheard);
    expect(reopened).toBeDefined();
    if (reopened === undefined) return;
    expect(writeNow(reopened, Buffer.from('straight'))).toBe(8);
    const bytes = await new Promise<Buffer>((done) => client.once('data', done));
    expect(bytes.toString()).toBe('straight');
    reopened.destroy();
    close();
  });

  it('is not made of a socket whose handle is not where it used to be', () => {
    expect(reopen(new Socket(), unheard)).toBeUndefined();
    const moved = new Socket();
    Reflect.deleteProperty(moved, '_handle');
    expect(reopen(moved, unheard)).toBeUndefined();
  });

  it('takes nothing when it has no descriptor, so that the bytes are queued', () => {
    expect(writeNow(new Socket(), Buffer.from('x'))).toBe(0);
  });

  it('throws the error of a broken connection', async () => {
    const { socket, client, close } = await accepted();
    const reopened = reopen(socket, unheard);
    client.resetAndDestroy();
    const write = (): number => (reopened === undefined ? 0 : writeNow(reopened, Buffer.from('x')));
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    expect(write).toThrow(/ECONNRESET|EPIPE/);
    reopened?.destroy();
    close();
  });
});

describe('a stream without the means for speed', () => {
  it('does the same with events and copies', async () => {
    const { socket, client, close } = await accepted();
    const stream = new SocketStream(() => ({ socket, isFast: false }), { secure: false, clock: fakeClock() });
    const chunks: string[] = [];
    const closed = new Promise<Error | undefined>((done) => {
      stream.pause();
      stream.handle({ onBytes: (bytes) => chunks.push(bytes.toString()), onClose: done });
    });
    client.write('a');
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => setImmediate(done));
    expect(chunks).toEqual([]);
    stream.resume();
    const bytes = Buffer.from('reply');
    expect(stream.write(bytes)).toBe(true);
    bytes.fill(0);
    const reply = await new Promise<Buffer>((done) => client.once('data', done));
    expect(reply.toString()).toBe('reply');
    client.end();
    expect(await closed).toBeUndefined();
    expect(chunks).toEqual(['a']);
    close();
  });
});
