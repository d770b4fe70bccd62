import { afterEach, describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/model/errors.js';
import { dialTcp, type DialOptions } from '../../src/net/dial.js';
import { listenTcp } from '../../src/net/tcp.js';
import { fakeClock } from '../fakes/clock.js';

const clock = fakeClock();

const options = (more: Partial<DialOptions>): DialOptions => ({
  host: '127.0.0.1',
  port: 9,
  secure: false,
  timeoutMs: 1000,
  signal: new AbortController().signal,
  clock,
  ...more,
});

async function failure(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(GatewayError);
  expect((error as GatewayError).code).toBe('origin-unavailable');
  expect((error as GatewayError).side).toBe('origin');
  return error as GatewayError;
}

afterEach(async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
  expect(clock.pending).toBe(0);
});

describe('dialTcp', () => {
  it('says who could not be reached and why', async () => {
    const listener = await listenTcp({ host: '127.0.0.1', port: 0, onStream: () => undefined });
    await listener.close();
    const error = await failure(dialTcp(options({ port: listener.port })));
    expect(error.message).toBe(`cannot reach 127.0.0.1:${listener.port}: ECONNREFUSED`);
    expect((error.cause as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
  });

  it('does not begin when the signal has fired already', async () => {
    const error = await failure(dialTcp(options({ signal: AbortSignal.abort() })));
    expect(error.message).toContain('given up');
  });

  it('gives up when the signal fires, and the socket is gone', async () => {
    const abort = new AbortController();
    const dialling = failure(dialTcp(options({ signal: abort.signal })));
    abort.abort();
    expect((await dialling).message).toContain('given up');
  });

  it('gives up after its time', async () => {
    const dialling = failure(dialTcp(options({ host: '192.0.2.1', timeoutMs: 250 })));
    clock.advance(250);
    expect((await dialling).message).toBe('cannot reach 192.0.2.1:9: no answer within 250 ms');
  });

  it('names the far side with brackets when it is IPv6', async () => {
    const dialling = failure(dialTcp(options({ host: '2001:db8::1', timeoutMs: 1 })));
    clock.advance(1);
    expect((await dialling).message).toContain('[2001:db8::1]:9');
  });

  it('gives up on a peer that takes the connection and does not speak TLS', async () => {
    const listener = await listenTcp({
      host: '127.0.0.1',
      port: 0,
      onStream: (stream) => {
        stream.handle({ onBytes: () => stream.end(10), onClose: () => undefined });
      },
    });
    const error = await failure(dialTcp(options({ port: listener.port, secure: true })));
    expect(error.message).toContain('by TLS');
    await listener.close();
  });
});
