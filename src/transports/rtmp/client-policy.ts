import { WireError } from '../../model/errors.js';
import { reject } from '../../model/rejection.js';
import { answerCommand } from './commands.js';
import type { GuardsContext, Voices } from './guards.js';
import { Hop } from './hop.js';
import { refusal } from './replies.js';
import { onlyHoldsMedia } from './wire/aggregate.js';
import type { FilterPolicy } from './wire/chunk-filter.js';
import { COLLECT, DROP, PASS, type Disposition } from './wire/chunk-table.js';
import { writeCommand, type Command } from './wire/command.js';
import { USER_CONTROL, userControlMessage, type UserControl } from './wire/control.js';
import { COMMAND_CHUNK_STREAM, isCommand, isControl, MESSAGE, type Message } from './wire/message.js';

const MAX_COMMAND_BYTES = 65_536;
const MAX_AGGREGATE_BYTES = 1 << 20;

/**
 * What a client may do to the origin while its stream is relayed: send media into its own stream, or steer its own playback.
 * Commands are an allow-list, since Red5 hands every other name to its application.
 */
export class ClientPolicy implements FilterPolicy {
  readonly #context: GuardsContext;
  readonly #voices: Voices;
  readonly #hop: Hop;
  #streamIds: number;

  constructor(context: GuardsContext, voices: Voices) {
    this.#context = context;
    this.#voices = voices;
    const { ackBytes, table } = context.client;
    const say = (message: Message): void => {
      // A publisher that never reads is no reason to lose its stream: the next one tells the same and more (RTMP-68).
      const isSpare = message.type === MESSAGE.acknowledgement && context.isClientBehind();
      if (!isSpare) voices.toClient(message);
    };
    this.#hop = new Hop(context.now, say, ackBytes, table.received);
    this.#streamIds = context.client.streamId;
  }

  disposition(type: number, streamId: number, length: number): Disposition {
    const isOwn = streamId === this.#context.client.streamId;
    switch (type) {
      case MESSAGE.audio:
      case MESSAGE.video:
      case MESSAGE.dataAmf0:
      case MESSAGE.dataAmf3:
        return isOwn && this.#context.role === 'publisher' ? PASS : DROP;
      case MESSAGE.commandAmf0:
      case MESSAGE.commandAmf3:
        if (length <= MAX_COMMAND_BYTES) return COLLECT;
        this.#context.onKept('command-too-large');
        return DROP;
      case MESSAGE.aggregate:
        if (isOwn && this.#context.role === 'publisher' && length <= MAX_AGGREGATE_BYTES) return COLLECT;
        this.#context.onKept('aggregate');
        return DROP;
      case MESSAGE.sharedObjectAmf0:
      case MESSAGE.sharedObjectAmf3:
        this.#context.onKept('shared-object');
        return DROP;
      default:
        this.#context.onKept('unknown-message');
        return DROP;
    }
  }

  received(total: number): void {
    this.#hop.received(total);
  }

  message(message: Message): void {
    if (isControl(message.type)) this.#control(this.#hop.hear(message));
    else if (isCommand(message.type)) this.#command(message);
    else if (message.type !== MESSAGE.aggregate || onlyHoldsMedia(message.payload)) this.#passCut(message);
    else this.#context.onKept('aggregate');
  }

  /** Media whose chunks cannot pass as they came. */
  #passCut(message: Message): void {
    this.#voices.toOrigin({ ...message, streamId: this.#context.origin.streamId });
  }

  /** A viewer may say how much it buffers of its own stream. */
  #control(control: UserControl | undefined): void {
    const { client, origin, role } = this.#context;
    if (control?.event !== USER_CONTROL.setBufferLength || control.value !== client.streamId) return;
    if (role === 'subscriber') this.#voices.toOrigin(userControlMessage({ ...control, value: origin.streamId }));
  }

  #command(message: Message): void {
    let command: Command;
    try {
      command = this.#hop.command(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // A live stream is not worth losing for a command that nobody will get to see.
      this.#context.onKept('command-malformed');
      return;
    }
    const own = this.#context.client.streamId;
    switch (command.name) {
      case 'FCUnpublish':
        if (this.#isOwnName(command)) this.#voices.finish();
        else this.#answer(command);
        return;
      case 'closeStream':
        if (message.streamId === own) this.#voices.finish();
        return;
      case 'deleteStream': {
        // GStreamer names the stream instead of its id.
        const [which] = command.args;
        if (which === own || (typeof which === 'string' && this.#isOwnName(command))) this.#voices.finish();
        return;
      }
      case 'publish':
      case 'play':
      case 'play2':
        this.#refuseSecond(command, message.streamId);
        return;
      case 'pause':
      case 'pauseRaw':
      case 'seek':
      case 'receiveAudio':
      case 'receiveVideo':
        if (message.streamId === own && this.#context.role === 'subscriber') this.#passCommand(command);
        return;
      default:
        this.#answer(command);
    }
  }

  /** A client with several streams may end the one that was refused. */
  #isOwnName(command: Command): boolean {
    const [name] = command.args;
    return typeof name !== 'string' || this.#context.isOwnName(name);
  }

  /** What needs no decision is answered here; nothing of it goes on. */
  #answer(command: Command): void {
    if (command.name === 'createStream' || command.name === 'initStream') this.#streamIds += 1;
    for (const message of answerCommand(command, this.#streamIds)) this.#voices.toClient(message);
  }

  /** One connection carries one stream: a second one is refused, the first goes on (RTMP-66). */
  #refuseSecond(command: Command, streamId: number): void {
    const question = command.name === 'publish' ? 'publish' : 'subscribe';
    this.#context.onKept(`second-${question}`);
    const rejection = reject('stream-busy', 'this connection already carries a stream');
    for (const message of refusal({ question, transactionId: 0, streamId }, rejection)) this.#voices.toClient(message);
  }

  #passCommand(command: Command): void {
    this.#voices.toOrigin({
      chunkStreamId: COMMAND_CHUNK_STREAM,
      timestamp: 0,
      type: MESSAGE.commandAmf0,
      streamId: this.#context.origin.streamId,
      payload: writeCommand(command.name, command.transactionId, null, ...command.args),
    });
  }
}
