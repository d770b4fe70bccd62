import type { MediaFlow } from './media-plane.js';

/** Counts one direction. The fields are written for each packet. */
export class Flow implements MediaFlow {
  packets = 0;
  bytes = 0;
  #rate = 0;
  #markedBytes = 0;

  /** Bits a second over the last second or two. */
  get bitrate(): number {
    return Math.round(this.#rate);
  }

  /** `intervalMs` have passed since the last call. */
  mark(intervalMs: number): void {
    const rate = ((this.bytes - this.#markedBytes) * 8000) / intervalMs;
    this.#markedBytes = this.bytes;
    this.#rate = this.#rate === 0 ? rate : (this.#rate + rate) / 2;
  }

  /** As it is now. */
  snapshot(): MediaFlow {
    return { packets: this.packets, bytes: this.bytes, bitrate: this.bitrate };
  }
}
