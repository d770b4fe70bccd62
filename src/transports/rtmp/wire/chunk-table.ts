import { WireError } from '../../../model/errors.js';

/** The size both directions start with. @see RTMP 1.0 §5.4.1 */
export const DEFAULT_CHUNK_SIZE = 128;
/** A message length has 24 bits, so a larger chunk size means nothing more. */
export const MAX_CHUNK_SIZE = 0xffffff;
/** Chunk streams a peer may have open at once. Real clients use fewer than ten. */
export const MAX_CHUNK_STREAMS = 64;

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
  pieces: Buffer[] = [];
  sync: Sync = UNSYNCED;
  /** Extended timestamp field as the far reader last saw it, or -1. */
  outExtension = -1;

  constructor(readonly id: number) {}

  /** Forgets the message it is in. */
  discard(): void {
    this.missing = 0;
    this.pieces = [];
  }
}

/** All that a reader of one direction of a connection must remember; handed from the command phase to the relay and back. */
export class ChunkTable {
  chunkSize = DEFAULT_CHUNK_SIZE;
  /** The peer leaves the extended timestamp out of type-3 chunks (old librtmp, OBS before 2024-01). */
  omitsExtension = false;
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
    return this.#streams.get(id);
  }

  /** The state of a chunk stream, made if need be. Throws WireError `too-many-chunk-streams`. */
  open(id: number): ChunkStream {
    const known = this.#streams.get(id);
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

  /** Takes a Set Chunk Size of the peer. Throws WireError `chunk-size`. @see RTMP 1.0 §5.4.1 */
  resize(size: number): void {
    if (size < 1 || size > 0x7fffffff) throw new WireError('chunk-size', 'a chunk size from 1 to 2147483647');
    this.chunkSize = Math.min(size, MAX_CHUNK_SIZE);
  }
}
