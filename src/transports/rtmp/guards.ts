import type { Guard } from '../../model/leg.js';
import { ClientPolicy } from './client-policy.js';
import { OriginPolicy } from './origin-policy.js';
import type { AmfValue } from './wire/amf-value.js';
import { ChunkFilter, isRawSize, MAX_FILL_BYTES } from './wire/chunk-filter.js';
import { PASS, type ChunkTable } from './wire/chunk-table.js';
import { writeFill, writeMessage } from './wire/chunk-writer.js';
import { controlMessage } from './wire/control.js';
import { MESSAGE, type Message } from './wire/message.js';

/** Half-read commands and re-cut media together, per direction. */
const MAX_COLLECTED_BYTES = 4 << 20;

/** What two directions of a relay start from. */
export interface GuardsContext {
  readonly role: 'publisher' | 'subscriber';
  readonly client: LegState;
  readonly origin: LegState;
  /** The client ended its stream by command; the connection lives on. Called inside a push. */
  readonly onClientFinished: () => void;
  /** Something was kept from the other side; `what` is from a closed list. */
  readonly onKept: (what: string) => void;
  /** Whether a stream name that the client says means this stream. */
  readonly isOwnName: (name: AmfValue) => boolean;
  /** The client has not yet taken what was said to it before. */
  readonly isClientBehind: () => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How a policy speaks while it judges. */
export interface Voices {
  toClient(message: Message): void;
  toOrigin(message: Message): void;
  /** The client has ended its stream. */
  finish(): void;
}

/** One leg at the hand-over. */
export interface LegState {
  readonly table: ChunkTable;
  /** Bytes read and not yet parsed. */
  readonly rest: Buffer;
  readonly streamId: number;
  /** Chunk size last announced to this leg. */
  readonly writeChunkSize: number;
  /** Bytes after which this leg wants an acknowledgement. */
  readonly ackBytes: number;
}

/** The two guards of a relayed stream. */
export interface Guards {
  /** Over what the client sends. */
  readonly client: Guard;
  /** Over what the origin sends. */
  readonly origin: Guard;
  /** Tells the reader of the media which chunk size its writer uses now; once, before the first push. */
  agreeOnChunkSize(writeToOrigin: (bytes: Buffer) => void, writeToClient: (bytes: Buffer) => void): void;
  /** Bytes of the client that were not read when it finished. */
  clientRest(): Buffer;
  /**
   * For a client that finished and stays: what it has half of is filled up with zeros, and it is told the chunk size it knew before.
   * Undefined when that is more than `MAX_FILL_BYTES`.
   */
  settleClient(): Buffer | undefined;
  /** Last words to the origin: nothing of the client follows. Not sent where the origin was left with half a message. */
  tellOrigin(message: Message, write: (bytes: Buffer) => void): void;
  /** Last words to the client. */
  tellClient(message: Message, write: (bytes: Buffer) => void): void;
}

/**
 * Makes the guards of one stream: media passes raw, control messages are answered here, commands are judged. Only the client's own
 * stream is ever reached, whatever it sends, in whatever message type.
 */
export function createGuards(context: GuardsContext): Guards {
  return new StreamGuards(context);
}

class StreamGuards implements Guards {
  readonly client: ChunkFilter;
  readonly origin: ChunkFilter;
  readonly #context: GuardsContext;

  constructor(context: GuardsContext) {
    this.#context = context;
    const { client, origin, role } = context;
    const voices: Voices = {
      toClient: (message) => this.origin.inject(message, (bytes) => this.client.reply(bytes)),
      toOrigin: (message) => this.client.inject(message, (bytes) => this.origin.reply(bytes)),
      finish: () => {
        this.client.stop();
        context.onClientFinished();
      },
    };
    this.client = new ChunkFilter(client.table, new ClientPolicy(context, voices), {
      outChunkSize: origin.writeChunkSize,
      streamId: { from: client.streamId, to: origin.streamId },
      forwardsChunkSize: role === 'publisher',
      initial: client.rest,
      maxCollectedBytes: MAX_COLLECTED_BYTES,
    });
    this.origin = new ChunkFilter(origin.table, new OriginPolicy(context, voices), {
      outChunkSize: client.writeChunkSize,
      streamId: { from: origin.streamId, to: client.streamId },
      forwardsChunkSize: role === 'subscriber',
      initial: origin.rest,
      maxCollectedBytes: MAX_COLLECTED_BYTES,
    });
  }

  agreeOnChunkSize(writeToOrigin: (bytes: Buffer) => void, writeToClient: (bytes: Buffer) => void): void {
    const { client, origin, role } = this.#context;
    if (role === 'publisher') {
      if (isRawSize(client.table.chunkSize)) this.client.resize(client.table.chunkSize, writeToOrigin);
    } else if (isRawSize(origin.table.chunkSize)) {
      this.origin.resize(origin.table.chunkSize, writeToClient);
    }
  }

  clientRest(): Buffer {
    return this.client.rest();
  }

  settleClient(): Buffer | undefined {
    const { client, origin, role } = this.#context;
    if (role === 'publisher') return Buffer.alloc(0);
    const { table } = origin;
    // The chunk at hand comes first: its header has been sent.
    const halves = [...table.streams()]
      .filter(({ missing, disposition }) => missing > 0 && disposition === PASS)
      .sort((one, other) => Number(other === table.current) - Number(one === table.current));
    if (halves.reduce((sum, { missing }) => sum + missing, 0) > MAX_FILL_BYTES) return undefined;
    const fills = halves.flatMap((stream) => {
      const begun = stream === table.current ? table.chunkLeft : 0;
      const { id, outExtension, missing } = stream;
      return [Buffer.alloc(begun), writeFill(id, outExtension, missing - begun, table.chunkSize)];
    });
    const chunkSize = controlMessage(MESSAGE.setChunkSize, client.writeChunkSize);
    return Buffer.concat([...fills, writeMessage(chunkSize, client.writeChunkSize)]);
  }

  tellOrigin(message: Message, write: (bytes: Buffer) => void): void {
    // Last words also leave when the end came from inside a push: nothing may wait for its rest.
    this.client.stop();
    this.client.inject(message, write);
  }

  tellClient(message: Message, write: (bytes: Buffer) => void): void {
    this.origin.stop();
    this.origin.inject(message, write);
  }
}
