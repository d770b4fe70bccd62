import { WireError } from '../../../model/errors.js';

/** The byte that starts an interleaved frame: `$`. */
export const FRAME_MARK = 0x24;
/** Bytes ahead of the payload: mark, channel, length. */
export const FRAME_HEADER_BYTES = 4;
/** The length field has 16 bit. */
export const MAX_FRAME_PAYLOAD_BYTES = 0xffff;

/**
 * One `$` frame where it lies (hot path: nothing is copied). `source` from `start` to `end` is the whole frame, header
 * included; frames that came together lie side by side in one source, so a run of them can be written in one piece.
 * Valid as long as the bytes given to the reader are.
 * @see RFC 2326 §10.12
 */
export class InterleavedFrame {
  readonly kind = 'frame';
  readonly source: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(source: Buffer, start: number, end: number) {
    this.source = source;
    this.start = start;
    this.end = end;
  }

  /** 0–255. */
  get channel(): number {
    return this.source[this.start + 1] as number;
  }

  /** Another channel, written into the source: the other leg counts its own. */
  set channel(channel: number) {
    this.source[this.start + 1] = channel;
  }

  /** The whole frame as a view. */
  get bytes(): Buffer {
    return this.source.subarray(this.start, this.end);
  }

  /** The RTP or RTCP packet as a view. */
  get payload(): Buffer {
    return this.source.subarray(this.start + FRAME_HEADER_BYTES, this.end);
  }
}

/**
 * Writes the four bytes ahead of a payload of `length` bytes into `target` at `at`: for whoever receives datagrams behind
 * them, or writes both pieces. Throws WireError `frame-too-long`.
 */
export function writeFrameHeader(target: Buffer, at: number, channel: number, length: number): void {
  if (length > MAX_FRAME_PAYLOAD_BYTES) {
    throw new WireError('frame-too-long', `at most ${MAX_FRAME_PAYLOAD_BYTES} bytes in a frame`);
  }
  target[at] = FRAME_MARK;
  target[at + 1] = channel;
  target[at + 2] = length >> 8;
  target[at + 3] = length & 0xff;
}

/** A whole frame around `payload`, which is copied. Throws WireError `frame-too-long`. */
export function writeFrame(channel: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(frame, 0, channel, payload.length);
  payload.copy(frame, FRAME_HEADER_BYTES);
  return frame;
}
