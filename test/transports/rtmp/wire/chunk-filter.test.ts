import { describe, expect, it } from '@jest/globals';
import { WireError } from '../../../../src/model/errors.js';
import { ChunkReader } from '../../../../src/transports/rtmp/wire/chunk-reader.js';
import { ChunkTable } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import type { Message } from '../../../../src/transports/rtmp/wire/message.js';
import {
  expectedJudged,
  expectedMedia,
  FAR_STREAM,
  FilterBed,
  MEDIA,
  NEAR_STREAM,
  OWN_WORDS,
  ROUNDS,
  scenario,
  type ScenarioOptions,
} from './filter-bed.js';
import { Dice, line, type Plain, PlainWriter, StrictReader } from './reference.js';

const RAW_SIZES = [128, 129, 200, 4096, 60_000, 1_048_576];
const ALL_SIZES = [1, 2, 64, 127, 128, 129, 4096, 1_048_577, 134_217_728, 0x7fffffff];
const DIALECTS = ['repeats', 'omits', 'mixed'] as const;

function read(bytes: Buffer, chunkSize = 128): StrictReader {
  const reader = new StrictReader(chunkSize);
  reader.push(bytes);
  return reader;
}

function lines(messages: readonly Plain[]): string[] {
  return messages.map(line);
}

/** Runs the filter over a conversation and compares what the strict reader finds with what was sent. */
function check(seed: number, options: ScenarioOptions, outChunkSize = 128): void {
  const dice = new Dice(seed);
  const writer = scenario(dice, options);
  const bed = new FilterBed({ outChunkSize });
  bed.agree();
  for (const piece of dice.split(writer.bytes(), 700)) bed.push(piece);
  const far = read(bed.output(), outChunkSize);
  expect(lines(far.messages)).toEqual(lines(expectedMedia(writer)));
  expect({ halves: far.halves, waiting: far.waiting }).toEqual({ halves: [], waiting: 0 });
  const judged = bed.judged.filter((message) => !MEDIA.includes(message.type));
  expect(lines(judged)).toEqual(lines(expectedJudged(writer)));
  expect(bed.receivedTotals.at(-1)).toBe(writer.size);
  expect(bed.table.collected).toBe(0);
}

describe('any legal conversation', () => {
  it.each(DIALECTS)('reaches a strict reader as it was sent when the extended timestamp %s', (dialect) => {
    for (let seed = 1; seed < 1 + 30 * ROUNDS; seed += 1) check(seed, { dialect });
  });

  it.each(DIALECTS)('survives changes of the chunk size in the midst of other messages (%s)', (dialect) => {
    for (let seed = 1000; seed < 1000 + 30 * ROUNDS; seed += 1) check(seed, { dialect, chunkSizes: RAW_SIZES }, 4096);
  });

  it('is cut anew where its chunks are too small or too large to pass', () => {
    for (let seed = 2000; seed < 2000 + 38 * ROUNDS; seed += 1)
      check(seed, { chunkSizes: ALL_SIZES, dialect: 'mixed' });
  });

  it('has its half messages filled up with zeros', () => {
    for (let seed = 3000; seed < 3000 + 38 * ROUNDS; seed += 1) {
      check(seed, { chunkSizes: ALL_SIZES, dialect: 'mixed', abandons: true });
    }
  });

  it('holds through long conversations on one chunk stream', () => {
    for (let seed = 4000; seed < 4000 + 12 * ROUNDS; seed += 1) {
      check(seed, { ids: [4], steps: 250, dialect: 'mixed', abandons: true, chunkSizes: RAW_SIZES });
    }
  });

  it('gives the same bytes wherever it is cut in two', () => {
    for (let seed = 1; seed < 1 + 12 * ROUNDS; seed += 1) {
      const options = { dialect: 'mixed', abandons: true, chunkSizes: ALL_SIZES, steps: 25 } as const;
      const bytes = scenario(new Dice(seed), options).bytes();
      const whole = new FilterBed();
      whole.push(bytes);
      const expected = whole.output();
      for (let cut = 1; cut < bytes.length; cut += bytes.length > 2000 ? 17 : 1) {
        const bed = new FilterBed();
        bed.push(bytes.subarray(0, cut));
        bed.push(bytes.subarray(cut));
        expect(bed.output().equals(expected)).toBe(true);
      }
    }
  });

  it('gives the same bytes one at a time', () => {
    for (let seed = 50; seed < 50 + 12 * ROUNDS; seed += 1) {
      const bytes = scenario(new Dice(seed), { dialect: 'mixed', abandons: true, chunkSizes: ALL_SIZES }).bytes();
      const whole = new FilterBed();
      whole.push(bytes);
      const bed = new FilterBed();
      for (let at = 0; at < bytes.length; at += 1) bed.push(bytes.subarray(at, at + 1));
      expect(bed.output().equals(whole.output())).toBe(true);
    }
  });
});

