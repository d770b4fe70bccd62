import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpResponse } from '../../src/net/http-request.js';
import { listenHttpServer, type HttpListener, type HttpServerOptions } from '../../src/net/http-server.js';
import { loadWebSockets } from '../../src/net/web-socket.js';
import { selfSigned } from '../config/loading.js';

const peers: Socket[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy();
});

const OK: HttpResponse = { status: 200, headers: [], body: 'ok' };
const request = (...headers: readonly string[]): string =>
  ['GET / HTTP/1.1', 'Host: gw.example', ...headers, '', ''].join('\r\n');

function listen(options: Partial<HttpServerOptions> = {}): Promise<HttpListener> {
  return listenHttpServer({
    ...{ host: '127.0.0.1', port: 0, handle: () => Promise.resolve(OK), refuse: (status) => ({ status, headers: [] }) },
    // Longer than any test: nothing but the close ends a connection here.
    limits: { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000, idleTimeoutMs: 60_000 },
    ...options,
  });
}

function signal() {
  let give = (): void => undefined;
  const given = new Promise<void>((done) => {
    give = done;
  });
  return { given, give: () => give() };
}

/** A client that says this much, and never ends by itself. */
async function peerOf({ port }: HttpListener, bytes = ''): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  peers.push(socket);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

describe('an HTTP port that closes', () => {
  it('waits for no handshake of TLS that its client never ends', async () => {
    const arrived = signal();
    const left = signal();
    const admit = () => {
      arrived.give();
      return left.give;
    };
    const listener = await listen({ certificates: [selfSigned()], admit });
    await peerOf(listener);
    await arrived.given;
    await listener.close(20);
    await left.given;
  });

  it('waits for no WebSocket whose client does not answer the goodbye', async () => {
    const opened = signal();
    const ask = () => opened.give;
    const listener = await listen({ webSockets: { upgrade: await loadWebSockets(), ask } });
    const key = Buffer.alloc(16).toString('base64');
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    await peerOf(listener, request(...upgrade, `Sec-WebSocket-Key: ${key}`));
    await opened.given;
    await listener.close(20);
  });

  it('gives the answer that is waited for, and says that it is the last', async () => {
    const asked = signal();
    const may = signal();
    const handle = async (): Promise<HttpResponse> => {
      asked.give();
      await may.given;
      return OK;
    };
    const listener = await listen({ handle });
    const peer = await peerOf(listener, request());
    let text = '';
    peer.on('data', (bytes) => (text += String(bytes))).on('end', () => peer.end());
    const ended = once(peer, 'end');
    await asked.given;
    const closed = listener.close(60_000);
    may.give();
    await Promise.all([closed, ended]);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Connection: close\r\n/);
  });

  it('is hurried by a second close', async () => {
    const listener = await listen({ handle: () => new Promise(() => undefined) });
    await peerOf(listener, request());
    const closed = listener.close(60_000);
    await listener.close(20);
    await closed;
  });
});
