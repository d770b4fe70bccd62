/**
 * A second, plain implementation of RTMP chunks, written from the specification and sharing no code with src: a writer that uses every
 * liberty a sender has, and a reader that grants none. What passes the filter must please this reader.
 */

export interface Plain {
  readonly chunkStreamId: number;
  readonly timestamp: number;
  readonly type: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Numbers that are the same in every run. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return this.next() % count;
  }

  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) bytes[at] = this.next() & 0xff;
    return bytes;
  }

  /** Cuts bytes into pieces of random sizes. */
  split(bytes: Buffer, maxPiece: number): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = this.chance(4) ? 1 : 1 + this.below(maxPiece);
      pieces.push(bytes.subarray(at, at + size));
      at += size;
    }
    return pieces;
  }
}

interface WriterState {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  streamId: number;
  extension: number | undefined;
}

/** One message on its way through the writer. */
export interface Sent extends Plain {
  /** Chunk size when it began. */
  readonly chunkSizeAtStart: number;
  /** Where its first header begins in the output. */
  readonly start: number;
  /** Where it ended: with its last byte, with an Abort, or where another message began in its place. */
  end: number;
  /** Payload bytes that were written. */
  written: number;
  isAbandoned: boolean;
}

export type Dialect = 'repeats' | 'omits' | 'mixed';

/** Emits any legal chunking of messages, one chunk a call. */
export class PlainWriter {
  chunkSize = 128;
  /** Everything begun, in the order of its end. */
  readonly ended: Sent[] = [];
  readonly open = new Map<number, Sent>();
  #parts: Buffer[] = [];
  #size = 0;
  readonly #states = new Map<number, WriterState>();
  readonly #dice: Dice;
  readonly #dialect: Dialect;

  constructor(dice: Dice, dialect: Dialect = 'repeats') {
    this.#dice = dice;
    this.#dialect = dialect;
  }

  get size(): number {
    return this.#size;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  state(id: number): Readonly<WriterState> | undefined {
    return this.#states.get(id);
  }

  /** The header formats in which a message can begin, given what was sent before on its chunk stream. */
  formats(message: Plain): number[] {
    const state = this.#states.get(message.chunkStreamId);
    const formats = [0];
    if (state === undefined || state.streamId !== message.streamId) return formats;
    formats.push(1);
    if (state.length !== message.payload.length || state.type !== message.type) return formats;
    formats.push(2);
    // A message that is half sent cannot be interrupted by type 3: that would go on with it.
    const delta = (message.timestamp - state.timestamp) >>> 0;
    if (delta === state.delta && !this.open.has(message.chunkStreamId)) formats.push(3);
    return formats;
  }

  /** Writes the first chunk of a message, in a format of its choice. A message that is half sent there is given up. */
  begin(message: Plain, format = this.#dice.pick(this.formats(message))): void {
    const id = message.chunkStreamId;
    const given = this.open.get(id);
    if (given !== undefined) this.#giveUp(given);
    const sent: Sent = {
      ...message,
      chunkSizeAtStart: this.chunkSize,
      start: this.#size,
      end: 0,
      written: 0,
      isAbandoned: false,
    };
    this.#header(message, format);
    this.open.set(id, sent);
    this.#piece(sent);
  }

  /** Writes one more chunk of the message that is half sent on a chunk stream. */
  goOn(id: number): void {
    const sent = this.open.get(id);
    if (sent === undefined) throw new Error('nothing to go on with');
    this.#put(basic(3, id));
    const { extension } = this.#states.get(id) as WriterState;
    if (extension !== undefined && this.#repeats()) this.#put(u32(extension));
    this.#piece(sent);
  }

  /** Writes a whole message, without a chunk of another between. */
  write(message: Plain, format?: number): void {
    this.begin(message, format);
    while (this.open.has(message.chunkStreamId)) this.goOn(message.chunkStreamId);
  }

  setChunkSize(size: number, id = 2): void {
    this.write({ chunkStreamId: id, timestamp: 0, type: 1, streamId: 0, payload: u32(size) }, 0);
    this.chunkSize = Math.min(size, 0xffffff);
  }

  abort(id: number): void {
    this.write({ chunkStreamId: 2, timestamp: 0, type: 2, streamId: 0, payload: u32(id) }, 0);
    const given = this.open.get(id);
    if (given !== undefined) this.#giveUp(given);
  }

  finish(): void {
    while (this.open.size > 0) this.goOn(this.#dice.pick([...this.open.keys()]));
  }

  #giveUp(sent: Sent): void {
    sent.end = this.#size;
    sent.isAbandoned = true;
    this.ended.push(sent);
    this.open.delete(sent.chunkStreamId);
  }

  #repeats(): boolean {
    return this.#dialect === 'repeats' || (this.#dialect === 'mixed' && this.#dice.chance(2));
  }

  #header(message: Plain, format: number): void {
    const { chunkStreamId: id, timestamp, type, streamId, payload } = message;
    const before = this.#states.get(id);
    const delta = before === undefined ? timestamp : (timestamp - before.timestamp) >>> 0;
    const field = format === 0 ? timestamp : delta;
    this.#put(basic(format, id));
    if (format === 3) {
      // `formats` offers type 3 only where all fields are what they were.
      const state = before as WriterState;
      if (state.extension !== undefined && this.#repeats()) this.#put(u32(state.extension));
      state.timestamp = timestamp;
      return;
    }
    this.#put(u24(Math.min(field, 0xffffff)));
    if (format < 2) this.#put(Buffer.concat([u24(payload.length), Buffer.from([type])]));
    if (format === 0) this.#put(u32le(streamId));
    if (field >= 0xffffff) this.#put(u32(field));
    this.#states.set(id, {
      timestamp,
      delta: format === 0 ? 0 : delta,
      length: payload.length,
      type,
      streamId: format === 0 ? streamId : (before?.streamId ?? 0),
      extension: field >= 0xffffff ? field : undefined,
    });
  }

  #piece(sent: Sent): void {
    const piece = sent.payload.subarray(sent.written, sent.written + this.chunkSize);
    this.#put(piece);
    sent.written += piece.length;
    if (sent.written < sent.payload.length) return;
    sent.end = this.#size;
    this.ended.push(sent);
    this.open.delete(sent.chunkStreamId);
  }

  #put(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }
}

