import { WireError } from '../model/errors.js';

/**
 * Walks over bytes that a peer sent, big-endian, never past their end.
 *
 * Every method throws WireError with the code given at construction when fewer bytes are left than it needs.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #shortCode: string;
  #at = 0;

  /** Reads `bytes` from their start; `shortCode` is the code of the error when they end too early. */
  constructor(bytes: Buffer, shortCode: string) {
    this.#bytes = bytes;
    this.#shortCode = shortCode;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next byte without taking it. */
  peek(): number {
    this.#need(1);
    return this.#bytes.readUInt8(this.#at);
  }

  /** One unsigned byte. */
  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  /** Unsigned 16 bit. */
  u16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  /** Signed 16 bit. */
  i16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  /** Unsigned 32 bit. */
  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  /** IEEE 754 double. */
  f64(): number {
    return this.#bytes.readDoubleBE(this.#advance(8));
  }

  /** The next `size` bytes as a view of the input, not a copy. */
  take(size: number): Buffer {
    const start = this.#advance(size);
    return this.#bytes.subarray(start, start + size);
  }

  #advance(size: number): number {
    this.#need(size);
    const start = this.#at;
    this.#at += size;
    return start;
  }

  #need(size: number): void {
    if (size > this.remaining) throw new WireError(this.#shortCode, `${size} more bytes`, this.#at);
  }
}