describe('hand-over', () => {
  it('goes on from any message that a reader has read, and hands back to a reader at any other', () => {
    for (let seed = 1; seed < 1 + 75 * ROUNDS; seed += 1) handOver(seed);
  });

  function handOver(seed: number): void {
    const dice = new Dice(seed);
    const writer = scenario(dice, { dialect: dice.pick(DIALECTS), abandons: true, chunkSizes: ALL_SIZES, steps: 90 });
    const commands = expectedJudged(writer);
    const pieces = dice.split(writer.bytes(), 900);
    const table = new ChunkTable();
    const first = new ChunkReader(table, { maxBytes: 1 << 20 });
    const readFirst = dice.below(commands.length + 1);
    const heard: Message[] = [];
    while (heard.length < readFirst) {
      const message = first.next();
      if (message !== undefined) heard.push(message);
      else first.push(pieces.shift() as Buffer);
    }
    const from = table.received - first.heldBytes + table.collected;
    const outChunkSize = dice.pick([128, 4096]);
    const bed = new FilterBed({ outChunkSize, initial: first.rest() }, table);
    bed.agree();
    const stopAfter = readFirst + 1 + dice.below(Math.max(1, commands.length - readFirst));
    let rest: Buffer | undefined;
    bed.onMessage = (message) => {
      if (MEDIA.includes(message.type)) return;
      heard.push(message);
      if (heard.length !== stopAfter) return;
      bed.filter.stop();
      bed.sendOwn(12_345);
      // The owner takes the rest at once, while the push is still on the stack, or later.
      if (dice.chance(2)) rest = bed.filter.rest();
    };
    bed.push(Buffer.alloc(0));
    while (heard.length < stopAfter && pieces.length > 0) bed.push(pieces.shift() as Buffer);
    // What began before the hand-over is not the far reader's.
    const far = read(bed.output(), outChunkSize);
    const isStopped = heard.length === stopAfter;
    const until = isStopped ? endOf(writer, heard.length) : Infinity;
    const media = far.messages.filter((message) => message.type !== 20);
    expect(lines(media)).toEqual(lines(expectedMedia(writer, from)).slice(0, media.length));
    expect(media.length).toBe(endedBetween(writer, from, until));
    expect(far.messages.length - media.length).toBe(isStopped ? 1 : 0);
    const second = new ChunkReader(table, { maxBytes: 1 << 20 });
    second.push(rest ?? bed.filter.rest(), false);
    for (;;) {
      const message = second.next();
      if (message !== undefined) heard.push(message);
      else if (pieces.length > 0) second.push(pieces.shift() as Buffer);
      else break;
    }
    expect(lines(heard)).toEqual(lines(commands));
    expect(table.received).toBe(writer.size);
  }

  function endOf(writer: PlainWriter, count: number): number {
    const ended = writer.ended.filter((sent) => !sent.isAbandoned && [3, 4, 5, 6, 17, 20].includes(sent.type));
    return (ended[count - 1] as { end: number }).end;
  }

  function endedBetween(writer: PlainWriter, from: number, until: number): number {
    const all = expectedMedia(writer, from).length;
    // That a message was given up shows only behind the stop, when the next header begins.
    const late = { ended: writer.ended.filter((sent) => sent.end > until || (sent.isAbandoned && sent.end === until)) };
    return all - expectedMedia(late, from).length;
  }
});

