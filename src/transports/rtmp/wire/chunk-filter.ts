import { WireError } from '../../../model/errors.js';
import type { Guard, GuardOutput } from '../../../model/leg.js';
import { extensionOf, newChunkHeader, readChunkHeader, writeChunkHeader, writeContinuation } from './chunk-header.js';
import {
  AFTER_REWRITE,
  COLLECT,
  DROP,
  PASS,
  SYNCED,
  UNSYNCED,
  type ChunkStream,
  type ChunkTable,
  type Disposition,
} from './chunk-table.js';
import { writeFill, writeMessage } from './chunk-writer.js';
import { controlMessage, readControlNumber } from './control.js';
import { CONTROL_CHUNK_STREAM, isCommand, isControl, MESSAGE, type Message } from './message.js';

/** What the filter asks about the messages it meets. */
export interface FilterPolicy {
  /**
   * What to do with a message that starts now. Only answers: it may not inject, stop or throw.
   * Control messages are not asked about: they are always collected.
   */
  disposition(type: number, streamId: number, length: number): Disposition;
  /** A collected message is whole. Set Chunk Size and Abort never come here. May inject and stop. */
  message(message: Message): void;
  /** The reading side has received this many bytes in all; acknowledge if it is time. */
  received(total: number): void;
}

/** Sizes and names on the way out. */
export interface FilterOptions {
  /** Chunk size last announced to the far reader, in bytes. */
  readonly outChunkSize: number;
  /** Media of this stream passes; its message stream id is `to` for the far reader. */
  readonly streamId: { readonly from: number; readonly to: number };
  /** The near writer's Set Chunk Size is told on. False where nothing passes raw. */
  readonly forwardsChunkSize: boolean;
  /** Bytes read before the hand-over. */
  readonly initial: Buffer;
  /** Bytes that collected messages may hold together. */
  readonly maxCollectedBytes: number;
}

/**
 * A half message that misses up to this many bytes is filled up with zeros towards a reader that has had its first half.
 * All zeros together may not be more than this and what was received: nobody makes much out of little.
 */
export const MAX_FILL_BYTES = 1 << 20;
/** Chunks below or above these sizes do not pass as they came: messages are put together and cut anew. */
export const MIN_RAW_CHUNK_SIZE = 128;
export const MAX_RAW_CHUNK_SIZE = 1 << 20;
/** Messages of the gateway's own that may wait for the end of a chunk. */
const MAX_QUEUED = 64;
const EMPTY: Buffer = Buffer.alloc(0);
const NOWHERE: GuardOutput = { forward: () => undefined, reply: () => undefined };

/**
 * One direction of a guarded relay: chunks in, chunks out. Media passes as the bytes it came in; only headers are read.
 * Control messages stay on this hop, commands are collected for the policy, all else is dropped. A chunk stream whose state
 * the far reader does not share starts again with a type-0 header, so that both ends agree on every bit of framing:
 * type-3 chunks always carry their extended timestamp on the way out, and a message that its writer abandoned is filled up.
 * Nothing the near writer does can make the far reader see a message here that the policy has not seen.
 * @see RTMP 1.0 §5.3
 */
export class ChunkFilter implements Guard {
  readonly #table: ChunkTable;
  readonly #policy: FilterPolicy;
  readonly #options: FilterOptions;
  readonly #header = newChunkHeader();
  #outChunkSize: number;
  /** Bytes that were not read: those of before the hand-over, the front of a cut header, what follows a stop. */
  #held: Buffer;
  #parts: Buffer[] = [];
  #queued: Message[] = [];
  #filled = 0;
  #pushing = false;
  #stopped = false;
  /** Chunk streams on which the far reader was left with half a message by the stop; and whether with half a chunk. */
  readonly #cut = new Set<number>();
  #isCutInChunk = false;
  #out: GuardOutput = NOWHERE;
  // The input of this push, where it is read, and where the stretch began that goes on as it came.
  #input: Buffer = EMPTY;
  #at = 0;
  #runStart = 0;

