import type { MediaFlow } from './media-plane.js';

/** Counts one direction. The fields are written for each packet. */
export class Flow implements MediaFlow {
  packets = 0;
  bytes = 0;
  #rate = 0;
  #markedBytes = 0;
  #wasFlowing = false;

  /** Bits a second over the last second or two. */
  get bitrate(): number {
    return Math.round(this.#rate);
  }

  /** `intervalMs` have passed since the last call. Says when nothing came in them, but in those before. */
  mark(intervalMs: number): 'stopped' | undefined {
    const isFlowing = this.bytes !== this.#markedBytes;
    const hasStopped = this.#wasFlowing && !isFlowing;
    this.#wasFlowing = isFlowing;
    const rate = ((this.bytes - this.#markedBytes) * 8000) / intervalMs;
    this.#markedBytes = this.bytes;
    this.#rate = this.#rate === 0 ? rate : (this.#rate + rate) / 2;
    return hasStopped ? 'stopped' : undefined;
  }

  /** As it is now. */
  snapshot(): MediaFlow {
    return { packets: this.packets, bytes: this.bytes, bitrate: this.bitrate };
  }
}
