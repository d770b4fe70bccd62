import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../src/model/secret.js';
import type { HttpOptions } from '../../src/net/http.js';
import { listenHttp } from '../../src/net/http.js';
import type { Listener } from '../../src/net/tcp.js';

const open: Listener[] = [];
const errors: Error[] = [];

async function listen(options: Partial<HttpOptions> = {}): Promise<number> {
  const handle: HttpOptions['handle'] = (method, path, authorization) => ({
    status: 200,
    headers: { 'x-seen': `${method} ${path} ${authorization?.length ?? 0}` },
    body: 'hello\n',
  });
  const listener = await listenHttp({
    host: '127.0.0.1',
    port: 0,
    handle,
    onError: (error) => errors.push(error),
    ...options,
  });
  open.push(listener);
  return listener.port;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
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

const request = (line: string, ...headers: readonly string[]) =>
  [`${line} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n');

describe('the HTTP port', () => {
  it('gives method, path without query and the header to the handler', async () => {
    const answer = await talk(await listen(), request('GET /a?token=x', 'Authorization: Bearer abc'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('x-seen: GET /a 10\r\n');
    expect(answer).toContain('content-length: 6\r\n');
    expect(answer.endsWith('\r\n\r\nhello\n')).toBe(true);
  });

  it('wraps the header as a secret', async () => {
    const seen: unknown[] = [];
    const port = await listen({
      handle: (_, __, authorization) => {
        seen.push(authorization);
        return { status: 200, headers: {}, body: '' };
      },
    });
    await talk(port, request('GET /', 'Authorization: Bearer abc'));
    expect(seen[0]).toBeInstanceOf(Secret);
  });

  it('sends no body to HEAD', async () => {
    const answer = await talk(await listen(), request('HEAD /a'));
    expect(answer).toContain('content-length: 6\r\n');
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  it('serves several requests of one connection', async () => {
    const port = await listen();
    const first = 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await talk(port, first, request('GET /2'));
    expect(answer).toContain('GET /1 0');
    expect(answer).toContain('GET /2 0');
  });

  it.each<[string, string, string]>([
    ['POST', request('POST /'), '405'],
    ['a body', request('GET /', 'Content-Length: 5') + 'hello', '413'],
    ['a chunked body', request('GET /', 'Transfer-Encoding: chunked') + '0\r\n\r\n', '413'],
    ['a wish to be told to go on', request('GET /', 'Content-Length: 5', 'Expect: 100-continue'), '417'],
    ['a long path', request(`GET /${'a'.repeat(1024)}`), '414'],
    ['a long header', request('GET /', `X: ${'a'.repeat(9000)}`), '400'],
    ['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '400'],
    ['two lengths', request('GET /', 'Content-Length: 5', 'Content-Length: 6'), '400'],
    ['length and chunks', request('GET /', 'Content-Length: 5', 'Transfer-Encoding: chunked'), '400'],
    ['RTMP', '\u0003'.padEnd(1537, 'x'), '400'],
    ['nonsense', 'hello\r\n\r\n', '400'],
  ])('refuses %s', async (_, bytes, status) => {
    expect(await talk(await listen(), bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(errors).toEqual([]);
  });

  it.each([
    ['an upgrade', request('GET /', 'Upgrade: websocket').replace('Connection: close', 'Connection: upgrade')],
    ['CONNECT', request('CONNECT example.com:443')],
  ])('cuts %s', async (_, bytes) => {
    expect(await talk(await listen(), bytes)).toBe('');
  });

  it('survives a handler that throws', async () => {
    const port = await listen({
      handle: () => {
        throw new Error('secret words');
      },
    });
    const answer = await talk(port, request('GET /'));
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).not.toContain('secret words');
    expect(errors).toHaveLength(1);
  });

  it('takes no more connections than its limit', async () => {
    const port = await listen({ limits: { maxConnections: 1 } });
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.write('GET /');
    expect(await talk(port, request('GET /'))).toBe('');
    idle.destroy();
  });

  it('cuts a peer that does not finish its head', async () => {
    const port = await listen({ limits: { headersTimeoutMs: 50, requestTimeoutMs: 50 } });
    const answer = await talk(port, 'GET / HTTP/1.1\r\nHost:');
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
  });

  it('ends idle connections when it closes, and says when the port is taken', async () => {
    const listener = await listenHttp({
      host: '127.0.0.1',
      port: 0,
      handle: () => ({ status: 200, headers: {}, body: '' }),
    });
    const answer = talk(listener.port, 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET');
    await expect(listen({ port: listener.port })).rejects.toMatchObject({ code: 'listen-failed' });
    await listener.close();
    expect(typeof (await answer)).toBe('string');
  });
});
