import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/model/secret.js';
import type { HttpRequest, HttpResponse } from '../../src/net/http-request.js';
import { listenHttpServer, type HttpServerOptions } from '../../src/net/http-server.js';
import type { Listener } from '../../src/net/tcp.js';
import { selfSigned } from '../config/loading.js';

const open: Listener[] = [];
const seen: HttpRequest[] = [];
const errors: Error[] = [];
let pair: { readonly cert: string; readonly key: string };

beforeAll(() => {
  pair = selfSigned();
});

async function listen(options: Partial<HttpServerOptions> = {}): Promise<number> {
  const listener = await listenHttpServer({
    host: '127.0.0.1',
    port: 0,
    handle: (request) => {
      seen.push(request);
      return Promise.resolve({ status: 200, headers: [['X-Mine', 'yes']], body: `${request.method} ${request.path}` });
    },
    refuse: (status) => ({ status, headers: [['X-Refused', 'yes']], body: `no ${status}` }),
    onError: (error) => errors.push(error),
    ...options,
  });
  open.push(listener);
  return listener.port;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
  seen.length = 0;
  errors.length = 0;
});

/** Sends bytes and gives all that comes until the gateway closes. */
function talk(port: number, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answers: string[] = [];
    socket.on('data', (bytes) => answers.push(bytes.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answers.join('')));
    for (const part of parts) socket.write(part);
  });
}

const text = (line: string, headers: readonly string[], body = '') =>
  [`${line} HTTP/1.1`, 'Host: gw.example', ...headers, '', body].join('\r\n');
const last = 'Connection: close';

