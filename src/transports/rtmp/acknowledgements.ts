import type { LegState } from './guards.js';
import { DEFAULT_ACK_BYTES } from './options.js';
import { controlMessage } from './wire/control.js';
import { MESSAGE, type Message } from './wire/message.js';

/** A peer cannot make us acknowledge more often than this, in bytes. */
const MIN_ACK_BYTES = 65_536;

/** Acknowledges to one peer what was received from it, modulo 2^32. @see RTMP 1.0 §5.4.3 */
export class Acknowledgements {
  #window: number;
  #last: number;
  readonly #send: (message: Message) => void;

  constructor(leg: LegState, send: (message: Message) => void) {
    this.#window = Math.max(leg.ackBytes || DEFAULT_ACK_BYTES, MIN_ACK_BYTES);
    this.#last = leg.table.received;
    this.#send = send;
  }

  set window(bytes: number) {
    this.#window = Math.max(bytes, MIN_ACK_BYTES);
  }

  received(total: number): void {
    if (total - this.#last < this.#window) return;
    this.#last = total;
    this.#send(controlMessage(MESSAGE.acknowledgement, total));
  }
}
