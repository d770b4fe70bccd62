import { WireError } from '../../../model/errors.js';
import { FRAME_HEADER_BYTES, FRAME_MARK, InterleavedFrame, MAX_FRAME_PAYLOAD_BYTES } from './frame.js';
import { readContentLength, readHeaderLine, readLine, readStartLine, type StartLine } from './head.js';
import { HeaderMap, type HeaderEntry } from './headers.js';
import { Hold } from './hold.js';
import type { RtspItem } from './message.js';
import { isBodiless } from './status.js';

/** What one peer may make the gateway hold. Lines are counted without their ends. */
export interface ReaderLimits {
  /** Bytes of the request or status line: a token of 8 kB in its query, and some air. */
  readonly maxStartLineBytes: number;
  /** Bytes of one header line: a token of 8 kB as a Basic password is 11 kB. */
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** Bytes of the whole head, line ends included. */
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
  /** Bytes of the payload of one `$` frame. */
  readonly maxFrameBytes: number;
  /** Bytes that may be pushed while older ones are not read yet. */
  readonly maxUnreadBytes: number;
}

/** Limits that no known client, camera or origin meets. */
export const READER_LIMITS: ReaderLimits = {
  maxStartLineBytes: 16 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 64,
  maxHeadBytes: 32 * 1024,
  maxBodyBytes: 64 * 1024,
  maxFrameBytes: MAX_FRAME_PAYLOAD_BYTES,
  maxUnreadBytes: 256 * 1024,
};

const EMPTY: Buffer = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;
/** First byte of a TLS handshake record. @see RFC 8446 §5.1 */
const TLS_HANDSHAKE = 0x16;

/** The message whose head or body is being read. */
interface Unfinished {
  start: StartLine | undefined;
  readonly entries: HeaderEntry[];
  headBytes: number;
  /** Set once the head has ended. */
  headers: HeaderMap | undefined;
  bodyBytes: number;
}

/**
 * Reads what comes on an RTSP connection: requests, responses and `$` frames in any order, pieces of any size. CRLF ends a
 * line, a bare LF too; empty lines between messages are skipped.
 *
 * `push` a piece, then pull with `next()` until it says undefined; from then on the reader needs the piece no more. Who stops
 * earlier calls `keep()` before the piece becomes invalid. Frames that lie whole in a piece are views of it.
 * After an error there is no way on: every further call throws the same.
 * @see RFC 2326 §4, §10.12
 * @example
 * reader.push(bytes);
 * for (let item = reader.next(); item !== undefined; item = reader.next()) take(item);
 */
export class RtspReader {
  readonly #limits: ReaderLimits;
  readonly #hold = new Hold();
  #input: Buffer = EMPTY;
  #at = 0;
  /** Bytes pushed before `#input`. */
  #before = 0;
  #message: Unfinished | undefined;
  #failure: Error | undefined;

  constructor(limits: ReaderLimits = READER_LIMITS) {
    this.#limits = limits;
  }

  /** Bytes that are held for this peer or not read yet. */
  get heldBytes(): number {
    const { headBytes = 0 } = this.#message ?? {};
    return headBytes + this.#hold.length + this.#input.length - this.#at;
  }

  /** Bytes have arrived of something that has not ended: a close now would cut it. */
  get isInside(): boolean {
    return this.#message !== undefined || this.#hold.length > 0;
  }

