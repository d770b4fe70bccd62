import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/model/errors.js';
import { Secret } from '../../src/model/secret.js';
import { callHttp } from '../../src/net/http-client.js';
import { isMetadataAddress } from '../../src/wire/metadata-addresses.js';

describe('a call that may not go everywhere', () => {
  let server: Server | undefined;
  let connections = 0;
  afterEach(async () => {
    await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
    server = undefined;
  });

  async function call(host: string, isForbidden: (address: string) => boolean): Promise<number | string> {
    connections = 0;
    server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    });
    await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
    try {
      const reply = await callHttp({
        ...{ host, port: (server.address() as AddressInfo).port, secure: false, method: 'GET' },
        ...{ target: new Secret('/'), headers: [], timeoutMs: 5000, signal: new AbortController().signal, isForbidden },
      });
      return reply.status;
    } catch (error) {
      return error instanceof GatewayError ? error.message : 'threw something else';
    }
  }

  it.each(['127.0.0.1', 'localhost'])('goes to %s when nothing speaks against it', async (host) => {
    expect(await call(host, isMetadataAddress)).toBe(200);
    expect(connections).toBe(1);
  });

  it.each(['127.0.0.1', 'localhost'])('does not even connect to %s when its address is forbidden', async (host) => {
    expect(await call(host, () => true)).toContain('link-local');
    expect(connections).toBe(0);
  });
});