describe('messages of the gateway', () => {
  it('find a place between chunks at any moment', () => {
    for (let seed = 1; seed < 1 + 50 * ROUNDS; seed += 1) {
      const dice = new Dice(seed);
      const options = { dialect: dice.pick(DIALECTS), abandons: true, chunkSizes: ALL_SIZES };
      const writer = scenario(dice, options);
      const bed = new FilterBed();
      bed.onMessage = (message) => {
        if (message.type === 20)
          bed.sendOwn(dice.pick([2, 3, message.chunkStreamId]), dice.pick([3, 20]), dice.below(400));
      };
      for (const piece of dice.split(writer.bytes(), 400)) {
        bed.push(piece);
        if (dice.chance(6)) bed.sendOwn(dice.pick([2, 3, 4, 6, 64, 320, 65_599]), dice.pick([4, 20]), dice.below(400));
      }
      bed.push(Buffer.alloc(0));
      const far = read(bed.output());
      const own = far.messages.filter((message) => message.payload.toString('latin1').startsWith(OWN_WORDS));
      const media = far.messages.filter((message) => !own.includes(message));
      expect(lines(media)).toEqual(lines(expectedMedia(writer)));
      expect(lines(own).sort()).toEqual(lines(bed.injected).sort());
      expect({ halves: far.halves, waiting: far.waiting }).toEqual({ halves: [], waiting: 0 });
    }
  });

  it('wait for the end of the chunk, and on their own chunk stream for the end of the message', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 300));
    const bytes = writer.bytes();
    const bed = new FilterBed();
    bed.push(bytes.subarray(0, 50));
    bed.sendOwn(2, 3);
    bed.sendOwn(4);
    expect(read(bed.output()).messages).toEqual([]);
    bed.push(bytes.subarray(50, 200));
    expect(read(bed.output()).messages.map(({ type }) => type)).toEqual([3]);
    bed.push(bytes.subarray(200));
    expect(read(bed.output()).messages.map(({ type }) => type)).toEqual([3, 9, 20]);
  });

  it('are forgotten when more than 64 wait', () => {
    const bed = new FilterBed();
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 100));
    bed.push(writer.bytes().subarray(0, 50));
    for (let count = 0; count < 70; count += 1) bed.sendOwn(3);
    bed.push(writer.bytes().subarray(50));
    expect(read(bed.output()).messages).toHaveLength(65);
  });

  it('go out at once while nothing passes', () => {
    const bed = new FilterBed();
    bed.sendOwn(3);
    const writer = new PlainWriter(new Dice(1));
    writer.write({ ...media(4, 300), streamId: 9 });
    bed.push(writer.bytes().subarray(0, 100));
    bed.sendOwn(4);
    expect(lines(read(bed.output()).messages)).toEqual(lines(bed.injected));
  });

  it('answer the side the bytes came from, once it has sent any', () => {
    const bed = new FilterBed();
    bed.filter.reply(Buffer.from('lost'));
    bed.push(Buffer.alloc(0));
    bed.filter.reply(Buffer.from('said'));
    expect(Buffer.concat(bed.replies).toString()).toBe('said');
  });
});

function media(id: number, length: number, timestamp = 0, type = 9): Plain {
  return {
    chunkStreamId: id,
    timestamp,
    type,
    streamId: NEAR_STREAM,
    payload: Buffer.alloc(length, 0x61 + (length % 26)),
  };
}

function command(id: number, length = 20): Plain {
  return { chunkStreamId: id, timestamp: 0, type: 20, streamId: 0, payload: Buffer.alloc(length, 0x63) };
}