  constructor(table: ChunkTable, policy: FilterPolicy, options: FilterOptions) {
    this.#table = table;
    this.#policy = policy;
    this.#options = options;
    this.#outChunkSize = options.outChunkSize;
    this.#held = options.initial;
    for (const stream of table.streams()) stream.sync = UNSYNCED;
  }

  /**
   * Reads what came and sends on what may pass; after a stop it only keeps what came.
   * Throws WireError: `chunk-without-previous`, `too-many-chunk-streams`, `chunk-size`, `control-short`, `message-too-large`,
   * `message-abandoned`, `too-much-after-stop`, and what the policy throws. What passed before goes out all the same.
   */
  push(bytes: Buffer, out: GuardOutput): void {
    this.#table.received += bytes.length;
    if (this.#stopped) {
      this.#keep(bytes);
      return;
    }
    this.#out = out;
    this.#input = this.#held.length > 0 ? Buffer.concat([this.#held, bytes]) : bytes;
    this.#held = EMPTY;
    this.#at = 0;
    this.#runStart = 0;
    this.#pushing = true;
    try {
      this.#scan();
      this.#policy.received(this.#table.received);
    } finally {
      this.#pushing = false;
      this.#skip(this.#at, this.#at);
      if (this.#at < this.#input.length) this.#held = Buffer.from(this.#input.subarray(this.#at));
      this.#input = EMPTY;
      this.#send(out);
    }
  }

  /** Sends bytes back to where this direction's bytes come from; from the first push on. */
  reply(bytes: Buffer): void {
    this.#out.reply(bytes);
  }

  /**
   * Puts a message of the gateway's own into this direction, at the next place where one chunk may follow another.
   * `send` is used when this direction is not being read just now and the place is here. After a stop only a message whose place
   * is here is sent, always by `send`.
   */
  inject(message: Message, send: (bytes: Buffer) => void): void {
    if (!this.#mayInject(message.chunkStreamId)) {
      if (!this.#stopped && this.#queued.length < MAX_QUEUED) this.#queued.push(message);
      return;
    }
    this.#say(this.#encode(message), send);
  }

  /**
   * Tells the far reader another chunk size. Only where `inject` is possible at once, as at the start.
   * Throws WireError `chunk-size` inside a message on chunk stream 2, and when it would cut a message that is passing.
   */
  resize(size: number, send: (bytes: Buffer) => void): void {
    if (size === this.#outChunkSize) return;
    if (!this.#mayInject(CONTROL_CHUNK_STREAM) || (size !== this.#table.chunkSize && this.#isInsideMessage())) {
      throw new WireError('chunk-size', 'no Set Chunk Size inside a message');
    }
    const bytes = this.#encode(controlMessage(MESSAGE.setChunkSize, size));
    this.#outChunkSize = size;
    this.#say(bytes, send);
  }

  /** Stops after the message at hand, and sends on what has passed. What follows stays unread; `rest()` gives it. */
  stop(): void {
    const { current, chunkLeft } = this.#table;
    if (chunkLeft > 0 && current?.disposition === PASS) this.#isCutInChunk = true;
    this.#stopped = true;
    for (const stream of this.#table.streams()) {
      const { missing } = stream;
      if (missing === 0 || (stream.disposition === COLLECT && isForReader(stream.type))) continue;
      if (stream.disposition === PASS) this.#cut.add(stream.id);
      // The reader reads over the rest of it.
      this.#table.forget(stream);
      stream.missing = missing;
      stream.disposition = DROP;
    }
    this.#skip(this.#at, this.#at);
    this.#send(this.#out);
  }

  /** Bytes that were received and not read, for the reader that goes on with the table; the filter forgets them. Inside a push, too. */
  rest(): Buffer {
    this.#skip(this.#at, this.#at);
    const rest = Buffer.concat([this.#held, this.#input.subarray(this.#at)]);
    this.#held = EMPTY;
    this.#input = EMPTY;
    this.#at = 0;
    this.#runStart = 0;
    return rest;
  }

  #keep(bytes: Buffer): void {
    if (this.#held.length + bytes.length > this.#options.maxCollectedBytes) {
      throw new WireError('too-much-after-stop', `at most ${this.#options.maxCollectedBytes} bytes after the end`);
    }
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  #scan(): void {
    const table = this.#table;
    for (;;) {
      if (table.chunkLeft > 0) this.#body();
      if (table.chunkLeft > 0 || this.#stopped) return;
      if (this.#queued.length > 0) this.#flushQueue();
      const size = readChunkHeader(table, this.#input, this.#at, this.#header);
      if (size === 0) return;
      this.#take(size);
    }
  }

  /** Payload of the chunk at hand. */
  #body(): void {
    const table = this.#table;
    const stream = table.current as ChunkStream;
    const from = this.#at;
    const taken = Math.min(table.chunkLeft, this.#input.length - from);
    this.#at = from + taken;
    table.chunkLeft -= taken;
    stream.missing -= taken;
    if (stream.disposition === PASS) return;
    this.#skip(from, this.#at);
    if (stream.disposition === DROP) return;
    const { maxCollectedBytes } = this.#options;
    table.collect(stream, this.#input.subarray(from, this.#at), maxCollectedBytes, 'message-too-large');
    if (stream.missing === 0) this.#judge(stream);
  }

  /** A whole header of `size` bytes lies at the front. */
  #take(size: number): void {
    const table = this.#table;
    const stream = this.#header.stream as ChunkStream;
    const from = this.#at;
    if (this.#header.starts) {
      if (stream.missing > 0) this.#abandon(stream);
      stream.disposition = this.#dispose(stream);
      stream.missing = stream.length;
    }
    this.#at = from + size;
    table.current = stream;
    table.chunkLeft = Math.min(stream.missing, table.chunkSize);
    if (stream.disposition === PASS) {
      if (this.#header.starts) this.#passStart(stream, from);
      else this.#passRepeated(stream, from);
      return;
    }
    this.#skip(from, this.#at);
    stream.sync = UNSYNCED;
    if (stream.missing === 0 && stream.disposition === COLLECT) this.#judge(stream);
  }

  #dispose(stream: ChunkStream): Disposition {
    if (isControl(stream.type)) return COLLECT;
    const wanted = this.#policy.disposition(stream.type, stream.streamId, stream.length);
    return wanted === PASS && this.#table.chunkSize !== this.#outChunkSize ? COLLECT : wanted;
  }

  /** The header of a message that passes: as it came where the far reader's state agrees, else replaced by one that makes it agree. */
  #passStart(stream: ChunkStream, from: number): void {
    const format = this.#header.format;
    const streamId = this.#options.streamId.to;
    const { id, length, type } = stream;
    if (stream.sync === UNSYNCED || (format === 0 && stream.streamId !== streamId)) {
      this.#replace(from, writeChunkHeader(0, { id, time: stream.timestamp, length, type, streamId }));
      stream.outExtension = extensionOf(stream.timestamp);
      stream.sync = AFTER_REWRITE;
      return;
    }
    if (format !== 3) {
      stream.outExtension = stream.extension;
    } else if (stream.sync === AFTER_REWRITE) {
      this.#replace(from, writeChunkHeader(2, { id, time: stream.delta, length, type, streamId }));
      stream.outExtension = extensionOf(stream.delta);
    } else {
      this.#passRepeated(stream, from);
    }
    stream.sync = SYNCED;
  }

  /** A type-3 header, with the extended timestamp that the far reader waits for behind the header it has seen. */
  #passRepeated(stream: ChunkStream, from: number): void {
    const extension = this.#header.extended ? stream.extension : -1;
    if (extension !== stream.outExtension) this.#replace(from, writeContinuation(stream.id, stream.outExtension));
  }

  /** The writer gave a message up in its middle: the reader that has its first half gets the rest as zeros. */
  #abandon(stream: ChunkStream): void {
    const { id, missing } = stream;
    if (stream.disposition === PASS) {
      this.#filled += missing;
      if (missing > MAX_FILL_BYTES || this.#filled > MAX_FILL_BYTES + this.#table.received) {
        throw new WireError('message-abandoned', `at most ${MAX_FILL_BYTES} bytes to fill up`);
      }
      this.#emit(writeFill(id, stream.outExtension, missing, this.#outChunkSize));
    }
    this.#table.forget(stream);
  }

  #judge(stream: ChunkStream): void {
    const payload = this.#table.take(stream);
    const { id: chunkStreamId, timestamp, type, streamId } = stream;
    switch (type) {
      case MESSAGE.setChunkSize:
        this.#resizeIn(readControlNumber(payload));
        break;
      case MESSAGE.abort: {
        const aborted = this.#table.find(readControlNumber(payload));
        if (aborted !== undefined && aborted.missing > 0) this.#abandon(aborted);
        break;
      }
      default:
        this.#policy.message({ chunkStreamId, timestamp, type, streamId, payload });
    }
  }

  #resizeIn(size: number): void {
    const table = this.#table;
    table.resize(size);
    if (this.#options.forwardsChunkSize && isRawSize(table.chunkSize)) {
      this.resize(table.chunkSize, () => undefined);
    } else if (table.chunkSize !== this.#outChunkSize && this.#isInsideMessage()) {
      throw new WireError('chunk-size', `${MIN_RAW_CHUNK_SIZE} to ${MAX_RAW_CHUNK_SIZE} bytes inside a message`);
    }
  }

  /** Whether the far reader has half a message of any chunk stream. */
  #isInsideMessage(): boolean {
    for (const stream of this.#table.streams()) if (stream.missing > 0 && stream.disposition === PASS) return true;
    return false;
  }

  #mayInject(id: number): boolean {
    if (this.#isCutInChunk || this.#cut.has(id)) return false;
    const current = this.#table.current;
    if (this.#table.chunkLeft > 0 && current?.disposition === PASS) return false;
    const stream = this.#table.find(id);
    return stream === undefined || stream.missing === 0 || stream.disposition !== PASS;
  }

  #encode(message: Message): Buffer {
    const stream = this.#table.find(message.chunkStreamId);
    if (stream !== undefined) stream.sync = UNSYNCED;
    return writeMessage(message, this.#outChunkSize);
  }

  #say(bytes: Buffer, send: (bytes: Buffer) => void): void {
    if (this.#pushing && !this.#stopped) this.#emit(bytes);
    else send(bytes);
  }

  #flushQueue(): void {
    const waiting = this.#queued;
    this.#queued = [];
    for (const message of waiting) this.inject(message, () => undefined);
  }

  /** Puts bytes of ours between what has passed and what follows. */
  #emit(bytes: Buffer): void {
    this.#replace(this.#at, bytes);
  }

  #replace(from: number, bytes: Buffer): void {
    this.#skip(from, this.#at);
    this.#parts.push(bytes);
  }

  /** Ends the stretch that passes at `from`; the next one starts at `to`. */
  #skip(from: number, to: number): void {
    if (from > this.#runStart) this.#parts.push(this.#slice(this.#runStart, from));
    this.#runStart = to;
  }

  /** A read that passes whole, which most do, needs no second Buffer over its bytes (test/bench/chunk-filter.mjs). */
  #slice(from: number, to: number): Buffer {
    return from === 0 && to === this.#input.length ? this.#input : this.#input.subarray(from, to);
  }

  #send(out: GuardOutput): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    out.forward(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }
}

/** Whether a message that was begun here is finished by a reader of commands. */
function isForReader(type: number): boolean {
  return isControl(type) || isCommand(type);
}

/** Whether chunks of this size pass as they came. */
export function isRawSize(chunkSize: number): boolean {
  return chunkSize >= MIN_RAW_CHUNK_SIZE && chunkSize <= MAX_RAW_CHUNK_SIZE;
}
