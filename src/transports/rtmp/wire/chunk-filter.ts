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
import { writeMessage } from './chunk-writer.js';
import { controlMessage, readControlNumber } from './control.js';
import { MESSAGE, type Message } from './message.js';

/** What the filter asks about the messages it meets. */
export interface FilterPolicy {
  /** What to do with a message that starts now. Control messages are not asked about: they are always collected. */
  disposition(type: number, streamId: number, length: number): Disposition;
  /** A collected message is whole. Set Chunk Size and Abort never come here. */
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

/** A half message of up to this size is filled up with zeros towards a reader that has had its first half. */
export const MAX_FILL_BYTES = 1 << 20;
/** Chunks below or above these sizes do not pass as they came: messages are put together and cut anew. */
export const MIN_RAW_CHUNK_SIZE = 128;
export const MAX_RAW_CHUNK_SIZE = 1 << 20;
/** Messages of the gateway's own that may wait for the end of a chunk. */
const MAX_QUEUED = 64;
const EMPTY: Buffer = Buffer.alloc(0);
const ZEROS = Buffer.alloc(4096);

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
  #initial: Buffer;
  /** The front of a header that was cut by the end of a read. */
  #held: Buffer = EMPTY;
  #parts: Buffer[] = [];
  #queued: Message[] = [];
  #pushing = false;
  #stopped = false;
  #out: GuardOutput | undefined;
  // The stretch of the input that goes on as it came.
  #input: Buffer = EMPTY;
  #runStart = 0;
  #at = 0;

  constructor(table: ChunkTable, policy: FilterPolicy, options: FilterOptions) {
    this.#table = table;
    this.#policy = policy;
    this.#options = options;
    this.#outChunkSize = options.outChunkSize;
    this.#initial = options.initial;
    for (const stream of table.streams()) stream.sync = UNSYNCED;
  }

