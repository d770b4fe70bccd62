import { describe, expect, it } from '@jest/globals';
import type { OriginChoice } from '../../../src/model/leg.js';
import { checkRtmpOrigin } from '../../../src/transports/rtmp/health-probe.js';
import { checkRtspOrigin } from '../../../src/transports/rtsp/origin-leg.js';
import { streamPair } from '../../fakes/byte-stream.js';
import { quiet } from '../../fakes/gate.js';
import { OriginDouble, type OriginBehaviour } from '../../fakes/rtmp-origin.js';
import { fixedRandom } from '../../fakes/rtmp-peer.js';

const origin: OriginChoice = {
  ...{ name: 'a', host: 'a.example', port: 1935, secure: false, app: 'live', streamName: '' },
  credentials: { placement: 'none', pairs: [] },
};

/** `lives`, or the code of the error. */
async function outcomeOf(asking: Promise<void>): Promise<string> {
  return asking.then(
    () => 'lives',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('a check of an RTMP origin', () => {
  const check = (far: (stream: ReturnType<typeof streamPair>[0]) => unknown, signal = new AbortController().signal) => {
    const [near, other] = streamPair();
    far(other);
    const asking = checkRtmpOrigin(near, origin, { random: fixedRandom, now: () => 0 }, signal);
    return { near, outcome: outcomeOf(asking) };
  };

  it.each<[string, OriginBehaviour]>([
    ['answers connect', {}],
    ['refuses connect', { refuseConnect: 'No such app' }],
  ])('is passed when it %s, and the connection is closed', async (_what, behaviour) => {
    const { near, outcome } = check((stream) => new OriginDouble(stream, behaviour));
    expect(await outcome).toBe('lives');
    expect(near.closed).toBe(true);
  });

  it.each([
    ['closes at once', (stream: { destroy(): void }) => stream.destroy(), 'origin-unavailable'],
    [
      'speaks another protocol',
      (stream: { write(bytes: Buffer): boolean }) => void stream.write(Buffer.alloc(4000, 'HTTP/1.1 400 Bad\r\n')),
      'origin-refused',
    ],
  ])('is failed when it %s', async (_what, far, code) => {
    expect(await check(far).outcome).toBe(code);
  });

  it('is failed when it hangs until the check is called off', async () => {
    const abort = new AbortController();
    const { near, outcome } = check((stream) => new OriginDouble(stream, { silentTo: ['connect'] }), abort.signal);
    await quiet();
    abort.abort();
    expect(await outcome).toBe('origin-unavailable');
    expect(near.closed).toBe(true);
  });
});

describe('a check of an RTSP origin', () => {
  it.each([
    ['RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n', 'lives'],
    ['RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n', 'lives'],
    ['RTSP/1.0 501 Not Implemented\r\nCSeq: 1\r\n\r\n', 'lives'],
    ['RTSP/1.0 503 Service Unavailable\r\nCSeq: 1\r\n\r\n', 'origin-refused'],
    ['\0\0\0\0nonsense\r\n\r\n', 'origin-refused'],
  ])('that answers OPTIONS with %j: %s', async (answer, expected) => {
    const [near, far] = streamPair();
    const heard: string[] = [];
    far.handle({
      onBytes: (bytes) => {
        heard.push(bytes.toString('latin1'));
        far.write(Buffer.from(answer));
      },
      onClose: () => undefined,
    });
    expect(await outcomeOf(checkRtspOrigin(near, { ...origin, port: 554 }, new AbortController().signal))).toBe(
      expected,
    );
    expect(heard[0]).toMatch(/^OPTIONS rtsp:\/\/a\.example(:554)?\/ RTSP\/1\.0\r\n/);
    expect(near.closed).toBe(true);
  });
});
