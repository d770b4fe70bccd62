import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ChunkReader } from '../../../../src/transports/rtmp/wire/chunk-reader.js';
import { ChunkTable } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import { writeFill, writeMessage, writeMessages } from '../../../../src/transports/rtmp/wire/chunk-writer.js';
import type { Message } from '../../../../src/transports/rtmp/wire/message.js';
import { line, StrictReader } from './reference.js';

const messages = fc.array(
  fc.record({
    chunkStreamId: fc.constantFrom(2, 3, 63, 64, 319, 320, 65_599),
    timestamp: fc.oneof(fc.nat(0xffffff), fc.nat(0xffffffff), fc.constantFrom(0xfffffe, 0xffffff, 0x1000000)),
    type: fc.constantFrom(3, 4, 17, 20),
    streamId: fc.nat(0xffffffff),
    payload: fc
      .tuple(fc.constantFrom(0, 1, 127, 128, 129, 256, 257, 1000), fc.nat(255))
      .map(([size, byte]) => Buffer.alloc(size, byte)),
  }),
  { maxLength: 6 },
);

describe('chunk writer', () => {
  it('writes what a strict reader and our own reader read', () => {
    fc.assert(
      fc.property(messages, fc.constantFrom(1, 127, 128, 129, 4096), (sent, chunkSize) => {
        const bytes = writeMessages(sent, chunkSize);
        const strict = new StrictReader(chunkSize);
        strict.push(bytes);
        expect(strict.messages.map(line)).toEqual(sent.map(line));
        const table = new ChunkTable();
        table.chunkSize = chunkSize;
        const reader = new ChunkReader(table, { maxBytes: 1 << 20 });
        reader.push(bytes);
        const read: Message[] = [];
        for (let next = reader.next(); next !== undefined; next = reader.next()) read.push(next);
        expect(read.map(line)).toEqual(sent.map(line));
      }),
      { numRuns: 150 },
    );
  });

  it('begins no chunk that would be empty', () => {
    const message = { chunkStreamId: 3, timestamp: 0, type: 20, streamId: 0, payload: Buffer.alloc(256, 1) };
    expect(writeMessage(message, 128)).toHaveLength(12 + 128 + 1 + 128);
    expect(writeMessage({ ...message, payload: Buffer.alloc(0) }, 128)).toHaveLength(12);
  });

  it.each([
    [1, 128, -1],
    [128, 128, -1],
    [129, 128, 20_000_000],
    [1000, 300, 0xffffff],
  ])('fills up %i bytes in chunks of %i', (missing, chunkSize, extension) => {
    const head = {
      chunkStreamId: 64,
      timestamp: Math.max(extension, 0),
      type: 9,
      streamId: 1,
      payload: Buffer.alloc(0),
    };
    const whole = writeMessage({ ...head, payload: Buffer.alloc(chunkSize + missing, 7) }, chunkSize);
    const strict = new StrictReader(chunkSize);
    strict.push(whole.subarray(0, 13 + (extension < 0 ? 0 : 4) + chunkSize));
    strict.push(writeFill(64, extension, missing, chunkSize));
    const payload = Buffer.concat([Buffer.alloc(chunkSize, 7), Buffer.alloc(missing)]);
    expect(strict.messages.map(line)).toEqual([line({ ...head, payload })]);
    expect(strict.waiting).toBe(0);
  });
});