describe('the end of a relay', () => {
  it('sends what passed before anything that is said after it', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 10));
    writer.write(command(3));
    writer.write(media(4, 10, 5));
    const bed = new FilterBed();
    bed.onMessage = () => {
      bed.filter.stop();
      bed.sendOwn(3);
      expect(read(bed.output()).messages.map(({ type }) => type)).toEqual([9, 20]);
    };
    bed.push(writer.bytes());
    expect(read(bed.output()).messages).toHaveLength(2);
  });

  it('keeps what comes later for the reader, up to a cap', () => {
    const bed = new FilterBed({ maxCollectedBytes: 100 });
    bed.filter.stop();
    bed.push(Buffer.from('first '));
    bed.push(Buffer.from('second'));
    expect(bed.filter.rest().toString()).toBe('first second');
    expect(bed.filter.rest()).toHaveLength(0);
    bed.push(Buffer.alloc(60));
    expect(() => bed.push(Buffer.alloc(60))).toThrow('too-much-after-stop');
    expect(bed.table.received).toBe(132);
  });

  it('says nothing into half a chunk', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 300));
    const bed = new FilterBed();
    bed.push(writer.bytes().subarray(0, 50));
    bed.filter.stop();
    bed.filter.stop();
    bed.sendOwn(3);
    bed.push(writer.bytes().subarray(50));
    bed.sendOwn(3);
    expect(read(bed.output()).messages).toEqual([]);
    expect(bed.output().equals(writer.bytes().subarray(0, 50))).toBe(false);
    expect(bed.output()).toHaveLength(50);
  });

  it('says nothing on a chunk stream with half a message, but on others', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.begin(media(4, 300));
    const bed = new FilterBed();
    bed.push(writer.bytes());
    bed.filter.stop();
    bed.sendOwn(4);
    bed.sendOwn(3);
    const far = read(bed.output());
    expect(lines(far.messages)).toEqual(lines(bed.injected.slice(1)));
    expect(far.halves).toEqual([4]);
  });

  it('lets a second relay over the same table begin anew, since another far reader knows nothing', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 300, 20_000_000));
    writer.write(media(4, 300, 20_000_020), 2);
    const first = new FilterBed();
    first.push(writer.bytes());
    first.filter.stop();
    const from = writer.size;
    for (let count = 2; count < 5; count += 1) writer.write(media(4, 300, 20_000_000 + 20 * count), 3);
    const second = new FilterBed({}, first.table);
    second.push(writer.bytes().subarray(from));
    expect(lines(read(second.output()).messages)).toEqual(lines(expectedMedia(writer, from)));
  });

  it('leaves a half command to the reader', () => {
    const writer = new PlainWriter(new Dice(1));
    const spoken = { ...command(3, 300), payload: new Dice(3).bytes(300) };
    writer.write(spoken);
    const bed = new FilterBed();
    bed.push(writer.bytes().subarray(0, 150));
    bed.filter.stop();
    const reader = new ChunkReader(bed.table, { maxBytes: 1000 });
    reader.push(bed.filter.rest(), false);
    reader.push(writer.bytes().subarray(150));
    expect(line(reader.next() as Message)).toBe(line(spoken));
  });
});

