import { WireError } from '../model/errors.js';

/** Messages a peer may have judged at once; real ones send a dozen when they set up. */
const AT_ONCE = 512;
/** And so many more each second: acknowledgements and pings go on for as long as a stream does. */
const EACH_SECOND = 100;

/**
 * Bounds what a peer can make the gateway think about and answer. A command or ping can be a single byte on the wire, so
 * a read of 64 kB could hold tens of thousands; media is not counted.
 */
export class Patience {
  readonly #now: () => number;
  #left = AT_ONCE;
  #atMs: number;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.#atMs = now();
  }

  /** One message to judge. Throws WireError `too-many-commands`. */
  spend(): void {
    const nowMs = this.#now();
    // A clock that is set back gives nothing, one that is set forward no more than was there at the start.
    const earned = (Math.max(0, nowMs - this.#atMs) / 1000) * EACH_SECOND;
    this.#atMs = nowMs;
    this.#left = Math.min(AT_ONCE, this.#left + earned) - 1;
    if (this.#left < 0) {
      throw new WireError('too-many-commands', `at most ${AT_ONCE} commands at once and ${EACH_SECOND} a second`);
    }
  }
}
