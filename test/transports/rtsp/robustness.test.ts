import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeRtspGate, quiet, type RtspGate } from '../../fakes/rtsp-gate.js';
import { rtp, SDP } from '../../fakes/rtsp-peer.js';
import { writeFrame } from '../../../src/transports/rtsp/wire/frame.js';
import { writeRequest } from '../../../src/transports/rtsp/wire/write-message.js';
import { lastOrigin, publishing, tcp, TYPE, URL } from './scenes.js';

/** What ffmpeg sends when it publishes, in one piece: nothing of it waits for an answer. */
function session(gate: RtspGate): Buffer {
  const query = `?token=${gate.token()}`;
  let sequence = 0;
  const say = (method: string, uri: string, headers: Readonly<Record<string, string>> = {}, body?: string): Buffer => {
    sequence += 1;
    const all: [string, string][] = [['CSeq', String(sequence)], ...Object.entries(headers)];
    return writeRequest({ method, uri, headers: all, ...(body !== undefined && { body: Buffer.from(body) }) });
  };
  return Buffer.concat([
    say('OPTIONS', URL),
    say('ANNOUNCE', `${URL}${query}`, TYPE, SDP),
    say('SETUP', `${URL}${query}/streamid=0`, tcp('0-1', ';mode=record')),
    say('SETUP', `${URL}${query}/streamid=1`, tcp('2-3', ';mode=record')),
    say('RECORD', URL, { Range: 'npt=0.000-' }),
  ]);
}

const MEDIA = Buffer.concat([
  writeFrame(0, rtp('video')),
  writeFrame(2, rtp('audio')),
  writeFrame(3, Buffer.from('report')),
]);

async function run(pieces: (bytes: Buffer) => readonly Buffer[]): Promise<string> {
  const gate = makeRtspGate();
  const { stream } = gate.raw();
  stream.handle({ onBytes: () => undefined, onClose: () => undefined });
  for (const piece of pieces(session(gate))) stream.write(piece);
  await quiet();
  for (const piece of pieces(MEDIA)) stream.write(piece);
  stream.write(writeRequest({ method: 'TEARDOWN', uri: URL, headers: [['CSeq', '9']] }));
  await quiet();
  const origin = lastOrigin(gate);
  const media = origin.frames.map(({ channel, payload }) => `${channel}:${payload.toString('latin1')}`);
  const statuses = stream.received.toString('latin1').match(/RTSP\/1\.0 \d+/g);
  return JSON.stringify([origin.methods, media, statuses]);
}

describe('a whole session', () => {
  it('comes out the same however its bytes are cut', async () => {
    const whole = await run((bytes) => [bytes]);
    expect(whole).toContain(
      '"RTSP/1.0 200","RTSP/1.0 200","RTSP/1.0 200","RTSP/1.0 200","RTSP/1.0 200","RTSP/1.0 200"',
    );
    const size = session(makeRtspGate()).length;
    for (let cut = 1; cut < size; cut += 1) {
      expect([cut, await run((bytes) => [bytes.subarray(0, cut), bytes.subarray(cut)])]).toEqual([cut, whole]);
    }
    expect(await run((bytes) => [...bytes].map((byte) => Buffer.from([byte])))).toBe(whole);
  }, 60_000);
});

describe('nonsense', () => {
  it.each([
    ['a TLS hello', Buffer.from([0x16, 3, 1, 0, 5])],
    ['a line without end', Buffer.alloc(40_000, 'A')],
    ['a head without end', Buffer.from(`OPTIONS * RTSP/1.0\r\n${'X: y\r\n'.repeat(200)}`)],
    [
      'a body that is too long',
      Buffer.from(`ANNOUNCE ${URL} RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n`),
    ],
    ['a flood of requests', Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'.repeat(100))],
  ])('like %s closes the connection and nothing else', async (_, bytes) => {
    const gate = makeRtspGate();
    const peer = gate.client();
    peer.stream.write(bytes);
    await quiet();
    expect(peer.closed).toBe(true);
    gate.clock.advance(10_000);
    await quiet();
    expect([gate.open, gate.clock.pending, gate.origins.length]).toEqual([0, 0, 0]);
  });

  it.each([
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
    ['no number', 'OPTIONS * RTSP/1.0\r\n\r\n', 400],
    ['a method nobody knows', 'FETCH * RTSP/1.0\r\nCSeq: 1\r\n\r\n', 501],
    [
      'a description that is none',
      `ANNOUNCE ${URL} RTSP/1.0\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nabc`,
      400,
    ],
    ['something else than a description', `ANNOUNCE ${URL} RTSP/1.0\r\nCSeq: 1\r\n\r\n`, 415],
  ])('like %s is answered', async (_, text, status) => {
    const peer = makeRtspGate().client();
    peer.stream.write(Buffer.from(text));
    await quiet();
    expect(peer.responses.map((one) => one.status)).toEqual([status]);
  });

  it('in the middle of a stream ends it, from either side, and leaves nothing behind', async () => {
    for (const side of ['client', 'origin'] as const) {
      const gate = makeRtspGate();
      const peer = await publishing(gate);
      (side === 'client' ? peer : lastOrigin(gate)).stream.write(Buffer.from([1, 2, 3]));
      await quiet();
      expect(gate.ends().map(({ reason }) => reason)).toEqual([`${side}-error`]);
      gate.clock.advance(5000);
      await quiet();
      expect([gate.open, lastOrigin(gate).closed]).toEqual([0, true]);
      gate.clock.advance(10_000);
      expect(gate.clock.pending).toBe(0);
    }
  });

  it('has an end: a client may not make us answer without pause', async () => {
    const gate = makeRtspGate();
    const peer = await publishing(gate);
    peer.stream.write(Buffer.from('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n'.repeat(2000)));
    await quiet();
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['client-error']);
    expect(peer.responses.length).toBeLessThan(600);
  });

  it('of any kind, put into a session anywhere, breaks nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1200), fc.uint8Array({ maxLength: 40 }), fc.nat(40), async (at, noise, cut) => {
        const gate = makeRtspGate();
        const bytes = session(gate);
        const { stream } = gate.raw();
        stream.handle({ onBytes: () => undefined, onClose: () => undefined });
        stream.write(Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + cut)]));
        await quiet();
        stream.destroy();
        await quiet();
        expect(gate.open).toBe(0);
        expect(gate.lines.filter(({ event }) => event === 'gateway.error')).toEqual([]);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('before a decision is not held beyond its limit', async () => {
    const gate = makeRtspGate({ door: { decide: () => new Promise(() => undefined) } });
    const { stream, gateSide } = gate.raw({ windowBytes: 4096 });
    stream.handle({ onBytes: () => undefined, onClose: () => undefined });
    stream.write(session(gate));
    for (let turn = 0; turn < 40; turn++) stream.write(Buffer.alloc(4096, 'A'));
    await quiet();
    expect(gateSide.paused).toBe(true);
    expect(stream.bufferedBytes).toBeGreaterThan(60_000);
  });
});
