import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import {
  ClientHandshake,
  ServerHandshake,
  type HandshakeStep,
} from '../../../../src/transports/rtmp/wire/handshake.js';

type Layout = 772 | 8;

// The digest as players and media servers compute it, written here once more and apart from the code under test.
const SHARED = 'f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae';
const PLAYER = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER = Buffer.from('Genuine Adobe Flash Media Server 001');
const hmac = (key: Buffer, bytes: Buffer) => createHmac('sha256', key).update(bytes).digest();
const sum = (packet: Buffer, at: number) =>
  [0, 1, 2, 3].reduce((total, step) => total + packet.readUInt8(at + step), 0);
const digestAt = (packet: Buffer, layout: Layout) => (sum(packet, layout) % 728) + (layout === 772 ? 776 : 12);
const digestOf = (packet: Buffer, at: number, key: Buffer) =>
  hmac(key, Buffer.concat([packet.subarray(0, at), packet.subarray(at + 32)]));
const signC1 = (c1: Buffer, layout: Layout) =>
  void digestOf(c1, digestAt(c1, layout), PLAYER).copy(c1, digestAt(c1, layout));
const isS1Signed = (s1: Buffer, layout: Layout) => {
  const at = digestAt(s1, layout);
  return s1.subarray(at, at + 32).equals(digestOf(s1, at, SERVER));
};
const isS2Signed = (s2: Buffer, clientDigest: Buffer) =>
  hmac(hmac(Buffer.concat([SERVER, Buffer.from(SHARED, 'hex')]), clientDigest), s2.subarray(0, 1504)).equals(
    s2.subarray(1504),
  );

/** Random bytes that are the same in every run. */
function repeatable(): (size: number) => Buffer {
  let state = 1;
  return (size) => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      bytes[at] = state >>> 16;
    }
    return bytes;
  };
}

const c0c1 = (version: string, fill: (c1: Buffer) => void = () => undefined) => {
  const bytes = Buffer.concat([Buffer.from([3]), repeatable()(1536)]);
  Buffer.from(version, 'hex').copy(bytes, 5);
  fill(bytes.subarray(1));
  return bytes;
};
const FFMPEG_VERSION = '09007c02';
const plain = c0c1('00000000');
const signed = (layout: Layout) => c0c1(FFMPEG_VERSION, (c1) => signC1(c1, layout));
const c2 = Buffer.alloc(1536, 0x77);

/** Splits a server's reply. */
function parts(reply: Buffer | undefined) {
  const bytes = reply ?? Buffer.alloc(0);
  return { size: bytes.length, s0: bytes[0], s1: bytes.subarray(1, 1537), s2: bytes.subarray(1537) };
}

/** Feeds pieces, and joins what came of them. */
function feed(handshake: { push(bytes: Buffer): HandshakeStep }, pieces: readonly Buffer[]) {
  const replies: Buffer[] = [];
  const rest: Buffer[] = [];
  let done = false;
  for (const piece of pieces) {
    const step = handshake.push(piece);
    if (step.reply !== undefined) replies.push(step.reply);
    if (step.rest !== undefined) rest.push(step.rest);
    done = step.done;
  }
  return { replies, rest: Buffer.concat(rest), done };
}

