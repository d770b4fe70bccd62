import { ChunkFilter, type FilterOptions, isRawSize } from '../../../../src/transports/rtmp/wire/chunk-filter.js';
import { ChunkTable, COLLECT, DROP, PASS, type Disposition } from '../../../../src/transports/rtmp/wire/chunk-table.js';
import type { Message } from '../../../../src/transports/rtmp/wire/message.js';
import { type Dice, type Dialect, type Plain, PlainWriter, type Sent } from './reference.js';

/** Message stream ids of the client's own stream: as the client knows it, and as the origin does. */
export const NEAR_STREAM = 1;
export const FAR_STREAM = 7;

/** Audio, video and both forms of data. */
export const MEDIA: readonly number[] = [8, 9, 15, 18];
const COMMANDS: readonly number[] = [17, 20];
/** Every random test runs so many times its usual length: 1 in the test run, more by hand or at night. */
export const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1);
/** Payload of the gateway's own messages begins so. */
export const OWN_WORDS = 'INJECTED';

export function dispose(type: number, streamId: number): Disposition {
  if (MEDIA.includes(type) && streamId === NEAR_STREAM) return PASS;
  return COMMANDS.includes(type) ? COLLECT : DROP;
}

/** A filter with a policy like the guard's, and everything that comes out of it. */
export class FilterBed {
  readonly filter: ChunkFilter;
  readonly table: ChunkTable;
  readonly out: Buffer[] = [];
  readonly replies: Buffer[] = [];
  /** What the policy was given. */
  readonly judged: Message[] = [];
  /** Type and length of each message that the policy let pass. */
  readonly passed: string[] = [];
  readonly injected: Message[] = [];
  /** Called with every message the policy is given, after the usual. */
  onMessage: (message: Message) => void = () => undefined;
  receivedTotals: number[] = [];

  constructor(options: Partial<FilterOptions> = {}, table = new ChunkTable()) {
    this.table = table;
    this.filter = new ChunkFilter(
      table,
      {
        disposition: (type, streamId, length) => {
          const wanted = dispose(type, streamId);
          if (wanted === PASS) this.passed.push(`${type}/${length}`);
          return wanted;
        },
        message: (message) => {
          this.judged.push(message);
          if (MEDIA.includes(message.type)) this.send({ ...message, streamId: FAR_STREAM });
          this.onMessage(message);
        },
        received: (total) => this.receivedTotals.push(total),
      },
      {
        outChunkSize: 128,
        streamId: { from: NEAR_STREAM, to: FAR_STREAM },
        forwardsChunkSize: true,
        initial: Buffer.alloc(0),
        maxCollectedBytes: 4 << 20,
        ...options,
      },
    );
  }

  push(bytes: Buffer): void {
    // The relay reads into one buffer again and again: nothing of it may be kept.
    const shared = Buffer.from(bytes);
    this.filter.push(shared, {
      forward: (passing) => this.out.push(Buffer.from(passing)),
      reply: (answer) => this.replies.push(Buffer.from(answer)),
    });
    shared.fill(0xee);
  }

  send(message: Message): void {
    this.filter.inject(message, (bytes) => this.out.push(Buffer.from(bytes)));
  }

  /** Sends a message that can be told from all others. */
  sendOwn(chunkStreamId: number, type = 20, extra = 0): Message {
    const payload = Buffer.from(`${OWN_WORDS} ${this.injected.length} ${'.'.repeat(extra)}`);
    const message = { chunkStreamId, timestamp: 0, type, streamId: 0, payload };
    this.injected.push(message);
    this.send(message);
    return message;
  }

  /** As the owner does at the start: tells the far reader the size that its writer uses. */
  agree(): void {
    if (isRawSize(this.table.chunkSize)) {
      this.filter.resize(this.table.chunkSize, (bytes) => this.out.push(Buffer.from(bytes)));
    }
  }

  output(): Buffer {
    return Buffer.concat(this.out);
  }
}

export interface ScenarioOptions {
  readonly dialect?: Dialect;
  /** Chunk sizes that the writer changes to. */
  readonly chunkSizes?: readonly number[];
  readonly steps?: number;
  /** Messages may be given up half. */
  readonly abandons?: boolean;
  readonly ids?: readonly number[];
}

const IDS = [3, 4, 6, 8, 63, 64, 65, 319, 320, 321, 1000, 65599];
const STARTS = [0, 0, 16_777_000, 16_777_214, 2 ** 31 - 20, 2 ** 32 - 300];
const DELTAS = [0, 1, 20, 20, 20, 23, 33, 40, 1000, 16_777_214, 16_777_215, 20_000_000, 2 ** 31, 2 ** 32 - 5];
const LENGTHS = [0, 1, 3, 100, 127, 128, 129, 129, 300, 300, 300, 1000, 5000];

