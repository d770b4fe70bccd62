import type { ByteStream } from '../../src/model/byte-stream.js';
import { amfObject, fieldsOf, type AmfValue } from '../../src/transports/rtmp/wire/amf-value.js';
import { readCommand, type Command } from '../../src/transports/rtmp/wire/command.js';
import { isCommand } from '../../src/transports/rtmp/wire/message.js';
import { RtmpPeer } from './rtmp-peer.js';

/** How the origin behaves. */
export interface OriginBehaviour {
  /** Description beside `refuseStream`. */
  readonly refuseDescription?: string;
  /** Code of the `_error` to connect. */
  readonly refuseConnect?: string;
  /** Code of the error status to publish or play. */
  readonly refuseStream?: string;
  /** Commands that are never answered; `handshake` is none, but may stand here too. */
  readonly silentTo?: readonly string[];
  /** The id createStream is answered with. */
  readonly streamId?: number;
  /** Set Chunk Size sent before the answer to connect. */
  readonly chunkSize?: number;
  /** Fields in the information object of the answer to connect. */
  readonly connectInfo?: Readonly<Record<string, AmfValue>>;
}

/** An origin as far as RTMP goes: answers as Red5 and nginx-rtmp do, and remembers what it was told. */
export class OriginDouble {
  readonly peer: RtmpPeer;
  readonly #behaviour: OriginBehaviour;

  constructor(stream: ByteStream, behaviour: OriginBehaviour = {}) {
    this.#behaviour = behaviour;
    this.peer = new RtmpPeer(stream, 'server');
    if (behaviour.silentTo?.includes('handshake')) stream.pause();
    this.peer.onMessage = (message) => {
      if (isCommand(message.type)) this.#answer(readCommand(20, message.payload), message.streamId);
    };
  }

  /** The connect command it got. */
  get connect(): Command {
    return this.named('connect');
  }

  get app(): AmfValue {
    return fieldsOf(this.connect.object).get('app');
  }

  /** The one command of that name. */
  named(name: string): Command {
    const found = this.peer.commands.find((command) => command.name === name);
    if (found === undefined) throw new Error(`the origin was told ${this.names().join(', ')}, not ${name}`);
    return found;
  }

  names(): readonly string[] {
    return this.peer.commands.map((command) => command.name);
  }

  status(code: string, level = 'status', description = 'x'): void {
    const streamId = this.#behaviour.streamId ?? 1;
    this.peer.commandOn(streamId, 'onStatus', 0, null, amfObject({ level, code, description }));
  }

  #answer(command: Command, streamId: number): void {
    const {
      refuseConnect,
      refuseStream,
      refuseDescription = 'x',
      silentTo = [],
      chunkSize,
      connectInfo = {},
    } = this.#behaviour;
    if (silentTo.includes(command.name)) return;
    switch (command.name) {
      case 'connect': {
        if (refuseConnect !== undefined) {
          const info = amfObject({ level: 'error', code: refuseConnect, description: 'no' });
          this.peer.command('_error', command.transactionId, null, info);
          return;
        }
        if (chunkSize !== undefined) this.peer.setChunkSize(chunkSize);
        const info = amfObject({ level: 'status', code: 'NetConnection.Connect.Success', ...connectInfo });
        this.peer.command('_result', command.transactionId, amfObject({ fmsVer: 'DOUBLE/1' }), info);
        return;
      }
      case 'createStream':
        this.peer.command('_result', command.transactionId, null, this.#behaviour.streamId ?? 1);
        return;
      case 'publish':
      case 'play': {
        const yes = command.name === 'publish' ? 'NetStream.Publish.Start' : 'NetStream.Play.Start';
        const info = amfObject({
          level: refuseStream === undefined ? 'status' : 'error',
          code: refuseStream ?? yes,
          description: refuseDescription,
        });
        this.peer.commandOn(streamId, 'onStatus', 0, null, info);
        return;
      }
      default:
    }
  }
}