describe('vectors', () => {
  function pass(bytes: Buffer, options = {}): Plain[] {
    const bed = new FilterBed(options);
    bed.push(bytes);
    const far = read(bed.output());
    expect({ halves: far.halves, waiting: far.waiting }).toEqual({ halves: [], waiting: 0 });
    return far.messages;
  }

  it('RTMP-41: a message that changes its length in the middle is filled up, and the next one is whole', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.setChunkSize(4096);
    writer.begin(media(4, 154_678));
    const next = media(4, 134_574, 33);
    writer.write(next, 1);
    const [half, whole] = pass(writer.bytes()) as [Plain, Plain];
    expect(half.payload).toHaveLength(154_678);
    expect(half.payload.subarray(4096).every((byte) => byte === 0)).toBe(true);
    expect(line(whole)).toBe(line({ ...next, streamId: FAR_STREAM }));
  });

  it('RTMP-44: an extended timestamp of type 1 is a delta', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 10, 11_000), 0);
    writer.write(media(4, 300, 16_787_216 + 1000), 1);
    expect(pass(writer.bytes()).map(({ timestamp }) => timestamp)).toEqual([11_000, 16_788_216]);
  });

  it('RTMP-46, RTMP-47: time goes on over 2^24, 2^31 and 2^32', () => {
    const writer = new PlainWriter(new Dice(1));
    const times = [16_777_000, 16_777_214, 16_777_215, 16_777_216, 2 ** 31 - 1, 2 ** 31 + 5, 2 ** 32 - 1, 4, 24, 44];
    for (const time of times) writer.write(media(4, 300, time));
    expect(pass(writer.bytes()).map(({ timestamp }) => timestamp)).toEqual(times);
  });

  it('RTMP-45: type 3 may leave the extended timestamp out, even where little payload is left', () => {
    for (const length of [129, 130, 131, 132, 300]) {
      const writer = new PlainWriter(new Dice(1), 'omits');
      writer.write(media(4, length, 20_000_000));
      expect(pass(writer.bytes())).toHaveLength(1);
    }
  });

  it('waits for no extended timestamp where another byte shows that none is there', () => {
    const writer = new PlainWriter(new Dice(1), 'omits');
    writer.write(media(4, 129, 20_000_000));
    writer.write(media(4, 129, 20_000_000), 3);
    const [first] = pass(writer.bytes());
    expect(first?.payload).toHaveLength(129);
  });

  it('a type-3 message behind a replaced type-0 header with extended timestamp needs none itself, nor does the next one', () => {
    const writer = new PlainWriter(new Dice(1));
    for (let count = 0; count < 4; count += 1) writer.write(media(4, 300, 20_000_000), count === 0 ? 0 : 3);
    expect(pass(writer.bytes()).map(({ timestamp }) => timestamp)).toEqual([
      20_000_000, 20_000_000, 20_000_000, 20_000_000,
    ]);
  });

  it('every message of the own stream has the id the far reader knows, whatever the header', () => {
    const writer = new PlainWriter(new Dice(1));
    for (let count = 0; count < 6; count += 1) writer.write(media(4, 10, count * 20), count === 3 ? 0 : undefined);
    expect(new Set(pass(writer.bytes()).map(({ streamId }) => streamId))).toEqual(new Set([FAR_STREAM]));
  });

  it('passes the bytes as they came where both ids are the same and the state agrees', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 300));
    const first = writer.size;
    for (let count = 1; count < 9; count += 1) writer.write(media(4, 300, count * 20), count === 5 ? 0 : undefined);
    const bytes = writer.bytes();
    const bed = new FilterBed({ streamId: { from: NEAR_STREAM, to: NEAR_STREAM } });
    bed.push(bytes.subarray(0, first));
    bed.out.length = 0;
    bed.push(bytes.subarray(first));
    // The second message is of type 1 or 2; only a type 3 behind the first would have been written anew.
    expect(bed.output().equals(bytes.subarray(first))).toBe(true);
  });

  it('does not copy a stretch that passes', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.write(media(4, 300));
    const first = writer.size;
    writer.write(media(4, 300, 20), 1);
    const bed = new FilterBed();
    bed.push(writer.bytes().subarray(0, first));
    const bytes = Buffer.from(writer.bytes().subarray(first));
    let passed: Buffer | undefined;
    bed.filter.push(bytes, { forward: (passing) => (passed = passing), reply: () => undefined });
    expect(passed?.buffer).toBe(bytes.buffer);
  });

  it('a type-1 header may be the first of a chunk stream; its message stream is 0', () => {
    const bed = new FilterBed();
    bed.push(Buffer.from([0x42, 0, 0, 0, 0, 0, 6, 4, 0, 3, 0, 0, 0, 1]));
    expect(bed.judged.map(({ type, streamId }) => ({ type, streamId }))).toEqual([{ type: 4, streamId: 0 }]);
  });

  it('RTMP-49: a chunk size behind publish is told on before the first message in it', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.setChunkSize(1000);
    writer.write(media(4, 900, 0, 18));
    const bed = new FilterBed();
    bed.push(writer.bytes());
    const far = read(bed.output());
    expect(far.chunkSize).toBe(1000);
    expect(far.messages).toHaveLength(1);
  });

  it('is told on only where media passes this way', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.setChunkSize(1000);
    writer.write(command(3, 900));
    writer.write(media(4, 900));
    const bed = new FilterBed({ forwardsChunkSize: false });
    bed.push(writer.bytes());
    const far = read(bed.output());
    expect(far.chunkSize).toBe(128);
    // What does not fit the far reader's chunks is put together and cut anew.
    expect(far.messages.map(({ type }) => type)).toEqual([9]);
  });

  it('the same chunk size once more is not told', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.setChunkSize(128);
    const bed = new FilterBed();
    bed.push(writer.bytes());
    expect(bed.output()).toHaveLength(0);
  });

  it.each([16, 19, 22, 1, 2, 3, 4, 5, 6, 17, 20, 0, 7, 255])('type %i never reaches the far reader', (type) => {
    for (const streamId of [0, NEAR_STREAM, FAR_STREAM]) {
      const bed = new FilterBed();
      const writer = new PlainWriter(new Dice(1));
      writer.write(media(4, 10));
      writer.write({
        chunkStreamId: 4,
        timestamp: 5,
        type,
        streamId,
        payload: Buffer.from([0, 0, 0, 128, 0, 0, 0, 0]),
      });
      writer.write(media(4, 8, 9), 0);
      bed.push(writer.bytes());
      expect(read(bed.output()).messages.map((message) => message.type)).toEqual([9, 9]);
    }
  });
});

