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
      const stream = table.current;
      if (stream === undefined) continue;
      const taken = Math.min(table.chunkLeft, this.#input.length);
      this.#keep(stream, taken);
      if (table.chunkLeft > 0) return undefined;
      if (stream.missing > 0) continue;
      const message = this.#finish(stream);
      if (message !== undefined) return message;
    }
  }

  #readHeader(): boolean {
    const table = this.#table;
    const size = readChunkHeader(table, this.#input, 0, this.#header);
    if (size === 0) return false;
    this.#input = this.#input.subarray(size);
    const stream = this.#header.stream as ChunkStream;
    if (this.#header.starts) {
      this.#forget(stream);
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
      stream.pieces.push(Buffer.from(this.#input.subarray(0, taken)));
      table.collected += taken;
      if (table.collected > this.#limits.maxBytes) {
        throw new WireError(
          'too-much-before-decision',
          `at most ${this.#limits.maxBytes} bytes before a stream is open`,
        );
      }
    }
    this.#input = this.#input.subarray(taken);
    table.chunkLeft -= taken;
    stream.missing -= taken;
  }

  #finish(stream: ChunkStream): Message | undefined {
    if (stream.disposition !== COLLECT) return undefined;
    const payload = Buffer.concat(stream.pieces);
    this.#forget(stream);
    switch (stream.type) {
      case MESSAGE.setChunkSize:
        this.#table.resize(readControlNumber(payload));
        return undefined;
      case MESSAGE.abort: {
        const aborted = this.#table.find(readControlNumber(payload));
        if (aborted !== undefined) this.#forget(aborted);
        return undefined;
      }
      default:
        return {
          chunkStreamId: stream.id,
          timestamp: stream.timestamp,
          type: stream.type,
          streamId: stream.streamId,
          payload,
        };
    }
  }

  #forget(stream: ChunkStream): void {
    for (const piece of stream.pieces) this.#table.collected -= piece.length;
    stream.discard();
  }
}
