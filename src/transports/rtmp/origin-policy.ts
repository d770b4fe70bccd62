import { WireError } from '../../model/errors.js';
import type { GuardsContext, Voices } from './guards.js';
import { Hop } from './hop.js';
import type { FilterPolicy } from './wire/chunk-filter.js';
import { COLLECT, DROP, PASS, type Disposition } from './wire/chunk-table.js';
import { writeCommand, type Command } from './wire/command.js';
import { USER_CONTROL, userControlMessage, type UserControl } from './wire/control.js';
import { COMMAND_CHUNK_STREAM, isCommand, isControl, MESSAGE, type Message } from './wire/message.js';

const MAX_COMMAND_BYTES = 65_536;
const STREAM_EVENTS: ReadonlySet<number> = new Set([
  USER_CONTROL.streamBegin,
  USER_CONTROL.streamEof,
  USER_CONTROL.streamDry,
  USER_CONTROL.streamIsRecorded,
]);

/** What of an origin's words reaches the client while its stream is relayed: media of that stream, its status, answers to the client. */
export class OriginPolicy implements FilterPolicy {
  readonly #context: GuardsContext;
  readonly #voices: Voices;
  readonly #hop: Hop;

  constructor(context: GuardsContext, voices: Voices) {
    this.#context = context;
    this.#voices = voices;
    const { ackBytes, table } = context.origin;
    this.#hop = new Hop(context.now, (message) => voices.toOrigin(message), ackBytes, table.received);
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
    this.#hop.received(total);
  }

  message(message: Message): void {
    if (isControl(message.type)) this.#control(this.#hop.hear(message));
    else if (isCommand(message.type)) this.#command(message);
    else this.#voices.toClient({ ...message, streamId: this.#context.client.streamId });
  }

  /** A viewer is told what becomes of its own stream. */
  #control(control: UserControl | undefined): void {
    const { client, origin, role } = this.#context;
    if (control === undefined || !STREAM_EVENTS.has(control.event) || control.value !== origin.streamId) return;
    if (role === 'subscriber') this.#voices.toClient(userControlMessage({ ...control, value: client.streamId }));
  }

  /** Status and answers of the client's own stream go on; what would send the client to the origin itself does not. */
  #command(message: Message): void {
    let command: Command;
    try {
      command = this.#hop.command(message);
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
