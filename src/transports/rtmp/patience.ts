import { WireError } from '../../model/errors.js';

/** Messages a peer may have judged at once; real ones send a dozen in a session. */
const AT_ONCE = 512;
/** And one more for so many bytes received. */
const BYTES_EACH = 4096;

/**
 * Bounds what a peer can make the gateway think about and answer. A command or ping can be a single byte on the wire, so
 * a read of 64 kB could hold tens of thousands; media is not counted.
 */
export class Patience {
  #spent = 0;

  /** One message to judge after `receivedBytes` in all. Throws WireError `too-many-commands`. */
  spend(receivedBytes: number): void {
    this.#spent += 1;
    if (this.#spent > AT_ONCE + receivedBytes / BYTES_EACH) {
      throw new WireError('too-many-commands', `at most ${AT_ONCE} commands and one for each ${BYTES_EACH} bytes`);
    }
  }
}