  /** Adds bytes; they are not copied if all before were read. After an error it does nothing. Throws WireError `too-much-unread`. */
  push(bytes: Buffer): void {
    if (this.#failure !== undefined) return;
    const unread = this.#input.length - this.#at;
    if (unread > 0 && unread + bytes.length > this.#limits.maxUnreadBytes) {
      throw this.#fail(this.#error('too-much-unread', `at most ${this.#limits.maxUnreadBytes} bytes`));
    }
    this.#before += this.#at;
    this.#input = unread > 0 ? Buffer.concat([this.#input.subarray(this.#at), bytes]) : bytes;
    this.#at = 0;
  }

  /** Copies what is not read yet, so that the pieces given so far may become invalid. */
  keep(): void {
    this.#before += this.#at;
    this.#input = Buffer.from(this.#input.subarray(this.#at));
    this.#at = 0;
  }

  /**
   * The next whole item, or undefined when more bytes are needed.
   *
   * Throws WireError `tls-bytes`, `not-rtsp` (first byte of something else), `start-line-too-long`, `header-too-long`,
   * `too-many-headers`, `head-too-long`, `body-too-long`, `frame-too-long`, and those of readLine, readStartLine,
   * readHeaderLine and readContentLength; never another error, and never one that holds bytes of the peer.
   */
  next(): RtspItem | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const item = this.#atBoundary() ? this.#start() : this.#goOn();
      if (item === undefined) this.#letGo();
      return item;
    } catch (failure) {
      throw this.#fail(failure as Error);
    }
  }

  #fail(failure: Error): Error {
    this.#failure = failure;
    this.#letGo();
    return failure;
  }

  #atBoundary(): boolean {
    return this.#message === undefined && this.#hold.length === 0;
  }

  #start(): RtspItem | undefined {
    const input = this.#input;
    while (this.#at < input.length) {
      const first = input[this.#at] as number;
      if (first === FRAME_MARK) return this.#frame();
      if (first !== CR && first !== LF) {
        this.#guardFirst(first);
        return this.#readMessage();
      }
      this.#at += 1;
    }
    return undefined;
  }

  #goOn(): RtspItem | undefined {
    return this.#message === undefined && this.#hold.byteAt(0) === FRAME_MARK
      ? this.#straddlingFrame()
      : this.#readMessage();
  }

  /** Tells other protocols by their first byte, so that they are not waited for until a line is too long. */
  #guardFirst(first: number): void {
    if (first === TLS_HANDSHAKE) throw this.#error('tls-bytes', 'RTSP without TLS');
    if (first <= 0x20 || first >= 0x7f) throw this.#error('not-rtsp', 'the first letter of a method, or $');
  }

  #frame(): InterleavedFrame | undefined {
    const start = this.#at;
    const input = this.#input;
    if (input.length - start < FRAME_HEADER_BYTES) return this.#straddlingFrame();
    const end = start + this.#frameBytes(((input[start + 2] as number) << 8) | (input[start + 3] as number));
    if (end > input.length) return this.#straddlingFrame();
    this.#at = end;
    return new InterleavedFrame(input, start, end);
  }

  #straddlingFrame(): InterleavedFrame | undefined {
    if (!this.#fill(FRAME_HEADER_BYTES, MAX_FRAME_PAYLOAD_BYTES)) return undefined;
    const size = this.#frameBytes((this.#hold.byteAt(2) << 8) | this.#hold.byteAt(3));
    return this.#fill(size, size) ? new InterleavedFrame(this.#hold.take(), 0, size) : undefined;
  }

  /** Size of a whole frame with a payload of `length` bytes. */
  #frameBytes(length: number): number {
    const { maxFrameBytes } = this.#limits;
    if (length > maxFrameBytes) throw this.#error('frame-too-long', `at most ${maxFrameBytes} bytes in a frame`);
    return FRAME_HEADER_BYTES + length;
  }

  #readMessage(): RtspItem | undefined {
    this.#message ??= { start: undefined, entries: [], headBytes: 0, headers: undefined, bodyBytes: 0 };
    const message = this.#message;
    while (message.headers === undefined) {
      if (!this.#readHeadLine(message)) return undefined;
    }
    if (!this.#fill(message.bodyBytes, message.bodyBytes)) return undefined;
    this.#message = undefined;
    return { ...(message.start as StartLine), headers: message.headers, body: this.#hold.take() };
  }

  #readHeadLine(message: Unfinished): boolean {
    const { maxStartLineBytes, maxHeaderBytes, maxHeaders, maxBodyBytes } = this.#limits;
    const isFirst = message.start === undefined;
    const offset = this.#offset;
    const line = isFirst
      ? this.#line(message, maxStartLineBytes, 'start-line-too-long')
      : this.#line(message, maxHeaderBytes, 'header-too-long');
    if (line === undefined) return false;
    if (message.start === undefined) {
      message.start = readStartLine(line, offset);
    } else if (line !== '') {
      if (message.entries.length === maxHeaders) throw this.#error('too-many-headers', `at most ${maxHeaders} headers`);
      message.entries.push(readHeaderLine(line, offset));
    } else {
      message.headers = new HeaderMap(message.entries);
      message.bodyBytes = hasBody(message.start) ? readContentLength(message.headers, maxBodyBytes, offset) : 0;
    }
    return true;
  }

  /** The next line of a head without its end; what there is of it is held until the rest comes. */
  #line(message: Unfinished, maxBytes: number, code: string): string | undefined {
    const input = this.#input;
    const start = this.#at;
    const offset = this.#offset;
    const lineFeed = input.indexOf(LF, start);
    const end = lineFeed < 0 ? input.length : lineFeed;
    const size = this.#hold.length + end - start;
    const { maxHeadBytes } = this.#limits;
    // One more for the CR, which may be the last byte so far.
    if (size > maxBytes + 1) throw this.#error(code, `at most ${maxBytes} bytes in this line`);
    if (message.headBytes + size > maxHeadBytes) {
      throw this.#error('head-too-long', `at most ${maxHeadBytes} bytes of head`);
    }
    if (lineFeed < 0) {
      this.#hold.add(input, start, end, maxBytes);
      this.#at = end;
      return undefined;
    }
    this.#at = end + 1;
    message.headBytes += size + 1;
    if (this.#hold.length === 0) return readLine(input.subarray(start, end), offset);
    this.#hold.add(input, start, end, size);
    return readLine(this.#hold.take(), offset);
  }

  /** Moves input to what is held until that has `size` bytes at least; whether it has. `wanted`: how many it may become. */
  #fill(size: number, wanted: number): boolean {
    const missing = Math.max(0, size - this.#hold.length);
    const end = Math.min(this.#input.length, this.#at + missing);
    this.#hold.add(this.#input, this.#at, end, wanted);
    this.#at = end;
    return this.#hold.length >= size;
  }

  get #offset(): number {
    return this.#before + this.#at - this.#hold.length;
  }

  #error(code: string, expected: string): WireError {
    return new WireError(code, expected, this.#offset);
  }

  /** An idle peer must not pin the buffer of its last read. */
  #letGo(): void {
    this.#before += this.#at;
    this.#input = EMPTY;
    this.#at = 0;
  }
}

/** Of HTTP only the head is of use: the body of a tunnel's POST never ends. */
function hasBody(start: StartLine): boolean {
  return start.protocol.startsWith('RTSP/') && !(start.kind === 'response' && isBodiless(start.status));
}
