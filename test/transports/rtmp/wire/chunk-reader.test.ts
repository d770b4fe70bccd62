import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { ChunkReader } from '../../../../src/transports/rtmp/wire/chunk-reader.js';
import { ChunkTable } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import type { Message } from '../../../../src/transports/rtmp/wire/message.js';
import { expectedJudged, ROUNDS, scenario } from './filter-bed.js';
import { basic, Dice, line, type Plain, PlainWriter, u24, u32, u32le } from './reference.js';

const LIMITS = { maxBytes: 65_536 };
const ALL_SIZES = [1, 2, 64, 127, 128, 129, 4096, 1_048_577, 134_217_728, 0x7fffffff];

function reader(table = new ChunkTable()): ChunkReader {
  return new ChunkReader(table, LIMITS);
}

function all(from: ChunkReader): Message[] {
  const found: Message[] = [];
  for (let next = from.next(); next !== undefined; next = from.next()) found.push(next);
  return found;
}

function lines(messages: readonly Plain[]): string[] {
  return messages.map(line);
}

function command(id: number, length: number, timestamp = 0): Plain {
  return { chunkStreamId: id, timestamp, type: 20, streamId: 0, payload: new Dice(length).bytes(length) };
}

function video(id: number, length: number): Plain {
  return { chunkStreamId: id, timestamp: 0, type: 9, streamId: 1, payload: Buffer.alloc(length, 0xc3) };
}

function write(fill: (writer: PlainWriter) => void): Buffer {
  const writer = new PlainWriter(new Dice(1));
  fill(writer);
  return writer.bytes();
}

describe('any legal conversation', () => {
  it.each(['repeats', 'omits', 'mixed'] as const)('gives its commands when the extended timestamp %s', (dialect) => {
    for (let seed = 1; seed <= 30 * ROUNDS; seed += 1) {
      const dice = new Dice(seed);
      const writer = scenario(dice, { dialect, abandons: true, chunkSizes: ALL_SIZES });
      const table = new ChunkTable();
      const from = reader(table);
      const found: Message[] = [];
      for (const piece of dice.split(writer.bytes(), 500)) {
        from.push(piece);
        found.push(...all(from));
      }
      expect(lines(found)).toEqual(lines(expectedJudged(writer)));
      expect(table.received).toBe(writer.size);
      expect(from.heldBytes).toBe(0);
    }
  });

  it('gives the same wherever it is cut in two, and one byte at a time', () => {
    const options = { dialect: 'mixed', abandons: true, chunkSizes: [64, 128, 4096], steps: 30 } as const;
    const writer = scenario(new Dice(7), options);
    const bytes = writer.bytes();
    const expected = lines(expectedJudged(writer));
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const from = reader();
      from.push(bytes.subarray(0, cut));
      const found = all(from);
      from.push(bytes.subarray(cut));
      expect(lines([...found, ...all(from)])).toEqual(expected);
    }
    const slow = reader();
    const found: Message[] = [];
    for (const byte of bytes) {
      slow.push(Buffer.from([byte]));
      found.push(...all(slow));
    }
    expect(lines(found)).toEqual(expected);
  });

  it('goes on from the rest and the table of another reader at any message', () => {
    const writer = scenario(new Dice(11), { dialect: 'mixed', chunkSizes: ALL_SIZES, steps: 90 });
    const expected = lines(expectedJudged(writer));
    for (let count = 0; count <= expected.length; count += 1) {
      const table = new ChunkTable();
      const first = reader(table);
      first.push(writer.bytes());
      const found: Message[] = [];
      while (found.length < count) found.push(first.next() as Message);
      const second = reader(table);
      second.push(first.rest(), false);
      expect(first.rest()).toHaveLength(0);
      expect(lines([...found, ...all(second)])).toEqual(expected);
      expect(table.received).toBe(writer.size);
    }
  });
});

describe('Set Chunk Size', () => {
  it('RTMP-40: begins at 128 on every connection', () => {
    expect(new ChunkTable().chunkSize).toBe(128);
  });

  it.each([0, 0x80000000, 0xffffffff])('RTMP-42: of %i is refused', (size) => {
    const from = reader();
    from.push(write((writer) => writer.setChunkSize(size)));
    expect(() => from.next()).toThrow(expect.objectContaining({ name: 'WireError', code: 'chunk-size' }));
  });

  it.each([1, 127, 65_536, 0xffffff, 134_217_728, 0x7fffffff])('of %i holds from the next chunk on', (size) => {
    const from = reader();
    const sent = command(3, 1000);
    from.push(
      write((writer) => {
        writer.begin(sent);
        writer.setChunkSize(size);
        writer.finish();
      }),
    );
    expect(lines(all(from))).toEqual([line(sent)]);
  });

  it('is kept apart for the two directions: the table is the one of the peer', () => {
    const [client, origin] = [new ChunkTable(), new ChunkTable()];
    client.resize(4096);
    expect([client.chunkSize, origin.chunkSize]).toEqual([4096, 128]);
  });

  it.each([1, 2])('type %i with fewer than four bytes is refused', (type) => {
    for (let length = 0; length < 4; length += 1) {
      const from = reader();
      from.push(write((writer) => writer.write({ ...command(2, length), type })));
      expect(() => from.next()).toThrow(expect.objectContaining({ code: 'control-short' }));
    }
  });
});