describe('refusals', () => {
  function refusal(fill: (writer: PlainWriter) => void, options = {}): string {
    const writer = new PlainWriter(new Dice(1));
    fill(writer);
    const bed = new FilterBed(options);
    try {
      bed.push(writer.bytes());
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
      // Whatever happened, what went out is whole chunks.
      const far = read(bed.output());
      bed.sendOwn(1234);
      far.push(bed.output().subarray(bed.output().length - (bed.out.at(-1) as Buffer).length));
      expect(far.messages.at(-1)?.payload.toString()).toMatch(OWN_WORDS);
      return (error as WireError).code;
    }
    return 'none';
  }

  const cases: readonly (readonly [string, string, (writer: PlainWriter) => void])[] = [
    ['RTMP-42: a chunk size of 0', 'chunk-size', (writer) => writer.setChunkSize(0)],
    ['RTMP-42: a chunk size with the top bit set', 'chunk-size', (writer) => writer.setChunkSize(0x80000000)],
    [
      'a chunk size too small to pass inside a message that passes',
      'chunk-size',
      (writer) => {
        writer.begin(media(4, 300));
        writer.setChunkSize(64);
      },
    ],
    [
      'a chunk size inside a message on chunk stream 2',
      'chunk-size',
      (writer) => {
        writer.begin(media(2, 300));
        writer.setChunkSize(4096, 3);
      },
    ],
    [
      'a command beyond the cap',
      'message-too-large',
      (writer) => {
        writer.write(media(4, 40));
        writer.write(command(3, 2000));
      },
    ],
    [
      'a half message too large to fill up',
      'message-abandoned',
      (writer) => {
        writer.begin(media(4, 2 ** 21));
        writer.write(media(4, 40), 1);
      },
    ],
    [
      'a Set Chunk Size of three bytes',
      'control-short',
      (writer) => writer.write({ ...command(2), type: 1, payload: Buffer.alloc(3) }),
    ],
  ];

  it.each(cases)('refuses %s', (_what, code, fill) => {
    expect(refusal(fill, { maxCollectedBytes: 1000 })).toBe(code);
  });

  it('refuses to make much out of little: zeros are paid for in bytes', () => {
    const code = refusal((writer) => {
      for (let count = 0; count < 20; count += 1) writer.begin(media(4, 1_000_000));
    });
    expect(code).toBe('message-abandoned');
  });

  it('refuses a type-2 or type-3 header first on a chunk stream', () => {
    for (const first of [0x84, 0xc4]) {
      expect(() => new FilterBed().push(Buffer.from([first, 0, 0, 0, 0]))).toThrow('chunk-without-previous');
    }
  });

  it('refuses a chunk size of the owner that would cut a message that is passing', () => {
    const writer = new PlainWriter(new Dice(1));
    writer.begin(media(4, 300));
    const bed = new FilterBed();
    bed.push(writer.bytes());
    expect(() => bed.filter.resize(4096, () => undefined)).toThrow('chunk-size');
    expect(bed.table.chunkSize).toBe(128);
  });
});
