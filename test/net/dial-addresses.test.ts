import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { dialAddresses } from '../../src/net/dial.js';

const never = () => new AbortController().signal;
let server = createServer();
beforeEach(async () => {
  server = createServer((socket) => void socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

const options = (signal: AbortSignal) => ({
  ...{ host: 'media.example', port: (server.address() as AddressInfo).port, secure: false, timeoutMs: 2000, signal },
});

describe('a host of several addresses', () => {
  it.each([
    [['127.0.0.1']],
    [['127.0.0.3', '127.0.0.1']],
    [['127.0.0.3', '127.0.0.4', '127.0.0.1']],
    [['127.0.0.1', '127.0.0.3']],
  ])('is called at the first of %j that takes the connection', async (addresses) => {
    const startedMs = performance.now();
    const stream = await dialAddresses(addresses, options(never()));
    expect(stream.remoteAddress).toBe('127.0.0.1');
    expect(performance.now() - startedMs).toBeLessThan(1000);
    stream.destroy();
  });

  it('cannot be reached when none of them can', async () => {
    await expect(dialAddresses(['127.0.0.3', '127.0.0.4'], options(never()))).rejects.toMatchObject({
      code: 'origin-unavailable',
    });
    await expect(dialAddresses([], options(never()))).rejects.toThrow('it has no address');
  });

  it('is not called for somebody who has left', async () => {
    await expect(dialAddresses(['127.0.0.1', '127.0.0.3'], options(AbortSignal.abort()))).rejects.toThrow('given up');
  });
});
