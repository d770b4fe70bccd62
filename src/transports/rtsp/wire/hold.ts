/** What is reserved at once: a frame of one network packet. Beyond it, memory follows what has arrived, not what is announced. */
const FIRST_BYTES = 2048;

const EMPTY: Buffer = Buffer.alloc(0);

/** The part of one line, body or frame that has arrived so far, in memory of its own. */
export class Hold {
  #bytes: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** One of the bytes held so far. */
  byteAt(at: number): number {
    return this.#bytes[at] as number;
  }

  /** Copies `source` from `start` to `end` behind what is held. `wanted` is how long the piece will be at most. */
  add(source: Buffer, start: number, end: number, wanted: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(wanted, Math.max(FIRST_BYTES, 2 * needed))));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    source.copy(this.#bytes, this.#length, start, end);
    this.#length = needed;
  }

  /** Gives away what is held. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }
}
