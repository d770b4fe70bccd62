import { afterEach, describe, expect, it } from '@jest/globals';
import { connect, type Server } from 'node:net';
import { createServer } from 'node:net';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { GatewayError } from '../../src/model/errors.js';
import { listenTcp, open as openServer, type Listener } from '../../src/net/tcp.js';

const listeners: Listener[] = [];
const streams: ByteStream[] = [];

async function listening(onError: (error: Error) => void = () => undefined): Promise<Listener> {
  const onStream = (stream: ByteStream): void => {
    streams.push(stream);
    stream.handle({ onBytes: (bytes) => void stream.write(bytes), onClose: () => undefined });
  };
  const listener = await listenTcp({ host: '127.0.0.1', port: 0, onStream, onError });
  listeners.push(listener);
  return listener;
}

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  await Promise.all(listeners.splice(0).map((each) => each.close()));
});

async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}

describe('listenTcp', () => {
  it('says which port it got', async () => {
    const listener = await listening();
    expect(listener.host).toBe('127.0.0.1');
    expect(listener.port).toBeGreaterThan(0);
  });

  it('says host, port, cause and what to do when the port is taken', async () => {
    const { port } = await listening();
    const error = await failure(listenTcp({ host: '127.0.0.1', port, onStream: () => undefined }));
    expect(error.code).toBe('listen-failed');
    expect(error.side).toBe('gateway');
    expect(error.message).toBe(
      `cannot listen on 127.0.0.1:${port}: EADDRINUSE: another process has this port; stop it or choose another port`,
    );
    expect((error.cause as NodeJS.ErrnoException).code).toBe('EADDRINUSE');
  });

  it('says so when the address is not of this machine', async () => {
    const error = await failure(listenTcp({ host: '192.0.2.1', port: 0, onStream: () => undefined }));
    expect(error.message).toContain('192.0.2.1:0: EADDRNOTAVAIL');
  });

  it('stops accepting at once and leaves open streams alone', async () => {
    const listener = await listening();
    const socket = connect({ port: listener.port, host: '127.0.0.1' });
    await new Promise((done) => socket.once('connect', done));
    socket.write('a');
    await new Promise((done) => socket.once('data', done));
    await listener.close();
    await listener.close();
    const late = connect({ port: listener.port, host: '127.0.0.1' });
    const code = await new Promise((done) => late.once('error', (error: NodeJS.ErrnoException) => done(error.code)));
    expect(code).toBe('ECONNREFUSED');
    socket.write('b');
    const echoed = await new Promise<Buffer>((done) => socket.once('data', done));
    expect(echoed.toString()).toBe('b');
    socket.destroy();
  });

  it('goes on when a client cannot be accepted for want of descriptors', async () => {
    const errors: Error[] = [];
    const server: Server = createServer();
    const options = { host: '127.0.0.1', port: 0, onStream: () => undefined };
    const listener = await openServer(server, { ...options, onError: (error) => errors.push(error) });
    listeners.push(listener);
    server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    expect(errors.map((error) => error.message)).toEqual(['accept EMFILE']);
    expect(server.listening).toBe(true);
  });

  it('drops the one client whose stream could not be taken, and says why', async () => {
    const errors: Error[] = [];
    const listener = await listenTcp({
      host: '127.0.0.1',
      port: 0,
      onStream: () => {
        throw new Error('no room');
      },
      onError: (error) => errors.push(error),
    });
    listeners.push(listener);
    for (let round = 0; round < 2; round++) {
      const socket = connect({ port: listener.port, host: '127.0.0.1' });
      await new Promise((done) => socket.on('error', () => undefined).once('close', done));
    }
    expect(errors.map((error) => error.message)).toEqual(['no room', 'no room']);
  });
});