describe('ServerHandshake with a plain client', () => {
  it('echoes C1 exactly and states no version (RTMP-58)', () => {
    const { s0, s1, s2, size } = parts(new ServerHandshake(repeatable()).push(plain).reply);
    expect(size).toBe(3073);
    expect(s0).toBe(3);
    expect(s1.subarray(0, 8)).toEqual(Buffer.alloc(8));
    expect(s2.equals(plain.subarray(1))).toBe(true);
  });

  it('does not wait for C2 to answer, and is done when C2 is there', () => {
    const handshake = new ServerHandshake(repeatable());
    expect(handshake.push(plain).done).toBe(false);
    expect(handshake.push(c2.subarray(1))).toEqual({ done: false });
    expect(handshake.push(c2.subarray(0, 1))).toEqual({ done: true });
  });

  it('takes C2 whatever it holds, since some clients send a bad one (RTMP-14)', () => {
    expect(feed(new ServerHandshake(repeatable()), [plain, Buffer.alloc(1536)]).done).toBe(true);
  });

  it('hands over what stands behind C2', () => {
    const all = Buffer.concat([plain, c2, Buffer.from('connect')]);
    const step = new ServerHandshake(repeatable()).push(all);
    expect(step.done).toBe(true);
    expect(step.rest?.toString()).toBe('connect');
    expect(step.reply).toHaveLength(3073);
  });

  it('passes bytes through that are pushed after the end', () => {
    const handshake = new ServerHandshake(repeatable());
    handshake.push(Buffer.concat([plain, c2]));
    expect(handshake.push(Buffer.from('more')).rest?.toString()).toBe('more');
    expect(handshake.push(Buffer.alloc(0))).toEqual({ done: true });
  });

  it('says the same wherever the bytes are cut', () => {
    const all = Buffer.concat([plain, c2, Buffer.from('tail')]);
    const whole = feed(new ServerHandshake(repeatable()), [all]);
    for (let cut = 0; cut <= all.length; cut += 1) {
      const split = feed(new ServerHandshake(repeatable()), [all.subarray(0, cut), all.subarray(cut)]);
      if (!Buffer.concat(split.replies).equals(Buffer.concat(whole.replies)) || !split.rest.equals(whole.rest)) {
        throw new Error(`differs when cut at ${cut}`);
      }
    }
    const single = Array.from(all, (byte) => Buffer.from([byte]));
    expect(feed(new ServerHandshake(repeatable()), single)).toEqual({ ...whole, done: true });
  });

  it('keeps a copy, so the caller may use its buffer again', () => {
    const handshake = new ServerHandshake(repeatable());
    const buffer = Buffer.from(plain.subarray(0, 1000));
    handshake.push(buffer);
    buffer.fill(0);
    expect(parts(handshake.push(plain.subarray(1000)).reply).s2.equals(plain.subarray(1))).toBe(true);
  });
});

