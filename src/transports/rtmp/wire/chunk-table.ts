import { WireError } from '../../../model/errors.js';

/** The size both directions start with. @see RTMP 1.0 §5.4.1 */
export const DEFAULT_CHUNK_SIZE = 128;
/** A message length has 24 bits, so a larger chunk size means nothing more. */
export const MAX_CHUNK_SIZE = 0xffffff;
/** Chunk streams a peer may have open at once. Real clients use fewer than ten. */
export const MAX_CHUNK_STREAMS = 64;
/** The first room for a message that is collected; it doubles as bytes come. */
const FIRST_ROOM_BYTES = 256;
const EMPTY: Buffer = Buffer.alloc(0);

/** What is done with the message a chunk stream is in. */
export const DROP = 0;
export const COLLECT = 1;
export const PASS = 2;
export type Disposition = typeof DROP | typeof COLLECT | typeof PASS;

/** How far the far reader's state of a chunk stream agrees with the near writer's. */
export const UNSYNCED = 0;
/** A type-0 header of ours replaced the near writer's: the delta may differ. */
export const AFTER_REWRITE = 1;
export const SYNCED = 2;
export type Sync = typeof UNSYNCED | typeof AFTER_REWRITE | typeof SYNCED;

/** The reader's state of one chunk stream. Mutable, since it lives on the hot path. */
export class ChunkStream {
  /** Absolute time of the newest message, milliseconds, unsigned 32 bit. */
  timestamp = 0;
  /** The delta a type-3 chunk repeats when it starts a message. */
  delta = 0;
  length = 0;
  type = 0;
  streamId = 0;
  /** Value of the extended timestamp field of the newest header, or -1 when it had none. */
  extension = -1;
  /** Bytes of the current message that have not been read; 0 between messages. */
  missing = 0;
  disposition: Disposition = DROP;
  /** What was collected of the current message: the first `filled` bytes. */
  room: Buffer = EMPTY;
  filled = 0;
  sync: Sync = UNSYNCED;
  /** Extended timestamp field as the far reader last saw it, or -1. */
  outExtension = -1;

  constructor(readonly id: number) {}
}

/** All that a reader of one direction of a connection must remember; handed from the command phase to the relay and back. */
export class ChunkTable {
  chunkSize = DEFAULT_CHUNK_SIZE;
  /** The chunk that is being read, and how much of it is to come. */
  current: ChunkStream | undefined;
  chunkLeft = 0;
  /** Bytes read after the handshake, for acknowledgements. */
  received = 0;
  /** Bytes held in half-read messages of all chunk streams. */
  collected = 0;
  readonly #streams = new Map<number, ChunkStream>();

  /** The state of a chunk stream, if the peer has used it. */
  find(id: number): ChunkStream | undefined {
    // Most chunks go on where the last one was: half the cost of the map (test/bench/chunk-filter.mjs).
    return this.current?.id === id ? this.current : this.#streams.get(id);
  }

  /** The state of a chunk stream, made if need be. Throws WireError `too-many-chunk-streams`. */
  open(id: number): ChunkStream {
    const known = this.find(id);
    if (known !== undefined) return known;
    if (this.#streams.size >= MAX_CHUNK_STREAMS) {
      throw new WireError('too-many-chunk-streams', `at most ${MAX_CHUNK_STREAMS} chunk streams`);
    }
    const stream = new ChunkStream(id);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Every chunk stream the peer has used. */
  streams(): Iterable<ChunkStream> {
    return this.#streams.values();
  }

  /**
   * Keeps more bytes of the message a chunk stream is in. Room grows with the bytes that came, never with the length that was
   * announced, and one byte costs no object of its own (a peer may choose chunks of one byte). Throws WireError `code` beyond `maxBytes`.
   */
  collect(stream: ChunkStream, bytes: Buffer, maxBytes: number, code: string): void {
    const filled = stream.filled + bytes.length;
    if (this.collected + bytes.length > maxBytes) {
      throw new WireError(code, `at most ${maxBytes} bytes in messages that are put together`);
    }
    this.collected += bytes.length;
    if (filled > stream.room.length) {
      const room = Buffer.allocUnsafeSlow(Math.min(stream.length, Math.max(FIRST_ROOM_BYTES, 2 * filled)));
      stream.room.copy(room, 0, 0, stream.filled);
      stream.room = room;
    }
    bytes.copy(stream.room, stream.filled);
    stream.filled = filled;
  }

  /** The bytes collected of a message, which is over. */
  take(stream: ChunkStream): Buffer {
    const payload = stream.room.subarray(0, stream.filled);
    this.forget(stream);
    return payload;
  }

  /** Ends the message a chunk stream is in, and lets go of what was collected of it. */
  forget(stream: ChunkStream): void {
    this.collected -= stream.filled;
    stream.missing = 0;
    stream.filled = 0;
    stream.room = EMPTY;
  }

  /** Takes a Set Chunk Size of the peer. Throws WireError `chunk-size`. @see RTMP 1.0 §5.4.1 */
  resize(size: number): void {
    if (size < 1 || size > 0x7fffffff) throw new WireError('chunk-size', 'a chunk size from 1 to 2147483647');
    this.chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }
}
