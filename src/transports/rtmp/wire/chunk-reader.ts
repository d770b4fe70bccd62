import { WireError } from '../../../model/errors.js';
import { newChunkHeader, readChunkHeader } from './chunk-header.js';
import { COLLECT, DROP, type ChunkStream, type ChunkTable } from './chunk-table.js';
import { readControlNumber } from './control.js';
import { isCommand, isControl, MESSAGE, type Message } from './message.js';

/** How much a peer may make us hold before the decision. */
export interface ReaderLimits {
  /** Bytes in half-read messages and unread input together. */
  readonly maxBytes: number;
}

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Puts messages together from chunks while commands are exchanged. Control messages and commands are given out,
 * in the order in which they end; media and data before a stream is open are read over without being kept.
 * Set Chunk Size and Abort are applied and not given out.
 *
 * Pull with `next()` until it says undefined. The state lives in the table, so that a relay can go on from any point:
 * take `rest()` and the table.
 * @see RTMP 1.0 §5.3
 */
export class ChunkReader {
  readonly #table: ChunkTable;
  readonly #limits: ReaderLimits;
  readonly #header = newChunkHeader();
  #input: Buffer = EMPTY;

  constructor(table: ChunkTable, limits: ReaderLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  /** Bytes that are held for this peer. */
  get heldBytes(): number {
    return this.#input.length + this.#table.collected;
  }

  /** Throws WireError `too-much-before-decision` when more is held than the limit: for a peer that is not being read just now. */
  guardHeld(): void {
    if (this.heldBytes > this.#limits.maxBytes) {
      throw new WireError('too-much-before-decision', `at most ${this.#limits.maxBytes} bytes before a stream is open`);
    }
  }

  /** Adds bytes, which are copied. `counted` is false for bytes that were counted as received before. */
  push(bytes: Buffer, counted = true): void {
    if (counted) this.#table.received += bytes.length;
    this.#input = Buffer.concat([this.#input, bytes]);
  }

  /** What has not been read yet; the reader forgets it. */
  rest(): Buffer {
    const rest = this.#input;
    this.#input = EMPTY;
    return rest;
  }

  /**
   * The next whole command or control message, or undefined when more bytes are needed.
   * Throws WireError for what no client may send, and `too-much-before-decision` beyond the limit.
   */
  next(): Message | undefined {
    const table = this.#table;
    for (;;) {
      if (table.chunkLeft === 0 && !this.#readHeader()) return undefined;
      const stream = table.current as ChunkStream;
      this.#keep(stream, Math.min(table.chunkLeft, this.#input.length));
      if (table.chunkLeft > 0) return undefined;
      if (stream.missing > 0 || stream.disposition !== COLLECT) continue;
      const message = this.#finish(stream);
      if (message !== undefined) return message;
    }
  }

  #readHeader(): boolean {
    const table = this.#table;
    const size = readChunkHeader(table, this.#input, 0, this.#header);
    if (size === 0) return false;
    this.#advance(size);
    const stream = this.#header.stream as ChunkStream;
    if (this.#header.starts) {
      table.forget(stream);
      stream.missing = stream.length;
      stream.disposition = isControl(stream.type) || isCommand(stream.type) ? COLLECT : DROP;
    }
    table.current = stream;
    table.chunkLeft = Math.min(stream.missing, table.chunkSize);
    return true;
  }

  #keep(stream: ChunkStream, taken: number): void {
    const table = this.#table;
    if (stream.disposition === COLLECT && taken > 0) {
      table.collect(stream, this.#input.subarray(0, taken), this.#limits.maxBytes, 'too-much-before-decision');
    }
    this.#advance(taken);
    table.chunkLeft -= taken;
    stream.missing -= taken;
  }

  #finish(stream: ChunkStream): Message | undefined {
    const table = this.#table;
    const payload = table.take(stream);
    switch (stream.type) {
      case MESSAGE.setChunkSize:
        table.resize(readControlNumber(payload));
        return undefined;
      case MESSAGE.abort: {
        const aborted = table.find(readControlNumber(payload));
        if (aborted !== undefined) table.forget(aborted);
        return undefined;
      }
      default: {
        const { id: chunkStreamId, timestamp, type, streamId } = stream;
        return { chunkStreamId, timestamp, type, streamId, payload };
      }
    }
  }

  /** Input that is read is let go: an idle peer must not pin the buffer of its last read. */
  #advance(size: number): void {
    this.#input = size === this.#input.length ? EMPTY : this.#input.subarray(size);
  }
}