interface ReaderState extends WriterState {
  payload: Buffer[];
  missing: number;
}

/**
 * Follows the specification and nothing else: type 0 first on each chunk stream, the extended timestamp on every type-3 chunk whose
 * chunk stream has one, no message left half, no Abort. Throws Error with what was wrong.
 */
export class StrictReader {
  readonly messages: Plain[] = [];
  chunkSize: number;
  readonly #states = new Map<number, ReaderState>();
  #input: Buffer = Buffer.alloc(0);

  constructor(chunkSize = 128) {
    this.chunkSize = chunkSize;
  }

  /** Reads on; a chunk that is not whole waits. */
  push(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    let at = 0;
    for (;;) {
      const next = this.#chunk(at);
      if (next === undefined) break;
      at = next;
    }
    this.#input = this.#input.subarray(at);
  }

  /** Bytes of a chunk that is not whole. */
  get waiting(): number {
    return this.#input.length;
  }

  /** Chunk streams on which half a message was read. */
  get halves(): number[] {
    return [...this.#states].filter(([, state]) => state.missing > 0).map(([id]) => id);
  }

  #chunk(start: number): number | undefined {
    const input = this.#input;
    let at = start;
    const has = (count: number): boolean => at + count <= input.length;
    if (!has(1)) return undefined;
    const format = input.readUInt8(at) >> 6;
    let id = input.readUInt8(at) & 63;
    at += 1;
    if (id < 2) {
      const more = id + 1;
      if (!has(more)) return undefined;
      id = 64 + (more === 1 ? input.readUInt8(at) : input.readUInt16LE(at));
      at += more;
    }
    const size = [11, 7, 3, 0][format] as number;
    if (!has(size)) return undefined;
    const known = this.#states.get(id);
    if (known === undefined && format !== 0) throw new Error(`type ${format} first on chunk stream ${id}`);
    if (known !== undefined && known.missing > 0 && format !== 3) throw new Error(`half message left on ${id}`);
    const field = format === 3 ? 0 : input.readUIntBE(at, 3);
    const isExtended = format === 3 ? known?.extension !== undefined : field === 0xffffff;
    const body = at;
    at += size;
    let time = field;
    if (isExtended) {
      if (!has(4)) return undefined;
      time = input.readUInt32BE(at);
      at += 4;
      if (format === 3 && time !== known?.extension) throw new Error(`another extended timestamp on ${id}`);
    }
    const state: ReaderState = known ?? {
      timestamp: 0,
      delta: 0,
      length: 0,
      type: 0,
      streamId: 0,
      extension: undefined,
      payload: [],
      missing: 0,
    };
    const starts = format !== 3 || state.missing === 0;
    const length = format < 2 ? input.readUIntBE(body + 3, 3) : state.length;
    const missing = starts ? length : state.missing;
    const piece = Math.min(missing, this.chunkSize);
    if (!has(piece)) return undefined;
    // From here on the chunk is whole.
    this.#states.set(id, state);
    if (format === 0) {
      state.timestamp = time;
      state.delta = 0;
      state.streamId = input.readUInt32LE(body + 7);
    } else if (starts) {
      if (format !== 3) state.delta = time;
      state.timestamp = (state.timestamp + state.delta) >>> 0;
    }
    if (format < 2) state.type = input.readUInt8(body + 6);
    if (format !== 3) state.extension = isExtended ? time : undefined;
    state.length = length;
    if (starts) state.payload = [];
    state.payload.push(Buffer.from(input.subarray(at, at + piece)));
    state.missing = missing - piece;
    if (state.missing === 0) this.#finish(id, state);
    return at + piece;
  }

  #finish(id: number, state: ReaderState): void {
    const payload = Buffer.concat(state.payload);
    state.payload = [];
    if (state.type === 2) throw new Error('an Abort');
    if (state.type === 1) {
      const size = payload.readUInt32BE(0);
      if (size < 1 || size > 0x7fffffff) throw new Error('a bad chunk size');
      this.chunkSize = size;
      return;
    }
    const { timestamp, type, streamId } = state;
    this.messages.push({ chunkStreamId: id, timestamp, type, streamId, payload });
  }
}

/** A basic header in its shortest form. */
export function basic(format: number, id: number): Buffer {
  if (id < 64) return Buffer.from([(format << 6) | id]);
  if (id < 320) return Buffer.from([format << 6, id - 64]);
  return Buffer.from([(format << 6) | 1, (id - 64) % 256, Math.floor((id - 64) / 256)]);
}

export function u24(value: number): Buffer {
  return Buffer.from([(value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u32le(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Everything a reader can tell of a message, in one comparable line. */
export function line(message: Plain): string {
  const { chunkStreamId, timestamp, type, streamId, payload } = message;
  return `${chunkStreamId}/${timestamp}/${type}/${streamId}/${payload.length}/${payload.toString('latin1')}`;
}
