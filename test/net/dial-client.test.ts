import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { dialTcp } from '../../src/net/dial.js';
import type { ProxyRules } from '../../src/net/proxy-head.js';
import { listenTcp, type Listener } from '../../src/net/tcp.js';
import { listenTls } from '../../src/net/tls.js';
import { selfSigned } from '../config/loading.js';

const listeners: Listener[] = [];
const streams: ByteStream[] = [];
let certificate: { readonly cert: string; readonly key: string };

beforeAll(() => {
  certificate = selfSigned();
});

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  await Promise.all(listeners.splice(0).map((each) => each.close()));
});

const proxies: ProxyRules = { mode: 'required', isTrusted: () => true, timeoutMs: 5000, maxWaiting: 10 };

describe.each([true, false])('a call that tells an origin of the client (TLS: %s)', (secure) => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['', '127.0.0.1'],
  ])('%j comes as %s, before all else', async (client, from) => {
    let tell: (text: string) => void;
    const told = new Promise<string>((done) => (tell = done));
    const options = {
      ...{ host: '127.0.0.1', port: 0, proxies },
      onStream: (stream: ByteStream) => {
        streams.push(stream);
        stream.handle({
          onBytes: (bytes) => {
            stream.write(bytes);
            tell(`${bytes.toString()} from ${stream.remoteAddress}`);
          },
          onClose: () => undefined,
        });
      },
    };
    const listener = secure
      ? await listenTls({ ...options, certificates: [certificate], timeoutMs: 5000 })
      : await listenTcp(options);
    listeners.push(listener);
    const stream = await dialTcp({
      ...{
        host: '127.0.0.1',
        port: listener.port,
        secure,
        timeoutMs: 5000,
        signal: new AbortController().signal,
        client,
      },
      ...(secure && { ca: certificate.cert, serverName: 'localhost' }),
    });
    streams.push(stream);
    const echo = new Promise<string>((done) =>
      stream.handle({ onBytes: (bytes) => done(bytes.toString()), onClose: () => undefined }),
    );
    stream.write(Buffer.from('hello'));
    expect(await told).toBe(`hello from ${from}`);
    expect(await echo).toBe('hello');
  });
});

it('gives up a call whose origin never answers its TLS', async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined).resume());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const call = dialTcp({
    ...{
      host: '127.0.0.1',
      port,
      secure: true,
      timeoutMs: 50,
      signal: new AbortController().signal,
      client: '192.0.2.7',
    },
  });
  await expect(call).rejects.toMatchObject({ code: 'origin-unavailable' });
  await new Promise((done) => server.close(done));
});