describe('messages that do not end', () => {
  it('Abort throws away the half message and frees its bytes', () => {
    const table = new ChunkTable();
    const from = reader(table);
    const next = command(3, 200);
    from.push(
      write((writer) => {
        writer.begin(command(3, 1000));
        writer.abort(3);
      }),
    );
    expect(all(from)).toEqual([]);
    expect(table.collected).toBe(0);
    from.push(
      Buffer.concat([basic(0, 3), u24(0), u24(200), Buffer.from([20]), u32le(0), next.payload.subarray(0, 128)]),
    );
    from.push(Buffer.concat([basic(3, 3), next.payload.subarray(128)]));
    expect(lines(all(from))).toEqual([line(next)]);
  });

  it('Abort of a chunk stream that is between messages, or that nobody knows, does nothing', () => {
    const from = reader();
    const sent = command(3, 20);
    from.push(
      write((writer) => {
        writer.write(sent);
        writer.abort(3);
        writer.abort(77);
        writer.write(sent, 0);
      }),
    );
    expect(lines(all(from))).toEqual([line(sent), line(sent)]);
  });

  it('RTMP-41: a message that begins anew in its middle counts from its new beginning', () => {
    const table = new ChunkTable();
    const from = reader(table);
    const second = command(4, 300);
    from.push(
      write((writer) => {
        writer.begin(command(4, 5000));
        writer.write(second, 1);
      }),
    );
    expect(lines(all(from))).toEqual([line(second)]);
    expect(table.collected).toBe(0);
  });
});

describe('what a peer can make us hold', () => {
  it('is nothing of media, however much of it comes', () => {
    const table = new ChunkTable();
    const from = reader(table);
    const bytes = write((writer) => writer.write(video(6, 500_000)));
    for (let at = 0; at < bytes.length; at += 1000) {
      from.push(bytes.subarray(at, at + 1000));
      expect(from.next()).toBeUndefined();
      expect(from.heldBytes).toBeLessThan(18);
    }
    expect(table.received).toBe(bytes.length);
  });

  it('is not what a header announces (red5-server 456)', () => {
    const table = new ChunkTable();
    const from = reader(table);
    from.push(Buffer.concat([basic(0, 3), u24(0), u24(0xffffff), Buffer.from([20]), u32le(0), Buffer.alloc(100)]));
    expect(from.next()).toBeUndefined();
    expect(from.heldBytes).toBe(100);
    expect(table.find(3)?.room.length).toBeLessThan(1000);
  });

  it('ends at the limit, over all chunk streams together', () => {
    const from = reader();
    const bytes = write((writer) => {
      writer.setChunkSize(20_000);
      for (let id = 3; id < 8; id += 1) writer.begin(command(id, 40_000));
    });
    from.push(bytes);
    const code = 'too-much-before-decision';
    expect(() => all(from)).toThrow(expect.objectContaining({ name: 'WireError', code }));
    expect(() => all(from)).toThrow(expect.objectContaining({ code }));
  });

  it('counts input that nobody has read yet', () => {
    const from = reader();
    from.push(Buffer.alloc(65_536));
    from.guardHeld();
    from.push(Buffer.alloc(1));
    expect(() => from.guardHeld()).toThrow(expect.objectContaining({ code: 'too-much-before-decision' }));
  });

  it('has no object for each byte, even in chunks of one byte (red5-server 475)', () => {
    const table = new ChunkTable();
    const from = reader(table);
    const sent = command(3, 60_000);
    from.push(
      write((writer) => {
        writer.setChunkSize(1);
        writer.write(sent);
      }),
    );
    const half = Buffer.from(from.rest().subarray(0, 90_000));
    from.push(half, false);
    expect(from.next()).toBeUndefined();
    expect(table.find(3)?.room.length).toBeLessThanOrEqual(2 * (table.find(3)?.filled ?? 0));
  });

  it('does not share memory with the bytes that were pushed', () => {
    const from = reader();
    const sent = command(3, 100);
    const bytes = write((writer) => writer.write(sent));
    from.push(bytes);
    bytes.fill(0);
    expect(lines(all(from))).toEqual([line(sent)]);
  });
});

describe('hostile bytes', () => {
  it('give commands, control messages or a WireError, and hold no more than the limit', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.nat(3), fc.constantFrom(2, 3, 4, 64), fc.nat(300), fc.nat(23)).map(([format, id, length, type]) => {
        const rest = [u24(0), Buffer.concat([u24(length), Buffer.from([type])]), u32le(1)];
        return Buffer.concat([basic(format, id), ...rest.slice(0, 3 - format)]);
      }),
      fc
        .constantFrom(1, 128, 0xffffff)
        .map((size) => Buffer.concat([basic(0, 2), u24(0), u24(4), Buffer.from([1]), u32le(0), u32(size)])),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const table = new ChunkTable();
        const from = new ChunkReader(table, { maxBytes: 1000 });
        try {
          for (const bytes of pieces) {
            from.push(bytes);
            for (const message of all(from)) expect([3, 4, 5, 6, 17, 20]).toContain(message.type);
            expect(from.heldBytes).toBeLessThanOrEqual(1018);
          }
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
        }
      }),
      { numRuns: 500 * ROUNDS },
    );
  });
});