describe('the HTTP port', () => {
  it('gives a whole request as one value', async () => {
    const answer = await talk(
      await listen(),
      text('POST /live/whip/cam?token=abc&x', ['Authorization: Bearer T', 'Content-Length: 3', 'X-A: 1', last], 'v=0'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Mine: yes\r\nContent-Length: 19\r\n/);
    expect(answer.endsWith('\r\n\r\nPOST /live/whip/cam')).toBe(true);
    const [request] = seen;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/live/whip/cam',
      remoteAddress: '127.0.0.1',
      secure: false,
    });
    expect(request?.query?.reveal()).toBe('token=abc&x');
    expect(request?.authorization.map((one) => one.reveal())).toEqual(['Bearer T']);
    expect(request?.headers.get('x-a')).toBe('1');
    expect(request?.headers.has('authorization')).toBe(false);
    expect(request?.body.toString()).toBe('v=0');
  });

  it('wraps what may be a token on the way in', async () => {
    await talk(await listen(), text('GET /a?token=canary', ['Authorization: canary', 'Cookie: canary', last]));
    expect(JSON.stringify(seen[0])).not.toContain('canary');
    expect([...(seen[0]?.headers ?? [])].join()).not.toContain('canary');
  });

  it('takes a body in chunks, and one in pieces', async () => {
    const port = await listen();
    await talk(port, text('POST /a', ['Transfer-Encoding: chunked', last], '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'));
    await talk(port, text('POST /a', ['Content-Length: 5', last], 'ab'), 'cde');
    expect(seen.map(({ body }) => body.toString())).toEqual(['abcde', 'abcde']);
  });

  it('answers one connection several times', async () => {
    const port = await listen();
    const socket = connect(port, '127.0.0.1');
    const answers: string[] = [];
    socket.on('data', (bytes) => answers.push(bytes.toString()));
    socket.write(text('GET /a', []));
    while (answers.length < 1) await new Promise((done) => setImmediate(done));
    socket.write(text('GET /b', [last]));
    await new Promise((done) => socket.on('close', done));
    expect(answers.join('')).toMatch(/GET \/aHTTP\/1\.1 200 OK[^]*GET \/b$/);
  });

  it('lets a client wait for 100 Continue', async () => {
    const port = await listen();
    const answer = await talk(port, text('POST /a', ['Expect: 100-continue', 'Content-Length: 2', last], 'ab'));
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  it('sends no body to HEAD and with 204', async () => {
    const port = await listen({ handle: () => Promise.resolve({ status: 200, headers: [], body: 'abc' }) });
    expect(await talk(port, text('HEAD /', [last]))).toMatch(/Content-Length: 3\r\n[^]*\r\n\r\n$/);
    const empty = await listen({ handle: () => Promise.resolve({ status: 204, headers: [], body: 'abc' }) });
    expect(await talk(empty, text('GET /', [last]))).not.toMatch(/Content-Length|abc/);
  });

  it('tells a handler that its client has left', async () => {
    let left: Promise<void> | undefined;
    const port = await listen({
      handle: ({ gone }) => {
        left = new Promise((done) => gone.addEventListener('abort', () => done()));
        return left.then((): HttpResponse => ({ status: 200, headers: [] }));
      },
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(text('POST /a', ['Content-Length: 0']));
    while (left === undefined) await new Promise((done) => setImmediate(done));
    socket.destroy();
    await left;
  });

  it('survives a handler that throws, in its own words', async () => {
    const port = await listen({ handle: () => Promise.reject(new Error('broken')) });
    expect(await talk(port, text('GET /', []))).toMatch(/^HTTP\/1\.1 500 [^]*X-Refused: yes[^]*no 500$/);
    expect(errors.map(({ message }) => message)).toEqual(['broken']);
  });
});

describe('the HTTP port refuses', () => {
  const chunked = 'Transfer-Encoding: chunked';
  it.each<[string, string, number]>([
    ['a length beside chunks', text('POST /', ['Content-Length: 4', chunked], '0\r\n\r\n'), 400],
    ['chunks beside a length', text('POST /', [chunked, 'Content-Length: 4'], '0\r\n\r\n'), 400],
    ['two lengths', text('POST /', ['Content-Length: 1', 'Content-Length: 2'], 'ab'), 400],
    ['two equal lengths', text('POST /', ['Content-Length: 2', 'Content-Length: 2'], 'ab'), 400],
    ['a list of lengths', text('POST /', ['Content-Length: 2, 2'], 'ab'), 400],
    ['a signed length', text('POST /', ['Content-Length: +2'], 'ab'), 400],
    ['a coding before chunked', text('POST /', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'), 400],
    ['a coding twice', text('POST /', [chunked, chunked], '0\r\n\r\n'), 400],
    ['another coding', text('POST /', ['Transfer-Encoding: identity'], ''), 400],
    ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\nHost: a\r\n${chunked}\r\n\r\n0\r\n\r\n`, 400],
    ['a space before the colon', text('POST /', ['Content-Length : 2'], 'ab'), 400],
    ['a folded header', text('GET /', ['X-A: b\r\n c: d']), 400],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: a\n\n', 400],
    ['a bare carriage return in a header', text('GET /', ['X-A: b\rX-C: d']), 400],
    ['a NUL in a header', text('GET /', ['X-A: b\0c']), 400],
    ['a bad chunk size', text('POST /', [chunked], '3x\r\nabc\r\n0\r\n\r\n'), 400],
    ['two hosts', text('GET /', ['Host: other.example']), 400],
    ['no host', `GET / HTTP/1.1\r\n${last}\r\n\r\n`, 400],
    ['two types', text('POST /', ['Content-Type: a/b', 'Content-Type: c/d', 'Content-Length: 0']), 400],
    ['a whole URL as target', text('GET http://other.example/', []), 400],
    ['an asterisk as target', text('OPTIONS *', []), 400],
    ['an unknown expectation', text('POST /', ['Expect: a miracle', 'Content-Length: 0']), 417],
    ['a long target', text(`GET /${'a'.repeat(20_000)}`, []), 414],
    ['a large head', text('GET /', [`X-A: ${'a'.repeat(30_000)}`]), 431],
    ['a large body by its length', text('POST /', ['Content-Length: 65537']), 413],
    ['a large body in chunks', text('POST /', [chunked], `10001\r\n${'a'.repeat(65_537)}\r\n0\r\n\r\n`), 413],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ])('%s, and ends the connection', async (_, bytes, status) => {
    const answer = await talk(await listen(), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    if (!/Expect|^GET \/ HTTP\/1\.1\r\nConn/.test(bytes)) expect(answer).toContain('X-Refused: yes');
    expect(seen).toEqual([]);
  });

  it('a second request before the first is answered', async () => {
    const port = await listen({
      handle: (request) => {
        seen.push(request);
        return new Promise<HttpResponse>((done) =>
          request.gone.addEventListener('abort', () => done({ status: 200, headers: [] })),
        );
      },
    });
    expect(await talk(port, text('GET /a', []) + text('GET /b', []))).toBe('');
    expect(seen.map(({ path }) => path)).toEqual(['/a']);
  });

  it('tunnels', async () => {
    const port = await listen();
    expect(await talk(port, 'CONNECT other.example:80 HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('');
  });

  it('a head that does not come to its end', async () => {
    const port = await listen({ limits: { headersTimeoutMs: 20, requestTimeoutMs: 20 } });
    expect(await talk(port, 'GET / HTTP/1.1\r\nX-A: b')).toMatch(/^HTTP\/1\.1 408 [^]*X-Refused: yes/);
  });

  it('a connection that may not stay, and counts those that may', async () => {
    let here = 0;
    const port = await listen({
      admit: (address, destroy) => {
        if (address !== '127.0.0.1' || here === 1) {
          destroy();
          return undefined;
        }
        here += 1;
        return () => void (here -= 1);
      },
    });
    const first = connect(port, '127.0.0.1');
    first.write('GET / HTTP/1.1\r\n');
    while (here === 0) await new Promise((done) => setImmediate(done));
    expect(await talk(port, text('GET /', [last]))).toBe('');
    first.destroy();
    while (here === 1) await new Promise((done) => setImmediate(done));
    expect(await talk(port, text('GET /', [last]))).toContain('200 OK');
  });
});

/** @see RFC 9110 §7.8: a server may go on in the protocol it is asked in. Java's client asks for h2c with each request. */
describe('a wish for another protocol', () => {
  const upgrade: HttpServerOptions['webSockets'] = {
    upgrade: () => undefined,
    ask: ({ path }) => ({ status: 403, headers: [], body: `no WebSocket at ${path}` }),
  };
  const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];

  it.each<[string, Partial<HttpServerOptions>, readonly string[]]>([
    ['where there are no WebSockets', {}, h2c],
    ['for a WebSocket where there are none', {}, ['Connection: Upgrade', 'Upgrade: websocket']],
    ['where there are WebSockets', { webSockets: upgrade }, h2c],
  ])('is not heard %s', async (_, options, headers) => {
    const port = await listen(options);
    for (const method of ['GET', 'HEAD']) {
      const answer = await talk(port, text(`${method} /livez`, [...headers, ...(options.webSockets ? [] : [last])]));
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*X-Mine: yes/);
      expect(answer.endsWith('GET /livez')).toBe(method === 'GET');
    }
    expect(seen.map(({ path }) => path)).toEqual(['/livez', '/livez']);
  });

  it('is not heard where a body comes with it', async () => {
    const answer = await talk(await listen(), text('POST /a', [...h2c, 'Content-Length: 4', last], 'abcd'));
    expect(answer).toContain('200 OK');
    expect(seen[0]?.body.toString()).toBe('abcd');
  });

  it('takes the body that came with it for no second request', async () => {
    const port = await listen({ webSockets: upgrade });
    const inner = text('GET /inner', []);
    const headers = [...h2c, `Content-Length: ${inner.length}`];
    expect(await talk(port, text('POST /a', headers, inner))).toMatch(/^HTTP\/1\.1 400 [^]*X-Refused: yes/);
    expect(await talk(port, text('GET /a', h2c) + inner)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.map(({ path }) => path)).toEqual(['/a']);
  });

  it.each([
    ['longer than any other that is idle', 50, false],
    ['when the port closes', 60_000, true],
  ])('keeps no connection of who does not read the answer %s', async (_, idleTimeoutMs, isClosing) => {
    let cut = (): void => undefined;
    const isCut = new Promise<void>((resolve) => (cut = resolve));
    const port = await listen({
      ...{ webSockets: upgrade, limits: { idleTimeoutMs }, admit: () => cut },
      handle: () => {
        if (isClosing) void open.at(-1)?.close();
        return Promise.resolve({ status: 200, headers: [], body: Buffer.alloc(32 * 1024 * 1024) });
      },
    });
    const socket = connect(port, '127.0.0.1').pause();
    socket.on('error', () => undefined).write(text('GET /', h2c));
    await isCut;
    socket.destroy();
  });

  it('for a WebSocket is answered by who has the door', async () => {
    const port = await listen({ webSockets: upgrade });
    const answer = await talk(port, text('GET /events', ['Connection: Upgrade', 'Upgrade: WebSocket']));
    expect(answer).toMatch(/^HTTP\/1\.1 403 [^]*no WebSocket at \/events$/);
  });
});

describe('the HTTPS port', () => {
  it('answers inside TLS and counts handshakes that come to nothing', async () => {
    const bad: string[] = [];
    const port = await listen({ certificates: [pair], onBadHandshake: (reason) => bad.push(reason) });
    expect(await talk(port, text('GET /', [last]))).not.toContain('200 OK');
    expect(bad).toEqual(['plain-bytes']);
    const answer = await new Promise<string>((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: pair.cert, servername: 'localhost' });
      const parts: string[] = [];
      socket.on('data', (bytes: Buffer) => parts.push(bytes.toString()));
      socket.on('close', () => resolve(parts.join('')));
      socket.write(text('GET /a', [last]));
    });
    expect(answer).toContain('200 OK');
    expect(seen[0]?.secure).toBe(true);
  });

  it('says what is wrong with a certificate', async () => {
    await expect(listen({ certificates: [{ ...pair, cert: 'none' }] })).rejects.toMatchObject({
      code: 'certificate-unusable',
    });
  });
});

it('keeps a token out of what it prints', () => {
  expect(String(new Secret('canary'))).not.toContain('canary');
});
