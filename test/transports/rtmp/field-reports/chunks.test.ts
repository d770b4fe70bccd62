import { describe, expect, it } from '@jest/globals';
import { createGuards } from '../../../../src/transports/rtmp/guards.js';
import { ChunkTable } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import { controlMessage, readControlNumber, userControlMessage } from '../../../../src/transports/rtmp/wire/control.js';
import { MESSAGE } from '../../../../src/transports/rtmp/wire/message.js';
import { makeGate, quiet } from '../../../fakes/gate.js';
import { chunk, metadata, pass, publishing, seen, video, viewing, visit } from '../scenes.js';
import { StrictReader, u32 } from '../wire/reference.js';

const CHUNK_SIZE = 4096;

/** What a reader that grants no liberties makes of all that the origin got. */
function strictly(received: Buffer): StrictReader {
  const reader = new StrictReader();
  reader.push(received);
  return reader;
}

describe('liveness', () => {
  it('RTMP-39 judges a publisher that answers nothing for ten minutes by its bytes', async () => {
    const gate = makeGate();
    const { peer, origin } = await publishing(gate);
    const told = peer.messages.length;
    for (let second = 0; second < 600; second += 10) {
      peer.send(video(second * 1000, 200));
      origin.peer.send(userControlMessage({ event: 6, value: second }));
      await pass(gate, 10_000);
    }
    expect([peer.closed, seen(origin.peer).length]).toEqual([false, 60]);
    // The gateway answers the origin's pings itself: OBS reads nothing while it publishes.
    const pongs = origin.peer.messages.filter(
      ({ type, payload }) => type === MESSAGE.userControl && payload.readUInt16BE(0) === 7,
    );
    expect(pongs).toHaveLength(60);
    expect(peer.messages.slice(told).map(({ type }) => type)).toEqual([]);
  });
});

describe('chunk sizes', () => {
  it('RTMP-40 starts every connection with 128 bytes again, in both directions', async () => {
    const gate = makeGate({ origin: { chunkSize: 60_000 } });
    const first = await publishing(gate);
    first.peer.setChunkSize(60_000);
    first.peer.send(video(0, 50_000));
    await quiet();
    first.stream.destroy();
    await quiet();
    const second = await visit(gate);
    expect(second.peer.writeChunkSize).toBe(128);
    await second.peer.publish('live', `cam?token=${gate.token()}`);
    await quiet();
    second.peer.send(video(1, 50_000));
    await quiet();
    expect(gate.origins.map((origin) => seen(origin.peer))).toEqual([[[0, 50_000]], [[1, 50_000]]]);
    for (const origin of gate.origins) expect(strictly(origin.peer.received).halves).toEqual([]);
  });

  it('RTMP-41 goes on without drift when a message is begun again with another length', async () => {
    const gate = makeGate();
    const { peer, stream, origin } = await publishing(gate);
    peer.setChunkSize(CHUNK_SIZE);
    const whole = Buffer.alloc(134_574, 0x27);
    const pieces = Array.from({ length: Math.ceil(whole.length / CHUNK_SIZE) }, (_, index) =>
      whole.subarray(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE),
    );
    const first = Buffer.alloc(CHUNK_SIZE, 0x17);
    stream.write(
      Buffer.concat([
        chunk(0, 4, { time: 1000, length: 154_678, payload: first }),
        chunk(1, 4, { time: 40, length: whole.length, payload: pieces[0]! }),
        ...pieces.slice(1).map((payload) => chunk(3, 4, { payload })),
        chunk(1, 4, { time: 40, payload: Buffer.from('next') }),
      ]),
    );
    await quiet();
    const { messages } = strictly(origin.peer.received);
    const media = messages.filter(({ type }) => type === MESSAGE.video);
    expect(media.slice(-2).map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
      [1040, 134_574],
      [1080, 4],
    ]);
    expect(media.at(-2)?.payload.equals(whole)).toBe(true);
    expect(peer.closed).toBe(false);
  });

  it.each([0x80000000, 0xffffffff, 0])(
    'RTMP-42 refuses a chunk size of %i, and the origin hears nothing of it',
    async (size) => {
      const gate = makeGate();
      const { stream, peer, origin } = await publishing(gate);
      const before = origin.peer.messages.filter(({ type }) => type === MESSAGE.setChunkSize).length;
      stream.write(chunk(0, 2, { type: MESSAGE.setChunkSize, streamId: 0, payload: u32(size) }));
      await quiet();
      expect(peer.closed).toBe(true);
      expect(gate.ends()).toMatchObject([{ reason: 'client-error' }]);
      expect(origin.peer.messages.filter(({ type }) => type === MESSAGE.setChunkSize)).toHaveLength(before);
      expect(origin.peer.closed).toBe(true);

      const early = await visit(gate);
      early.stream.write(chunk(0, 2, { type: MESSAGE.setChunkSize, streamId: 0, payload: u32(size) }));
      await quiet();
      expect([early.peer.closed, early.peer.commands]).toEqual([true, []]);
    },
  );

  it.each([
    ['two bytes', 64, Buffer.from([0, 0])],
    ['three bytes', 64, Buffer.from([1, 0, 0])],
    ['two bytes', 319, Buffer.from([0, 255])],
    ['three bytes', 65_599, Buffer.from([1, 255, 255])],
  ])('RTMP-43 reads a basic header of %s, chunk stream %i', async (_form, id, header) => {
    const gate = makeGate();
    const { stream, origin } = await publishing(gate);
    stream.write(chunk(0, header, { time: 7, payload: Buffer.from('hello') }));
    await quiet();
    expect(origin.peer.media).toMatchObject([{ chunkStreamId: id, timestamp: 7, payload: Buffer.from('hello') }]);
  });

  it('RTMP-48 keeps the origin’s chunk size out of its own writing, and the other way about', async () => {
    for (const chunkSize of [1, 60_000]) {
      const gate = makeGate({ origin: { chunkSize } });
      const { peer, origin } = await publishing(gate);
      expect(peer.codes.at(-1)).toBe('NetStream.Publish.Start');
      expect(origin.names()).toEqual(['connect', 'releaseStream', 'FCPublish', 'createStream', 'publish']);
      expect(strictly(origin.peer.received).waiting).toBe(0);
    }
  });

  it('RTMP-49 applies a chunk size that comes behind publish, on chunk stream 2 with a type-1 header', async () => {
    const gate = makeGate();
    const { peer, stream, origin } = await publishing(gate);
    stream.write(chunk(1, 2, { type: MESSAGE.setChunkSize, payload: u32(60_000) }));
    peer.writeChunkSize = 60_000;
    const data = metadata();
    peer.send(data);
    peer.send(video(40, 30_000));
    await quiet();
    expect(origin.peer.media.map(({ type, payload }) => [type, payload.length])).toEqual([
      [MESSAGE.dataAmf0, data.payload.length],
      [MESSAGE.video, 30_000],
    ]);
    expect(origin.peer.media[0]?.payload.equals(data.payload)).toBe(true);
  });

  it('RTMP-52 cuts odd chunks anew, so that the origin reads nothing but what the specification says', async () => {
    const gate = makeGate();
    const { peer, stream, origin } = await publishing(gate);
    peer.setChunkSize(1);
    peer.send(video(5, 40));
    peer.setChunkSize(77);
    peer.send(metadata());
    // Without the extended timestamp on the type-3 chunks, as old librtmp writes them.
    stream.write(
      Buffer.concat([
        chunk(0, 5, { time: 0x1000000, length: 200, payload: Buffer.alloc(77, 1) }),
        chunk(3, 5, { payload: Buffer.alloc(77, 2) }),
        chunk(3, 5, { payload: Buffer.alloc(46, 3) }),
      ]),
    );
    await quiet();
    const reader = strictly(origin.peer.received);
    expect(reader.chunkSize).toBeGreaterThanOrEqual(128);
    expect([reader.halves, reader.waiting]).toEqual([[], 0]);
    const media = reader.messages.filter(({ type }) => type === MESSAGE.video || type === MESSAGE.dataAmf0);
    expect(media.map(({ timestamp, payload }) => [timestamp, payload.length])).toEqual([
      [5, 40],
      [0, metadata().payload.length],
      [0x1000000, 200],
    ]);
  });
});

