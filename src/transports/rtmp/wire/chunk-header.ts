import { WireError } from '../../../model/errors.js';
import type { ChunkStream, ChunkTable } from './chunk-table.js';

/** A basic header of 3, a type-0 header of 11 and an extended timestamp of 4 bytes. */
export const MAX_HEADER_BYTES = 18;
const EXTENDED = 0xffffff;
const HEADER_BYTES = [11, 7, 3, 0] as const;

/** The newest header that was read; one object a direction, filled anew each time (hot path). */
export interface ChunkHeader {
  /** 0–3. */
  format: number;
  stream: ChunkStream | undefined;
  /** The chunk starts a message. If the stream is still missing bytes then, the message before was abandoned. */
  starts: boolean;
  /** The bytes held an extended timestamp field. */
  extended: boolean;
}

/** An empty header to be filled by readChunkHeader. */
export function newChunkHeader(): ChunkHeader {
  return { format: 0, stream: undefined, starts: false, extended: false };
}

/**
 * Reads one chunk header at `at` into `header`, and brings the table up to date with it.
 *
 * Returns its size in bytes, or 0 when `bytes` holds less than a whole header (then nothing has changed).
 * Timestamps are milliseconds, unsigned 32 bit. A type-3 chunk may or may not repeat the extended timestamp (old librtmp, and OBS
 * before 2024-01, leave it out): four bytes equal to the last one are the field, anything else is payload.
 * Throws WireError `chunk-without-previous`, `too-many-chunk-streams`.
 * @see RTMP 1.0 §5.3.1
 */
export function readChunkHeader(table: ChunkTable, bytes: Buffer, at: number, header: ChunkHeader): number {
  const available = bytes.length - at;
  if (available < 1) return 0;
  const first = bytes[at] as number;
  const format = first >> 6;
  let id = first & 63;
  let size = 1;
  if (id === 0) {
    if (available < 2) return 0;
    id = 64 + (bytes[at + 1] as number);
    size = 2;
  } else if (id === 1) {
    if (available < 3) return 0;
    id = 64 + bytes.readUInt16LE(at + 1);
    size = 3;
  }
  header.format = format;
  return format === 3
    ? readRepeated(table, bytes, at, size, id, header)
    : readExplicit(table, bytes, at, size, id, header);
}

// eslint-disable-next-line max-params -- hot path: an options object would be an allocation a chunk
function readExplicit(table: ChunkTable, bytes: Buffer, at: number, basic: number, id: number, header: ChunkHeader) {
  const format = header.format;
  let size = basic + (HEADER_BYTES[format] as number);
  if (bytes.length - at < size) return 0;
  const body = at + basic;
  let time = readUint24(bytes, body);
  const extended = time === EXTENDED;
  if (extended) {
    if (bytes.length - at < size + 4) return 0;
    time = bytes.readUInt32BE(at + size);
    size += 4;
  }
  // Type 1 without a predecessor is let through: librtmp sends its first ping so, and the message stream is then 0.
  if (format === 2 && table.find(id) === undefined) {
    throw new WireError('chunk-without-previous', 'a type-0 or type-1 chunk first on a chunk stream', at);
  }
  const stream = table.open(id);
  header.stream = stream;
  header.starts = true;
  header.extended = extended;
  if (format === 0) {
    stream.timestamp = time;
    // After a type-0 header a type-3 message repeats a delta of 0 at librtmp, nginx-rtmp and OBS.
    stream.delta = 0;
  } else {
    stream.timestamp = (stream.timestamp + time) >>> 0;
    stream.delta = time;
  }
  if (format < 2) {
    stream.length = readUint24(bytes, body + 3);
    stream.type = bytes[body + 6] as number;
    if (format === 0) stream.streamId = bytes.readUInt32LE(body + 7);
  }
  stream.extension = extended ? time : -1;
  return size;
}

// eslint-disable-next-line max-params -- hot path, as above
function readRepeated(table: ChunkTable, bytes: Buffer, at: number, basic: number, id: number, header: ChunkHeader) {
  const stream = table.find(id);
  if (stream === undefined) {
    throw new WireError('chunk-without-previous', 'a type-0 or type-1 chunk first on a chunk stream', at);
  }
  let size = basic;
  let extended = false;
  if (stream.extension >= 0) {
    const repeats = repeatsExtension(bytes, at + basic, stream.extension);
    if (repeats === undefined) return 0;
    if (repeats) {
      size += 4;
      extended = true;
    }
  }
  header.stream = stream;
  header.starts = stream.missing === 0;
  header.extended = extended;
  if (header.starts) stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
  return size;
}

/** Shifts: half the cost of readUIntBE, at three or four calls a message (test/bench/chunk-filter.mjs). The bytes are there. */
function readUint24(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}

/** Whether the extended timestamp stands at `at` again; undefined while the bytes that are there leave it open. */
function repeatsExtension(bytes: Buffer, at: number, extension: number): boolean | undefined {
  for (let shift = 24; shift >= 0; shift -= 8, at += 1) {
    if (at >= bytes.length) return undefined;
    if (bytes[at] !== ((extension >>> shift) & 0xff)) return false;
  }
  return true;
}

/** What a header of our own says. */
export interface HeaderFields {
  readonly id: number;
  /** Absolute for format 0, a delta for 1 and 2; milliseconds, unsigned 32 bit. */
  readonly time: number;
  readonly length: number;
  readonly type: number;
  readonly streamId: number;
}

/** Writes one chunk header of format 0 or 2. @see RTMP 1.0 §5.3.1 */
export function writeChunkHeader(format: 0 | 2, fields: HeaderFields): Buffer {
  const basic = basicHeader(format, fields.id);
  const extended = fields.time >= EXTENDED;
  const bytes = Buffer.alloc(basic.length + HEADER_BYTES[format] + (extended ? 4 : 0));
  basic.copy(bytes);
  const body = basic.length;
  bytes.writeUIntBE(extended ? EXTENDED : fields.time, body, 3);
  if (format === 0) {
    bytes.writeUIntBE(fields.length, body + 3, 3);
    bytes.writeUInt8(fields.type, body + 6);
    bytes.writeUInt32LE(fields.streamId, body + 7);
  }
  if (extended) bytes.writeUInt32BE(fields.time, body + HEADER_BYTES[format]);
  return bytes;
}

/** Writes the header of a chunk that goes on with a message: type 3, the extended timestamp repeated (`extension` -1: none). */
export function writeContinuation(id: number, extension: number): Buffer {
  const basic = basicHeader(3, id);
  if (extension < 0) return basic;
  const bytes = Buffer.alloc(basic.length + 4);
  basic.copy(bytes);
  bytes.writeUInt32BE(extension, basic.length);
  return bytes;
}

function basicHeader(format: number, id: number): Buffer {
  if (id < 64) return Buffer.from([(format << 6) | id]);
  if (id < 320) return Buffer.from([format << 6, id - 64]);
  return Buffer.from([(format << 6) | 1, (id - 64) & 0xff, (id - 64) >> 8]);
}

/** The extended timestamp field that a header with this time carries, or -1. */
export function extensionOf(time: number): number {
  return time >= EXTENDED ? time : -1;
}