describe.each([772, 8] as const)('ServerHandshake with a digest in layout %i', (layout) => {
  const opening = signed(layout);
  const { s0, s1, s2, size } = parts(new ServerHandshake(repeatable()).push(opening).reply);

  it('signs S1 in the same layout and states a version', () => {
    expect(size).toBe(3073);
    expect(s0).toBe(3);
    expect(s1.readUInt8(4)).toBeGreaterThanOrEqual(3);
    expect(isS1Signed(s1, layout)).toBe(true);
  });

  it('signs S2 with the digest of the client', () => {
    const c1 = opening.subarray(1);
    const at = digestAt(c1, layout);
    expect(isS2Signed(s2, c1.subarray(at, at + 32))).toBe(true);
    expect(isS2Signed(s2, Buffer.alloc(32))).toBe(false);
  });

  it('finds the digest wherever the offset bytes put it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (offset) => {
        const c1 = c0c1(FFMPEG_VERSION, (packet) => {
          Buffer.from(offset).copy(packet, layout);
          signC1(packet, layout);
        });
        const { s1 } = parts(new ServerHandshake(repeatable()).push(c1).reply);
        expect(isS1Signed(s1, layout)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('falls back to a plain answer when one bit of the digest is wrong', () => {
    const broken = c0c1(FFMPEG_VERSION, (c1) => {
      signC1(c1, layout);
      const at = digestAt(c1, layout);
      c1[at] = c1.readUInt8(at) ^ 1;
    });
    const plainly = parts(new ServerHandshake(repeatable()).push(broken).reply);
    expect(plainly.s1.readUInt32BE(4)).toBe(0);
    expect(plainly.s2.equals(broken.subarray(1))).toBe(true);
  });
});

describe('ServerHandshake with odd digests', () => {
  it('answers a version without a digest plainly', () => {
    const opening = c0c1('0a000000');
    const { s1, s2 } = parts(new ServerHandshake(repeatable()).push(opening).reply);
    expect(s1.readUInt32BE(4)).toBe(0);
    expect(s2.equals(opening.subarray(1))).toBe(true);
  });

  it.each([0x00, 0xff])('needs no key exchange, so key bytes of %i do no harm (RTMP-59)', (byte) => {
    const opening = c0c1(FFMPEG_VERSION, (c1) => {
      c1.fill(byte, 8);
      signC1(c1, 772);
    });
    const { s1 } = parts(new ServerHandshake(repeatable()).push(opening).reply);
    expect(isS1Signed(s1, 772)).toBe(true);
  });
});

describe.each<[string, Buffer, string]>([
  ['an HTTP POST (RTMP-60)', Buffer.from('POST /open/1 HTTP/1.1'), 'not-rtmp-http'],
  ['an HTTP GET (RTMP-61)', Buffer.from('GET / HTTP/1.1'), 'not-rtmp-http'],
  ['a TLS hello', Buffer.from('160301', 'hex'), 'not-rtmp-tls'],
  ['an SSL 2 hello', Buffer.from('802e01', 'hex'), 'not-rtmp-tls'],
  ['RTMPE of version 6', Buffer.from([6]), 'not-rtmp-encrypted'],
  ['RTMPE of version 8', Buffer.from([8]), 'not-rtmp-encrypted'],
  ['RTMPE of version 9', Buffer.from([9]), 'not-rtmp-encrypted'],
  ['zero bytes', Buffer.alloc(10), 'not-rtmp'],
  ['the line of another protocol', Buffer.from('\r\n\r\n'), 'not-rtmp'],
  ['the byte before A', Buffer.from('@'), 'not-rtmp'],
  ['the byte behind Z', Buffer.from('['), 'not-rtmp'],
])('a peer that sends %s', (_, bytes, code) => {
  it(`is known by its first byte as ${code}, without an answer`, () => {
    for (const handshake of [new ServerHandshake(repeatable()), new ClientHandshake(repeatable())]) {
      expect(handshake.push(Buffer.alloc(0))).toEqual({ done: false });
      expect(() => handshake.push(bytes.subarray(0, 1))).toThrow(WireError);
      expect(() => handshake.push(bytes)).toThrow(new RegExp(`^${code} at byte 0`));
    }
  });
});

describe('ClientHandshake', () => {
  it('begins with C0 and a C1 of version zero', () => {
    const start = new ClientHandshake(repeatable()).start();
    expect(start).toHaveLength(1537);
    expect(start[0]).toBe(3);
    expect(start.subarray(1, 9)).toEqual(Buffer.alloc(8));
  });

  it('echoes S1 exactly as C2, before S2 is there (RTMP-14)', () => {
    const handshake = new ClientHandshake(repeatable());
    const opening = c0c1('04050001');
    const step = handshake.push(opening);
    expect(step.done).toBe(false);
    expect(step.reply?.equals(opening.subarray(1))).toBe(true);
    expect(handshake.push(Buffer.concat([c2, Buffer.from('x')])).rest?.toString()).toBe('x');
  });

  it('shakes hands with ServerHandshake at every cut', () => {
    const server = new ServerHandshake(repeatable());
    const reply = server.push(new ClientHandshake(repeatable()).start()).reply ?? Buffer.alloc(0);
    const all = Buffer.concat([reply, Buffer.from('tail')]);
    for (let cut = 0; cut <= all.length; cut += 1) {
      const result = feed(new ClientHandshake(repeatable()), [all.subarray(0, cut), all.subarray(cut)]);
      const [answer] = result.replies;
      if (!result.done || result.rest.toString() !== 'tail' || answer?.equals(reply.subarray(1, 1537)) !== true) {
        throw new Error(`differs when cut at ${cut}`);
      }
    }
    expect(server.push(reply.subarray(1, 1537))).toEqual({ done: true });
  });
});
