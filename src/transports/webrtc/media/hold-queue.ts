/** Datagrams that wait until they can be sent; what is too much is dropped. */
export class HoldQueue {
  readonly #maxDatagrams: number;
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #bytes = 0;

  /** Holds at most so many datagrams and bytes. */
  constructor(maxDatagrams: number, maxBytes: number) {
    this.#maxDatagrams = maxDatagrams;
    this.#maxBytes = maxBytes;
  }

  /** Keeps a datagram; false when there is no room: the first of a handshake are worth more than the last. */
  push(bytes: Buffer): boolean {
    if (this.#held.length >= this.#maxDatagrams || this.#bytes + bytes.length > this.#maxBytes) return false;
    this.#held.push(bytes);
    this.#bytes += bytes.length;
    return true;
  }

  /** Takes all, in the order in which they came. */
  take(): readonly Buffer[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }
}