describe('timestamps', () => {
  it('RTMP-44 takes an extended timestamp on a type-1 header for a delta, and passes the bytes as they came', async () => {
    const gate = makeGate();
    const { stream, origin } = await publishing(gate);
    const second = chunk(1, 6, { time: 16_776_216 + 1000, payload: Buffer.from('second') });
    stream.write(Buffer.concat([chunk(0, 6, { time: 11_000, payload: Buffer.from('first!') }), second]));
    stream.write(chunk(2, 6, { time: 0xffffff, length: 6, payload: Buffer.from('third!') }));
    await quiet();
    expect(seen(origin.peer).map(([timestamp]) => timestamp)).toEqual([
      11_000,
      11_000 + 16_776_216 + 1000,
      11_000 + 16_776_216 + 1000 + 0xffffff,
    ]);
    expect(origin.peer.received.includes(second)).toBe(true);
  });

  it.each([
    ['with', 0xffffff],
    ['without', undefined],
    ['with', 0xfffffff0],
  ])('RTMP-45 reads type-3 chunks %s the extended timestamp', async (_how, extension) => {
    const gate = makeGate();
    const { stream, origin } = await publishing(gate);
    const payload = Buffer.alloc(300, 0x47);
    const more = extension === undefined ? {} : { extension };
    const time = extension ?? 0x1234567;
    stream.write(
      Buffer.concat([
        chunk(0, 4, { time, length: 300, type: MESSAGE.dataAmf0, payload: payload.subarray(0, 128) }),
        chunk(3, 4, { ...more, payload: payload.subarray(128, 256) }),
        chunk(3, 4, { ...more, payload: payload.subarray(256) }),
        chunk(0, 6, { time: 1, payload: Buffer.from('behind') }),
      ]),
    );
    await quiet();
    expect(origin.peer.media.map((message) => [message.timestamp, message.payload.toString()])).toEqual([
      [time, payload.toString()],
      [1, 'behind'],
    ]);
    // To the origin they go in one form: with it.
    expect(() => strictly(origin.peer.received)).not.toThrow();
  });

  it('RTMP-46 relays a stream across 16777215 ms to origin and viewers', async () => {
    const gate = makeGate();
    const times = [16_777_000, 16_777_200, 16_777_214, 16_777_215, 16_777_216, 16_777_300];
    const publisher = await publishing(gate);
    const viewer = await viewing(gate);
    for (const time of times) {
      publisher.peer.send(video(time));
      viewer.origin.peer.send(video(time));
    }
    await quiet();
    expect(seen(publisher.origin.peer).map(([time]) => time)).toEqual(times);
    expect(seen(viewer.peer).map(([time]) => time)).toEqual(times);
    const late = await viewing(gate);
    late.origin.peer.send(video(20_000_000));
    await quiet();
    expect(seen(late.peer)).toEqual([[20_000_000, 300]]);
  });

  it('RTMP-47 counts timestamps as unsigned 32 bit, beyond 2^31 and over the end', async () => {
    const gate = makeGate();
    const { stream, origin } = await publishing(gate);
    stream.write(chunk(0, 6, { time: 0x7fffffff, payload: Buffer.from('a') }));
    stream.write(chunk(1, 6, { time: 1, payload: Buffer.from('b') }));
    stream.write(chunk(0, 6, { time: 0xffffffff, payload: Buffer.from('c') }));
    stream.write(chunk(1, 6, { time: 2, payload: Buffer.from('d') }));
    // In chunks this small nothing passes as it came: the time is written anew.
    stream.write(chunk(0, 2, { type: MESSAGE.setChunkSize, streamId: 0, payload: u32(64) }));
    stream.write(chunk(0, 7, { time: 0x80000001, payload: Buffer.from('e') }));
    await quiet();
    expect(seen(origin.peer).map(([time]) => time)).toEqual([0x7fffffff, 0x80000000, 0xffffffff, 1, 0x80000001]);
    expect(() => strictly(origin.peer.received)).not.toThrow();
  });
});

