import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ByteStream } from '../../src/model/byte-stream.js';
import type { HttpRequest } from '../../src/net/http-request.js';
import { listenHttpServer, type HttpServerOptions } from '../../src/net/http-server.js';
import type { BadProxyHead, ProxyRules } from '../../src/net/proxy-head.js';
import type { Listener } from '../../src/net/tcp.js';
import { listenTls } from '../../src/net/tls.js';
import { readForwarded } from '../../src/wire/forwarded.js';
import { writeProxyHeader } from '../../src/wire/proxy-protocol.js';
import { selfSigned } from '../config/loading.js';

const listeners: Listener[] = [];
const streams: ByteStream[] = [];
const seen: HttpRequest[] = [];
const admitted: string[] = [];
const refused: BadProxyHead[] = [];
let certificate: { readonly cert: string; readonly key: string };

const proxies: ProxyRules = {
  ...{ mode: 'optional', timeoutMs: 5000, maxWaiting: 10 },
  isTrusted: (address) => address === '127.0.0.1',
  onBadHead: (reason) => refused.push(reason),
};
const HEADER = writeProxyHeader({ address: '2001:db8::7', port: 1 }, { address: '2001:db8::1', port: 2 });

beforeAll(() => {
  certificate = selfSigned();
});

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  await Promise.all(listeners.splice(0).map((each) => each.close()));
  for (const list of [seen, admitted, refused]) list.length = 0;
});

async function listenHttp(options: Partial<HttpServerOptions> = {}): Promise<number> {
  const listener = await listenHttpServer({
    ...{ host: '127.0.0.1', port: 0, proxies },
    handle: (request) => {
      seen.push(request);
      return Promise.resolve({
        status: 200,
        headers: [],
        body: `${request.body.toString()} from ${request.remoteAddress}`,
      });
    },
    refuse: (status) => ({ status, headers: [] }),
    admit: (address) => {
      admitted.push(address);
      return () => undefined;
    },
    ...options,
  });
  listeners.push(listener);
  return listener.port;
}

/** Opens TLS on a connection on which `first` has been said in the clear. */
async function secured(port: number, first?: Buffer): Promise<Socket> {
  const plain = connect({ port, host: '127.0.0.1' });
  await new Promise((done) => void plain.once('connect', done));
  if (first !== undefined) plain.write(first);
  const socket = connectTls({ socket: plain, rejectUnauthorized: false });
  await new Promise((done, fail) => void socket.once('secureConnect', done).once('error', fail));
  return socket;
}

const answer = (socket: Socket): Promise<string> =>
  new Promise((done) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
    socket.on('close', () => done(text));
    socket.on('error', () => undefined);
  });

const post = (body: string, more: readonly string[] = []): string =>
  ['POST /whip/live/a HTTP/1.1', 'Host: gw.example', `Content-Length: ${body.length}`, ...more, '', body].join('\r\n');
const last = ['Connection: close'];

describe.each([true, false])('an HTTP port behind a proxy (TLS: %s)', (isSecure) => {
  const open = async (port: number, first?: Buffer): Promise<Socket> => {
    if (isSecure) return secured(port, first);
    const socket = connect({ port, host: '127.0.0.1' });
    if (first !== undefined) socket.write(first);
    return socket;
  };
  const listen = (options: Partial<HttpServerOptions> = {}) =>
    listenHttp({ ...(isSecure && { certificates: [certificate] }), ...options });

  it('answers the client that the header names, request after request', async () => {
    const socket = await open(await listen(), HEADER);
    const text = answer(socket);
    socket.write(post('one'));
    while (seen.length === 0) await new Promise(setImmediate);
    await new Promise((done) => setImmediate(done));
    socket.write(post('two', last));
    expect(await text).toMatch(/one from 2001:db8::7[^]*two from 2001:db8::7$/);
    expect(admitted).toEqual(['2001:db8::7']);
    expect(seen.map(({ secure }) => secure)).toEqual([isSecure, isSecure]);
  });

  it('reads a request that comes in one piece with the header', async () => {
    if (isSecure) return;
    const socket = await open(await listen(), Buffer.concat([HEADER, Buffer.from(post('one', last))]));
    expect(await answer(socket)).toMatch(/one from 2001:db8::7$/);
  });

  it('answers a peer without a header as itself', async () => {
    const socket = await open(await listen());
    const text = answer(socket);
    socket.write(post('one', last));
    expect(await text).toMatch(/one from 127.0.0.1$/);
  });

  it('cuts a peer that nobody trusts and that sends a header', async () => {
    const port = await listen({ proxies: { ...proxies, isTrusted: () => false } });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(HEADER);
    expect(await answer(socket)).toBe('');
    expect(refused).toEqual(['proxy-untrusted']);
    expect(admitted).toEqual([]);
  });

  it('does not wait for half a header when it closes', async () => {
    const port = await listen();
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(HEADER.subarray(0, 5));
    await new Promise((done) => void socket.once('connect', done));
    await new Promise((done) => setImmediate(done));
    const gone = answer(socket);
    await Promise.all(listeners.splice(0).map((each) => each.close()));
    expect(await gone).toBe('');
  });

  it('looks at headers of the client that the header names, and believes none of them', async () => {
    const forwarded: HttpServerOptions['forwarded'] = (peer, find) =>
      readForwarded('x-forwarded-for', find, peer, proxies.isTrusted);
    const socket = await open(await listen({ forwarded }), HEADER);
    const text = answer(socket);
    socket.write(post('one', ['X-Forwarded-For: 192.0.2.66', ...last]));
    expect(await text).toMatch(/one from 2001:db8::7$/);
  });

  it('takes client, host and scheme from a trusted proxy', async () => {
    const forwarded: HttpServerOptions['forwarded'] = (peer, find) =>
      readForwarded('x-forwarded-for', find, peer, proxies.isTrusted);
    const socket = await open(await listen({ forwarded }));
    const text = answer(socket);
    const told = ['X-Forwarded-For: 192.0.2.66', 'X-Forwarded-For: 192.0.2.7, 127.0.0.1', 'X-Forwarded-Proto: https'];
    socket.write(post('one', [...told, 'X-Forwarded-Host: media.example', ...last]));
    expect(await text).toMatch(/one from 192.0.2.7$/);
    expect(seen).toMatchObject([{ remoteAddress: '192.0.2.7', secure: true, forwardedHost: 'media.example' }]);
  });
});

describe.each([true, false])('a TLS port behind a proxy (asking for certificates: %s)', (isAsking) => {
  it('takes the client from the header before the handshake', async () => {
    let tell: (text: string) => void;
    const told = new Promise<string>((done) => (tell = done));
    const listener = await listenTls({
      ...{ host: '127.0.0.1', port: 0, certificates: [certificate], timeoutMs: 5000, proxies },
      ...(isAsking && { clientCertificates: { ca: certificate.cert, isRequired: false } }),
      onStream: (stream) => {
        streams.push(stream);
        const onBytes = (bytes: Buffer): void => tell(`${bytes.toString()} from ${stream.remoteAddress}`);
        stream.handle({ onBytes, onClose: () => undefined });
      },
    });
    listeners.push(listener);
    const socket = await secured(listener.port, HEADER);
    socket.write('hello');
    expect(await told).toBe('hello from 2001:db8::7');
    socket.destroy();
  });
});
