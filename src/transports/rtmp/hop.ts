import { DEFAULT_ACK_BYTES } from './options.js';
import { Patience } from '../../wire/patience.js';
import { readCommand, type Command } from './wire/command.js';
import {
  controlMessage,
  readControlNumber,
  readUserControl,
  USER_CONTROL,
  userControlMessage,
} from './wire/control.js';
import type { UserControl } from './wire/control.js';
import { MESSAGE, type Message } from './wire/message.js';

/** A peer cannot make us acknowledge more often than this, in bytes. */
const MIN_ACK_BYTES = 65_536;

/** What concerns one hop and goes no further: windows, acknowledgements, pings, and a bound on what a peer may have judged. */
export class Hop {
  /** Bytes after which the peer wants an acknowledgement; 0 when it has named none. */
  window: number;
  readonly #say: (message: Message) => void;
  readonly #patience: Patience;
  #acknowledged: number;

  /** `say` sends to this peer; `received` is how many bytes have come from it before, and are acknowledged or need not be. */
  constructor(now: () => number, say: (message: Message) => void, window = 0, received = 0) {
    this.window = window;
    this.#say = say;
    this.#patience = new Patience(now);
    this.#acknowledged = received;
  }

  /**
   * Takes a control message. What comes back is a user control event about a stream, which is not this hop's alone.
   * Throws WireError `control-short`, `too-many-commands`.
   */
  hear(message: Message): UserControl | undefined {
    this.#patience.spend();
    if (message.type === MESSAGE.windowAckSize) this.window = readControlNumber(message.payload);
    if (message.type !== MESSAGE.userControl) return undefined;
    const control = readUserControl(message.payload);
    if (control.event !== USER_CONTROL.pingRequest) return control;
    this.#say(userControlMessage({ event: USER_CONTROL.pingResponse, value: control.value }));
    return undefined;
  }

  /** Reads a command message. Throws WireError `too-many-commands` and those of readCommand. */
  command(message: Message): Command {
    this.#patience.spend();
    return readCommand(message.type === MESSAGE.commandAmf3 ? 17 : 20, message.payload);
  }

  /** Acknowledges what was received in all, modulo 2^32, if it is time. @see RTMP 1.0 §5.4.3 */
  received(total: number): void {
    if (total - this.#acknowledged < Math.max(this.window || DEFAULT_ACK_BYTES, MIN_ACK_BYTES)) return;
    this.#acknowledged = total;
    this.#say(controlMessage(MESSAGE.acknowledgement, total));
  }
}
