import { WireError } from '../../model/errors.js';
import { Acknowledgements } from './acknowledgements.js';
import type { GuardsContext, Voices } from './guards.js';
import { Patience } from './patience.js';
import type { FilterPolicy } from './wire/chunk-filter.js';
import { COLLECT, DROP, PASS, type Disposition } from './wire/chunk-table.js';
import { readCommand, writeCommand, type Command } from './wire/command.js';
import { readControlNumber, readUserControl, USER_CONTROL, userControlMessage } from './wire/control.js';
import { COMMAND_CHUNK_STREAM, isCommand, isControl, MESSAGE, type Message } from './wire/message.js';

const MAX_COMMAND_BYTES = 65_536;

/** What of an origin's words reaches the client while its stream is relayed: media of that stream, its status, answers to the client. */
export class OriginPolicy implements FilterPolicy {
  readonly #context: GuardsContext;
  readonly #voices: Voices;
  readonly #acks: Acknowledgements;
  readonly #patience: Patience;

  constructor(context: GuardsContext, voices: Voices) {
    this.#context = context;
    this.#voices = voices;
    this.#patience = new Patience(context.now);
    this.#acks = new Acknowledgements(context.origin, (message) => voices.toOrigin(message));
  }

  /** The connection carries one stream, so the id says nothing: node-media-server puts media of stream 1 on stream 0. */
  disposition(type: number, _streamId: number, length: number): Disposition {
    switch (type) {
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
      case MESSAGE.aggregate:
        return this.#context.role === 'subscriber' ? PASS : DROP;
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        return length <= MAX_COMMAND_BYTES ? COLLECT : DROP;
      default:
        return DROP;
    }
  }

  received(total: number): void {
    this.#acks.received(total);
  }

  message(message: Message): void {
    if (isControl(message.type) || isCommand(message.type)) this.#patience.spend();
    switch (message.type) {
      case MESSAGE.userControl:
        this.#originUserControl(message);
        return;
      case MESSAGE.windowAckSize:
        this.#acks.window = readControlNumber(message.payload);
        return;
      case MESSAGE.acknowledgement:
      case MESSAGE.setPeerBandwidth:
        return;
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        this.#originCommand(message);
        return;
      default:
        this.#voices.toClient({ ...message, streamId: this.#context.client.streamId });
    }
  }

  #originUserControl(message: Message): void {
    const control = readUserControl(message.payload);
    switch (control.event) {
      case USER_CONTROL.pingRequest:
        this.#voices.toOrigin(userControlMessage({ event: USER_CONTROL.pingResponse, value: control.value }));
        return;
      case USER_CONTROL.streamBegin:
      case USER_CONTROL.streamEof:
      case USER_CONTROL.streamDry:
      case USER_CONTROL.streamIsRecorded:
        if (this.#context.role === 'subscriber' && control.value === this.#context.origin.streamId) {
          this.#voices.toClient(userControlMessage({ ...control, value: this.#context.client.streamId }));
        }
        return;
      default:
    }
  }

  /** Status and answers of the client's own stream go on; what would send the client to the origin itself does not. */
  #originCommand(message: Message): void {
    let command: Command;
    try {
      command = readCommand(message.type === MESSAGE.commandAmf3 ? 17 : 20, message.payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#context.onKept('origin-command-malformed');
      return;
    }
    const isStatus = command.name === 'onStatus';
    const isPassed = isStatus || (command.name === '_result' && command.transactionId > 0);
    if (!isPassed || isReconnectRequest(message.payload)) {
      this.#context.onKept('origin-command');
      return;
    }
    this.#voices.toClient({
      chunkStreamId: COMMAND_CHUNK_STREAM,
      timestamp: 0,
      type: MESSAGE.commandAmf0,
      streamId: isStatus ? this.#context.client.streamId : 0,
      payload: writeCommand(command.name, command.transactionId, command.object, ...command.args),
    });
  }
}

/** It may name the origin's own address, and a client would leave the gateway for it. @see Enhanced RTMP v2, Reconnect Request */
function isReconnectRequest(payload: Buffer): boolean {
  return payload.includes('NetConnection.Connect.ReconnectRequest');
}
