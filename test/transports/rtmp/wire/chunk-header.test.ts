import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  extensionOf,
  MAX_HEADER_BYTES,
  newChunkHeader,
  readChunkHeader,
  writeChunkHeader,
  writeContinuation,
} from '../../../../src/transports/rtmp/wire/chunk-header.js';
import { type ChunkStream, ChunkTable, MAX_CHUNK_STREAMS } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import { basic, u24, u32, u32le } from './reference.js';

const NONE = Buffer.alloc(0);

/** A header as a sender may write it; `time` from 0xffffff on goes into the extended field. */
// eslint-disable-next-line max-params -- tables of headers read best so
function bytesOf(format: number, id: number, time = 0, length = 10, type = 9, streamId = 1): Buffer {
  return Buffer.concat([
    basic(format, id),
    format < 3 ? u24(Math.min(time, 0xffffff)) : NONE,
    format < 2 ? Buffer.concat([u24(length), Buffer.from([type])]) : NONE,
    format < 1 ? u32le(streamId) : NONE,
    format < 3 && time >= 0xffffff ? u32(time) : NONE,
  ]);
}

/** Reads headers one behind the other, without payload between, and tells what the table then holds. */
function read(table: ChunkTable, ...headers: readonly Buffer[]): ChunkStream {
  const header = newChunkHeader();
  for (const bytes of headers) expect(readChunkHeader(table, bytes, 0, header)).toBe(bytes.length);
  return header.stream as ChunkStream;
}

describe('basic headers', () => {
  it.each([2, 3, 62, 63, 64, 65, 318, 319, 320, 321, 575, 576, 65_598, 65_599])('carry chunk stream id %i', (id) => {
    const table = new ChunkTable();
    const stream = read(table, bytesOf(0, id, 5, 100, 8, 1));
    expect(stream).toMatchObject({ id, timestamp: 5, length: 100, type: 8, streamId: 1 });
    const written = writeChunkHeader(0, { id, time: 5, length: 100, type: 8, streamId: 1 });
    expect(written.equals(bytesOf(0, id, 5, 100, 8, 1))).toBe(true);
    expect(writeContinuation(id, -1).equals(basic(3, id))).toBe(true);
  });

  it('RTMP-43: mean the same chunk stream in two and in three bytes', () => {
    const table = new ChunkTable();
    const short = read(table, bytesOf(0, 64));
    const long = Buffer.concat([Buffer.from([0x01, 0, 0]), bytesOf(0, 64).subarray(2)]);
    expect(read(table, long)).toBe(short);
  });
});

