import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/model/secret.js';
import { callHttp, type HttpCall } from '../../src/net/http-client.js';
import { selfSigned } from '../config/loading.js';
import { fakeClock } from '../fakes/clock.js';

const open: Server[] = [];
const sockets: Socket[] = [];
const clock = fakeClock();

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((server) => new Promise((done) => server.close(done))));
  expect(clock.pending).toBe(0);
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

/** An origin that answers every connection with these bytes, and remembers what it was sent. */
async function saying(bytes: string, heard: string[] = []): Promise<number> {
  return listen(
    createServer((socket) => {
      socket.on('data', (data) => heard.push(data.toString()));
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    }),
  );
}

const call = (port: number, more: Partial<HttpCall> = {}) =>
  callHttp({
    host: '127.0.0.1',
    port,
    secure: false,
    method: 'POST',
    target: new Secret('/live/whip/cam?token=T'),
    headers: [['Content-Type', 'application/sdp']],
    timeoutMs: 1000,
    signal: new AbortController().signal,
    clock,
    ...more,
  });

const answer = (head: string, body = '') => `HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('a call to an origin', () => {
  it('sends one request and gives the whole answer', async () => {
    const heard: string[] = [];
    const port = await saying(answer('201 Created\r\nlocation: /a\r\nLOCATION: /b', 'v=0'), heard);
    const headers = [['Authorization', new Secret('Bearer S')]] as const;
    const reply = await call(port, { headers, body: 'v=0 offer' });
    expect(reply).toMatchObject({ status: 201, body: 'v=0' });
    expect(reply.headers.get('location')).toBe('/a');
    expect(heard.join('')).toBe(
      `POST /live/whip/cam?token=T HTTP/1.1\r\nAuthorization: Bearer S\r\nContent-Length: 9\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\nv=0 offer`,
    );
  });

  it('follows no redirect', async () => {
    const port = await saying(answer('307 Temporary Redirect\r\nLocation: http://192.0.2.1/'));
    expect((await call(port)).status).toBe(307);
  });

  it('reads over interim answers', async () => {
    expect((await call(await saying(`HTTP/1.1 103 Early Hints\r\n\r\n${answer('200 OK', 'x')}`))).body).toBe('x');
  });

  it.each<[string, string]>([
    [
      'a length beside chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ],
    ['no HTTP', 'hello\r\n\r\n'],
    ['a large head', answer(`200 OK\r\nX-A: ${'a'.repeat(20_000)}`)],
    ['a large body', answer('200 OK', 'a'.repeat(70_000))],
    ['a large body without length', `HTTP/1.1 200 OK\r\n\r\n${'a'.repeat(70_000)}`],
    ['a body that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ])('takes no answer with %s', async (_, bytes) => {
    await expect(call(await saying(bytes))).rejects.toMatchObject({ name: 'GatewayError', code: 'origin-refused' });
  });

  it('waits no longer than it may', async () => {
    const calling = call(await listen(createServer()));
    await new Promise((done) => setTimeout(done, 5));
    clock.advance(1000);
    await expect(calling).rejects.toMatchObject({ code: 'origin-unavailable' });
  });

  it('can be given up, also before it begins', async () => {
    const abort = new AbortController();
    const port = await listen(createServer());
    const calling = call(port, { signal: abort.signal });
    abort.abort();
    await expect(calling).rejects.toMatchObject({ code: 'origin-unavailable' });
    await expect(call(port, { signal: abort.signal })).rejects.toMatchObject({ code: 'origin-unavailable' });
  });

  it('says that nobody listens, without the query', async () => {
    const port = await listen(createServer());
    await new Promise((done) => open.pop()?.close(done));
    const error: unknown = await call(port).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'origin-unavailable', side: 'origin' });
    expect(String(error)).toBe(`GatewayError: POST to 127.0.0.1:${port} failed: ECONNREFUSED`);
  });

  it('sends no target that is no path', async () => {
    const targets = ['live', '/a b', '/a\r\nX: y', '/a\u00e9', ''];
    for (const target of targets) {
      await expect(call(1, { target: new Secret(target) })).rejects.toMatchObject({ code: 'origin-refused' });
    }
  });

  it('checks the certificate of an origin', async () => {
    const pair = selfSigned();
    const port = await listen(createHttps(pair, (_, response) => response.end('ok')));
    await expect(call(port, { secure: true })).rejects.toMatchObject({ code: 'origin-unavailable' });
    const plain = await listen(createHttp((_, response) => response.end('ok')));
    await expect(call(plain, { secure: true })).rejects.toMatchObject({ code: 'origin-unavailable' });
    expect((await call(plain)).body).toBe('ok');
    expect((await call(port, { secure: true, host: 'localhost', ca: pair.cert })).body).toBe('ok');
  });
});