/** Writes a random legal conversation: all header formats, interleaved, sizes that change, commands and control between. */
export function scenario(dice: Dice, options: ScenarioOptions = {}): PlainWriter {
  const writer = new PlainWriter(dice, options.dialect);
  const pool = options.ids ?? IDS;
  const ids = Array.from({ length: 1 + dice.below(4) }, () => dice.pick(pool));
  const start = dice.pick(STARTS);
  for (let step = options.steps ?? 60; step > 0; step -= 1) {
    const open = [...writer.open.keys()];
    const roll = dice.below(20);
    if (open.length > 0 && roll < 12) writer.goOn(dice.pick(open));
    else if (roll === 12) changeSize(dice, writer, options.chunkSizes ?? []);
    else if (roll === 13 && options.abandons === true && open.length > 0) writer.abort(dice.pick([...open, 5]));
    else beginSomewhere(dice, writer, ids, start, options.abandons === true);
  }
  writer.finish();
  return writer;
}

function changeSize(dice: Dice, writer: PlainWriter, sizes: readonly number[]): void {
  if (sizes.length === 0) return;
  const size = dice.pick(sizes);
  const wasRaw = isRaw(writer.chunkSize);
  // Inside of messages that pass only sizes that pass are allowed, and messages that are put together may not become raw half.
  if (writer.open.size > 0 && !(isRaw(size) && wasRaw)) return;
  writer.setChunkSize(size, dice.chance(3) ? 5 : 2);
}

function isRaw(size: number): boolean {
  return size >= 128 && size <= 1_048_576;
}

function beginSomewhere(
  dice: Dice,
  writer: PlainWriter,
  ids: readonly number[],
  start: number,
  abandons: boolean,
): void {
  const id = dice.pick(ids);
  if (writer.open.has(id) && !(abandons && dice.chance(3))) return;
  const message = randomMessage(dice, writer, id, start);
  const formats = writer.formats(message);
  // Mostly as real writers do: the shortest header that is allowed.
  writer.begin(message, dice.chance(3) ? dice.pick(formats) : formats.at(-1));
}

function randomMessage(dice: Dice, writer: PlainWriter, id: number, start: number): Plain {
  const state = writer.state(id);
  const repeats = state !== undefined && !dice.chance(3);
  const delta = repeats && dice.chance(2) ? state.delta : dice.pick(DELTAS);
  const timestamp = state === undefined || dice.chance(12) ? start : (state.timestamp + delta) >>> 0;
  const kind = dice.below(20);
  let type = dice.pick(MEDIA);
  let streamId = NEAR_STREAM;
  if (repeats && kind < 12) ({ type, streamId } = state);
  else if (kind === 15) type = dice.pick(COMMANDS);
  else if (kind === 16) type = dice.pick([16, 19, 22, 0, 7, 200]);
  else if (kind === 17) type = dice.pick([3, 4, 5, 6]);
  else if (kind === 18) streamId = dice.pick([0, 2, FAR_STREAM, 2 ** 32 - 1]);
  if (type === 1 || type === 2) type = 9;
  const length = repeats && dice.chance(2) ? state.length : dice.pick(LENGTHS);
  return { chunkStreamId: id, timestamp, type, streamId, payload: dice.bytes(length) };
}

/**
 * What the far reader must find: media that began at or behind `from`, in the order of its end. Raw messages that were given up are
 * filled with zeros, those that were put together are gone.
 */
export function expectedMedia(writer: Pick<PlainWriter, 'ended'>, from = 0): Plain[] {
  const expected: Plain[] = [];
  for (const sent of writer.ended) {
    if (sent.start < from || dispose(sent.type, sent.streamId) !== PASS) continue;
    if (sent.isAbandoned && !isRaw(sent.chunkSizeAtStart)) continue;
    expected.push({ ...plain(sent), streamId: FAR_STREAM });
  }
  return expected;
}

/** Commands and control messages that the policy, or a reader, must be given: those that end behind `from`. */
export function expectedJudged(writer: PlainWriter, from = 0): Plain[] {
  return writer.ended
    .filter((sent) => sent.end > from && !sent.isAbandoned)
    .filter((sent) => COMMANDS.includes(sent.type) || (sent.type >= 3 && sent.type <= 6))
    .map(plain);
}

function plain(sent: Sent): Plain {
  const { chunkStreamId, timestamp, type, streamId } = sent;
  const payload = Buffer.alloc(sent.payload.length);
  sent.payload.copy(payload, 0, 0, sent.isAbandoned ? sent.written : sent.payload.length);
  return { chunkStreamId, timestamp, type, streamId, payload };
}