describe('message headers', () => {
  it('type 0 sets everything', () => {
    const table = new ChunkTable();
    expect(read(table, bytesOf(0, 4, 1000, 300, 9, 0xfffffffe))).toMatchObject({
      timestamp: 1000,
      delta: 0,
      length: 300,
      type: 9,
      streamId: 0xfffffffe,
      extension: -1,
    });
  });

  it('type 1 keeps the message stream', () => {
    const stream = read(new ChunkTable(), bytesOf(0, 4, 1000, 300, 9, 7), bytesOf(1, 4, 20, 50, 8));
    expect(stream).toMatchObject({ timestamp: 1020, delta: 20, length: 50, type: 8, streamId: 7 });
  });

  it('type 2 keeps length and type, too', () => {
    const stream = read(new ChunkTable(), bytesOf(0, 4, 1000, 300, 9, 7), bytesOf(2, 4, 33));
    expect(stream).toMatchObject({ timestamp: 1033, delta: 33, length: 300, type: 9, streamId: 7 });
  });

  it('type 3 begins a new message with the delta of the last one', () => {
    const stream = read(new ChunkTable(), bytesOf(0, 4, 1000), bytesOf(2, 4, 33), bytesOf(3, 4), bytesOf(3, 4));
    expect(stream.timestamp).toBe(1099);
  });

  it('type 3 behind type 0 repeats a delta of 0', () => {
    expect(read(new ChunkTable(), bytesOf(0, 4, 1000), bytesOf(3, 4)).timestamp).toBe(1000);
  });

  it('type 3 inside a message goes on with it', () => {
    const table = new ChunkTable();
    const header = newChunkHeader();
    const stream = read(table, bytesOf(0, 4, 1000, 300), bytesOf(2, 4, 33));
    stream.missing = 100;
    readChunkHeader(table, bytesOf(3, 4), 0, header);
    expect(header).toMatchObject({ format: 3, starts: false, extended: false });
    expect(stream.timestamp).toBe(1033);
  });

  it('type 1 may be the first on a chunk stream, and belongs to message stream 0', () => {
    expect(read(new ChunkTable(), bytesOf(1, 2, 5, 6, 4))).toMatchObject({ timestamp: 5, type: 4, streamId: 0 });
  });

  it.each([2, 3])('type %i is refused as the first on a chunk stream', (format) => {
    const read0 = (): number => readChunkHeader(new ChunkTable(), bytesOf(format, 4), 0, newChunkHeader());
    expect(read0).toThrow(expect.objectContaining({ name: 'WireError', code: 'chunk-without-previous' }));
  });

  it('one more chunk stream than the cap is refused, those that are known go on', () => {
    const table = new ChunkTable();
    for (let id = 0; id < MAX_CHUNK_STREAMS; id += 1) read(table, bytesOf(0, 100 + id));
    expect(() => read(table, bytesOf(0, 50))).toThrow(expect.objectContaining({ code: 'too-many-chunk-streams' }));
    expect(() => read(table, bytesOf(3, 50))).toThrow(expect.objectContaining({ code: 'chunk-without-previous' }));
    expect(read(table, bytesOf(1, 101, 7)).timestamp).toBe(7);
    expect([...table.streams()]).toHaveLength(MAX_CHUNK_STREAMS);
  });
});

describe('extended timestamps', () => {
  it.each([0xfffffe, 0xffffff, 0x1000000, 0x7fffffff, 0x80000000, 0xffffffff])('%i is absolute in type 0', (time) => {
    const stream = read(new ChunkTable(), bytesOf(0, 4, time));
    expect(stream.timestamp).toBe(time);
    expect(stream.extension).toBe(time >= 0xffffff ? time : -1);
    expect(extensionOf(time)).toBe(stream.extension);
    const written = writeChunkHeader(0, { id: 4, time, length: 10, type: 9, streamId: 1 });
    expect(written.equals(bytesOf(0, 4, time))).toBe(true);
  });

  it.each([1, 2])('RTMP-44: are a delta in type %i', (format) => {
    const stream = read(new ChunkTable(), bytesOf(0, 4, 11_000), bytesOf(format, 4, 16_787_216));
    expect(stream).toMatchObject({ timestamp: 16_798_216, delta: 16_787_216, extension: 16_787_216 });
    const written = writeChunkHeader(2, { id: 4, time: 16_787_216, length: 0, type: 0, streamId: 0 });
    expect(written.equals(bytesOf(2, 4, 16_787_216))).toBe(true);
  });

  it('time wraps at 2^32', () => {
    expect(read(new ChunkTable(), bytesOf(0, 4, 0xfffffff0), bytesOf(2, 4, 32)).timestamp).toBe(16);
    const again = Buffer.concat([bytesOf(3, 4), u32(0xfffffff0)]);
    expect(read(new ChunkTable(), bytesOf(0, 4, 50), bytesOf(2, 4, 0xfffffff0), again).timestamp).toBe(18);
  });

  it('may hold a small number', () => {
    const small = Buffer.concat([bytesOf(0, 4, 0xffffff).subarray(0, 12), u32(7)]);
    expect(read(new ChunkTable(), small)).toMatchObject({ timestamp: 7, extension: 7 });
  });

  it('RTMP-45: are read from type 3 where they are repeated, and left in the payload where not', () => {
    const table = new ChunkTable();
    const header = newChunkHeader();
    const stream = read(table, bytesOf(0, 4, 20_000_000, 300));
    stream.missing = 100;
    expect(readChunkHeader(table, Buffer.concat([basic(3, 4), u32(20_000_000)]), 0, header)).toBe(5);
    expect(header.extended).toBe(true);
    expect(readChunkHeader(table, Buffer.concat([basic(3, 4), u32(20_000_001)]), 0, header)).toBe(1);
    expect(header.extended).toBe(false);
    // A writer that leaves it out of one chunk may have it in the next.
    expect(readChunkHeader(table, Buffer.concat([basic(3, 4), u32(20_000_000)]), 0, header)).toBe(5);
    expect(writeContinuation(4, 20_000_000).equals(Buffer.concat([basic(3, 4), u32(20_000_000)]))).toBe(true);
  });

  it('in type 3 are waited for as long as the bytes that are there could be theirs', () => {
    const table = new ChunkTable();
    const header = newChunkHeader();
    read(table, bytesOf(0, 4, 0x01020304)).missing = 10;
    for (let size = 0; size < 4; size += 1) {
      const front = Buffer.from([0xc4, 1, 2, 3].slice(0, 1 + size));
      expect(readChunkHeader(table, front, 0, header)).toBe(0);
      expect(readChunkHeader(table, Buffer.concat([front, Buffer.from([9])]), 0, header)).toBe(1);
    }
  });

  it('are gone with the next header that has none', () => {
    const table = new ChunkTable();
    const stream = read(table, bytesOf(0, 4, 20_000_000), bytesOf(2, 4, 20), bytesOf(3, 4));
    expect(stream).toMatchObject({ timestamp: 20_000_040, extension: -1 });
  });
});