  /** Reads what came and sends on what may pass. Throws WireError. */
  push(bytes: Buffer, out: GuardOutput): void {
    if (this.#stopped) return;
    this.#out = out;
    this.#table.received += bytes.length;
    this.#pushing = true;
    try {
      if (this.#initial.length > 0) {
        const initial = this.#initial;
        this.#initial = EMPTY;
        this.#scan(initial);
      }
      if (this.#isStopped()) this.#initial = Buffer.concat([this.#initial, bytes]);
      else this.#scan(bytes);
      this.#policy.received(this.#table.received);
    } finally {
      this.#pushing = false;
      this.#input = EMPTY;
      this.#send(out);
    }
  }

  /** Sends bytes back to where this direction's bytes come from. Only inside a push. */
  reply(bytes: Buffer): void {
    this.#out?.reply(bytes);
  }

  /**
   * Puts a message of the gateway's own into this direction, at the next place where one chunk may follow another.
   * `send` is used when this direction is not being read just now and the place is here.
   */
  inject(message: Message, send: (bytes: Buffer) => void): void {
    if (!this.#mayInject(message.chunkStreamId)) {
      if (this.#queued.length < MAX_QUEUED) this.#queued.push(message);
      return;
    }
    const bytes = this.#encode(message);
    if (this.#pushing) this.#emit(bytes);
    else send(bytes);
  }

  /** Tells the far reader another chunk size. Only where `inject` is possible at once, as at the start. */
  resize(size: number, send: (bytes: Buffer) => void): void {
    if (size === this.#outChunkSize) return;
    if (!this.#mayInject(2)) throw new WireError('chunk-size', 'no Set Chunk Size inside a message on chunk stream 2');
    const bytes = this.#encode(controlMessage(MESSAGE.setChunkSize, size));
    this.#outChunkSize = size;
    if (this.#pushing) this.#emit(bytes);
    else send(bytes);
  }

  /** Stops after the message at hand. What follows it stays unread; `rest()` gives it. */
  stop(): void {
    this.#stopped = true;
    for (const stream of this.#table.streams()) {
      stream.sync = UNSYNCED;
      if (stream.disposition === PASS) stream.disposition = DROP;
    }
  }

  /** Bytes that were received and not read. For the reader that goes on with the table. */
  rest(): Buffer {
    return Buffer.concat([this.#held, this.#initial]);
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #scan(received: Buffer): void {
    const table = this.#table;
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, received]) : received;
    this.#held = EMPTY;
    this.#input = bytes;
    this.#runStart = 0;
    this.#at = 0;
    while (!this.#stopped) {
      if (table.chunkLeft > 0) this.#body(bytes);
      if (table.chunkLeft > 0 || this.#isStopped()) break;
      if (this.#queued.length > 0) this.#flushQueue();
      const size = readChunkHeader(table, bytes, this.#at, this.#header);
      if (size === 0) break;
      this.#take(size);
    }
    this.#endRun();
    if (this.#stopped) this.#initial = Buffer.from(bytes.subarray(this.#at));
    else if (this.#at < bytes.length) this.#held = Buffer.from(bytes.subarray(this.#at));
  }

  /** Payload of the chunk at hand. */
  #body(bytes: Buffer): void {
    const table = this.#table;
    const stream = table.current as ChunkStream;
    const from = this.#at;
    const taken = Math.min(table.chunkLeft, bytes.length - from);
    this.#at = from + taken;
    table.chunkLeft -= taken;
    stream.missing -= taken;
    if (stream.disposition !== PASS) {
      this.#skip(from, this.#at);
      if (stream.disposition === COLLECT && taken > 0) this.#collect(stream, bytes.subarray(from, this.#at));
    }
    if (stream.missing === 0 && stream.disposition === COLLECT) this.#judge(stream);
  }

  /** A whole header of `size` bytes lies at the front. */
  #take(size: number): void {
    const table = this.#table;
    const header = this.#header;
    const stream = header.stream as ChunkStream;
    const from = this.#at;
    this.#at = from + size;
    table.current = stream;
    if (!header.starts) {
      table.chunkLeft = Math.min(stream.missing, table.chunkSize);
      if (stream.disposition !== PASS) this.#skip(from, this.#at);
      else if (header.extended ? stream.outExtension !== stream.extension : stream.outExtension >= 0) {
        this.#replace(from, writeContinuation(stream.id, stream.outExtension));
      }
      return;
    }
    if (header.abandoned > 0) this.#abandon(stream, header.abandoned, from);
    stream.missing = stream.length;
    table.chunkLeft = Math.min(stream.missing, table.chunkSize);
    stream.disposition = this.#dispose(stream);
    if (stream.disposition === PASS) this.#passStart(stream, from);
    else {
      stream.sync = UNSYNCED;
      this.#skip(from, this.#at);
      if (stream.missing === 0 && stream.disposition === COLLECT) this.#judge(stream);
    }
  }

  #dispose(stream: ChunkStream): Disposition {
    if (stream.type >= MESSAGE.setChunkSize && stream.type <= MESSAGE.setPeerBandwidth) return COLLECT;
    const wanted = this.#policy.disposition(stream.type, stream.streamId, stream.length);
    return wanted === PASS && !isRawSize(this.#table.chunkSize) ? COLLECT : wanted;
  }

  /** The header of a message that passes: as it came where the far reader's state agrees, else replaced by one that makes it agree. */
  #passStart(stream: ChunkStream, from: number): void {
    const format = this.#header.format;
    const ids = this.#options.streamId;
    const renumbered = format === 0 && ids.from !== ids.to;
    if (stream.sync === UNSYNCED || renumbered) {
      const { id, timestamp: time, length, type } = stream;
      this.#replace(from, writeChunkHeader(0, { id, time, length, type, streamId: ids.to }));
      stream.outExtension = extensionOf(time);
      stream.sync = AFTER_REWRITE;
      return;
    }
    stream.outExtension = stream.extension;
    if (format === 3 && stream.sync === AFTER_REWRITE) {
      const { id, delta: time, length, type } = stream;
      this.#replace(from, writeChunkHeader(2, { id, time, length, type, streamId: ids.to }));
      stream.outExtension = extensionOf(time);
    } else if (format === 3 && !this.#header.extended && stream.extension >= 0) {
      this.#replace(from, writeContinuation(stream.id, stream.extension));
    }
    stream.sync = SYNCED;
  }

  /** The writer began anew in the middle of a message: the reader that has its first half gets the rest as zeros. */
  #abandon(stream: ChunkStream, missing: number, from: number): void {
    if (stream.disposition === PASS) {
      if (missing > MAX_FILL_BYTES)
        throw new WireError('message-abandoned', `at most ${MAX_FILL_BYTES} bytes to fill up`);
      this.#skip(from, from);
      const continuation = writeContinuation(stream.id, stream.outExtension);
      for (let left = missing; left > 0;) {
        const chunk = Math.min(left, this.#outChunkSize);
        this.#parts.push(continuation);
        for (let at = 0; at < chunk; at += ZEROS.length)
          this.#parts.push(ZEROS.subarray(0, Math.min(ZEROS.length, chunk - at)));
        left -= chunk;
      }
    }
    this.#forget(stream);
  }

  #collect(stream: ChunkStream, bytes: Buffer): void {
    const table = this.#table;
    stream.pieces.push(Buffer.from(bytes));
    table.collected += bytes.length;
    if (table.collected > this.#options.maxCollectedBytes) {
      throw new WireError('message-too-large', `at most ${this.#options.maxCollectedBytes} bytes in commands`);
    }
  }

  #judge(stream: ChunkStream): void {
    const payload = Buffer.concat(stream.pieces);
    this.#forget(stream);
    const { id: chunkStreamId, timestamp, type, streamId } = stream;
    switch (type) {
      case MESSAGE.setChunkSize:
        this.#resizeIn(readControlNumber(payload));
        break;
      case MESSAGE.abort:
        this.#abort(readControlNumber(payload));
        break;
      default:
        this.#policy.message({ chunkStreamId, timestamp, type, streamId, payload });
    }
  }

  #resizeIn(size: number): void {
    const table = this.#table;
    table.resize(size);
    if (!this.#options.forwardsChunkSize) return;
    if (isRawSize(table.chunkSize)) {
      this.resize(table.chunkSize, () => undefined);
      return;
    }
    for (const stream of table.streams()) {
      if (stream.missing > 0 && stream.disposition === PASS) {
        throw new WireError('chunk-size', `${MIN_RAW_CHUNK_SIZE} to ${MAX_RAW_CHUNK_SIZE} bytes inside a message`);
      }
    }
  }

  #abort(id: number): void {
    const stream = this.#table.find(id);
    if (stream !== undefined && stream.missing > 0) this.#abandon(stream, stream.missing, this.#at);
  }

  #forget(stream: ChunkStream): void {
    for (const piece of stream.pieces) this.#table.collected -= piece.length;
    stream.discard();
  }

  #mayInject(id: number): boolean {
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

  #flushQueue(): void {
    const waiting = this.#queued;
    this.#queued = [];
    for (const message of waiting) this.inject(message, () => undefined);
  }

  /** Puts bytes of ours between what has passed and what follows. */
  #emit(bytes: Buffer): void {
    this.#skip(this.#at, this.#at);
    this.#parts.push(bytes);
  }

  #replace(from: number, bytes: Buffer): void {
    this.#skip(from, this.#at);
    this.#parts.push(bytes);
  }

  /** Ends the stretch that passes at `from`; the next one starts at `to`. */
  #skip(from: number, to: number): void {
    if (from > this.#runStart) this.#parts.push(this.#input.subarray(this.#runStart, from));
    this.#runStart = to;
  }

  #endRun(): void {
    if (this.#at > this.#runStart) this.#parts.push(this.#input.subarray(this.#runStart, this.#at));
    this.#runStart = this.#at;
  }

  #send(out: GuardOutput): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    out.forward(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
  }
}

/** Whether chunks of this size pass as they came. */
export function isRawSize(chunkSize: number): boolean {
  return chunkSize >= MIN_RAW_CHUNK_SIZE && chunkSize <= MAX_RAW_CHUNK_SIZE;
}