/** Pushes a megabyte of media into the guards of a publisher that has sent `received` bytes before; the acknowledgements. */
function acknowledged(received: number): readonly number[] {
  const tables = [new ChunkTable(), new ChunkTable()] as const;
  tables[0].received = received;
  const leg = { rest: Buffer.alloc(0), streamId: 1, writeChunkSize: 128, ackBytes: 0 };
  const guards = createGuards({
    role: 'publisher',
    client: { ...leg, table: tables[0], ackBytes: 65_536 },
    origin: { ...leg, table: tables[1] },
    onClientFinished: () => undefined,
    onKept: () => undefined,
    isOwnName: () => true,
    isClientBehind: () => false,
    now: () => 0,
  });
  const replies: Buffer[] = [];
  const out = { forward: () => undefined, reply: (bytes: Buffer) => void replies.push(Buffer.from(bytes)) };
  guards.client.push(Buffer.alloc(0), out);
  guards.client.push(chunk(0, 6, { length: 4 << 20, payload: Buffer.alloc(128) }), out);
  for (let sent = 128; sent < 1 << 20; sent += 128)
    guards.client.push(chunk(3, 6, { payload: Buffer.alloc(128) }), out);
  return strictly(Buffer.concat(replies)).messages.map(({ payload }) => readControlNumber(payload));
}

describe('acknowledgements', () => {
  it.each([2 ** 31 - 1000, 2 ** 32 - 1000, 2 ** 33 - 1000])('RTMP-50 count modulo 2^32 after %i bytes', (received) => {
    const counts = acknowledged(received);
    expect(counts.length).toBeGreaterThan(10);
    counts.forEach((count, index) => {
      const behind = (count - (received % 2 ** 32) + 2 ** 32) % 2 ** 32;
      expect(behind).toBeGreaterThanOrEqual((index + 1) * 65_536);
      expect(behind).toBeLessThan((index + 1) * 65_536 + 16_384);
    });
  });

  it('RTMP-51 survive 2.15 GB and every other power of two: no count is negative or throws', () => {
    for (let power = 20; power <= 45; power++) {
      const counts = acknowledged(2 ** power - 100_000);
      expect(counts.every((count) => Number.isInteger(count) && count >= 0 && count < 2 ** 32)).toBe(true);
    }
  });

  it('go to a publisher that asked for them, at the end of each window', async () => {
    const gate = makeGate();
    const { peer } = await publishing(gate);
    peer.send(controlMessage(MESSAGE.windowAckSize, 100_000));
    peer.setChunkSize(65_536);
    for (let sent = 0; sent < 10; sent++) {
      peer.send(video(sent, 50_000));
      await quiet();
    }
    const acks = peer.messages.filter(({ type }) => type === MESSAGE.acknowledgement);
    expect(acks.map(({ payload }) => Math.floor(readControlNumber(payload) / 100_000))).toEqual([1, 2, 3, 4, 5]);
  });
});