describe('reading', () => {
  it('takes nothing of a header that is not whole, and changes nothing', () => {
    for (const id of [4, 64, 320]) {
      for (const format of [0, 1, 2, 3]) {
        for (const time of [5, 20_000_000]) {
          const table = new ChunkTable();
          const before = JSON.stringify(read(table, bytesOf(0, id, time)));
          const extended = format === 3 && time >= 0xffffff ? u32(time) : NONE;
          const bytes = Buffer.concat([bytesOf(format, id, time), extended]);
          for (let size = 0; size < bytes.length; size += 1) {
            expect(readChunkHeader(table, bytes.subarray(0, size), 0, newChunkHeader())).toBe(0);
            expect(JSON.stringify(table.find(id))).toBe(before);
          }
          expect(readChunkHeader(table, bytes, 0, newChunkHeader())).toBe(bytes.length);
        }
      }
    }
  });

  it('finds any header that was written, anywhere in a buffer', () => {
    const fields = fc.record({
      id: fc.integer({ min: 2, max: 65_599 }),
      time: fc.oneof(fc.nat(0xffffff), fc.integer({ min: 0, max: 0xffffffff })),
      length: fc.nat(0xffffff),
      type: fc.nat(255),
      streamId: fc.integer({ min: 0, max: 0xffffffff }),
    });
    fc.assert(
      fc.property(fields, fc.nat(20), (wanted, offset) => {
        const written = writeChunkHeader(0, wanted);
        expect(written.length).toBeLessThanOrEqual(MAX_HEADER_BYTES);
        const table = new ChunkTable();
        const header = newChunkHeader();
        const bytes = Buffer.concat([Buffer.alloc(offset, 0xff), written, Buffer.alloc(3)]);
        expect(readChunkHeader(table, bytes, offset, header)).toBe(written.length);
        const { id, time: timestamp, length, type, streamId } = wanted;
        expect(header.stream).toMatchObject({ id, timestamp, length, type, streamId });
      }),
      { numRuns: 300 },
    );
  });
});
