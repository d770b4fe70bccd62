import type { ByteStream } from '../../model/byte-stream.js';
import type { ClientLeg, EndReason, OriginChoice, RelayEnds } from '../../model/leg.js';
import type { Rejection } from '../../model/rejection.js';
import type { ConnectFields } from './credential.js';
import { createGuards, type Guards } from './guards.js';
import type { RtmpDeps } from './options.js';
import { openOriginLeg, type OriginWish, type RtmpOriginLeg } from './origin-leg.js';
import type { EnhancedFields } from './origin-commands.js';
import { confirmation, farewell, type Question } from './replies.js';
import type { AmfValue } from './wire/amf-value.js';
import type { ChunkTable } from './wire/chunk-table.js';
import type { Message } from './wire/message.js';

/** What a stream's leg needs of the connection it lives in. */
export interface ClientSide {
  readonly stream: ByteStream;
  readonly table: ChunkTable;
  readonly connect: ConnectFields;
  readonly deps: RtmpDeps;
  /** Chunk size announced to the client. */
  readonly writeChunkSize: number;
  /** Window the client has named, or 0. */
  readonly ackBytes: number;
  /** Takes what was read and not parsed; the relay reads on from here. */
  takeRest(): Buffer;
  send(messages: readonly Message[]): void;
  /** Whether a stream name means the stream that was asked for. */
  isOwnName(name: AmfValue): boolean;
  /** Says no to the question this leg stands for. */
  refuse(rejection: Rejection): void;
  /** Last words, flushed, then the close. */
  closeWith(messages: readonly Message[]): void;
  /** The client finished its stream by command and may ask for another. */
  resume(rest: Buffer): void;
  /** The client's stream is gone. */
  gone(): void;
  /** The guard asks for the end of the session. */
  finish(): void;
  /** What the origin said of Enhanced RTMP. */
  learn(origin: OriginChoice, fields: EnhancedFields): void;
  /** Something was kept from the other side. */
  kept(what: string): void;
}

/** The client's leg of one publish or play. */
export class RtmpClientLeg implements ClientLeg<RtmpOriginLeg> {
  readonly #side: ClientSide;
  readonly #asked: Question;
  readonly #wish: OriginWish;
  #guards: Guards | undefined;

  constructor(side: ClientSide, asked: Question, wish: OriginWish) {
    this.#side = side;
    this.#asked = asked;
    this.#wish = wish;
  }

  async dial(origin: OriginChoice, signal: AbortSignal): Promise<RtmpOriginLeg> {
    const stream = await this.#side.deps.dial(origin, signal);
    const { random, clock } = this.#side.deps;
    const onCapabilities = (fields: EnhancedFields): void => this.#side.learn(origin, fields);
    return openOriginLeg(stream, origin, this.#wish, { random, now: () => clock.now(), onCapabilities }, signal);
  }

  confirm(leg: RtmpOriginLeg): RelayEnds {
    const side = this.#side;
    const role = this.#role();
    side.send(confirmation(this.#asked));
    const guards = createGuards({
      role,
      client: {
        table: side.table,
        rest: side.takeRest(),
        streamId: this.#asked.streamId,
        writeChunkSize: side.writeChunkSize,
        ackBytes: side.ackBytes,
      },
      origin: leg.takeState(),
      onClientFinished: () => side.finish(),
      onKept: (what) => side.kept(what),
      isOwnName: (name) => side.isOwnName(name),
      isClientBehind: () => side.stream.bufferedBytes > 0,
      now: () => side.deps.clock.now(),
    });
    guards.agreeOnChunkSize(
      (bytes) => leg.stream.write(bytes),
      (bytes) => side.stream.write(bytes),
    );
    leg.sayThrough((messages) => {
      const words: Buffer[] = [];
      for (const message of messages) guards.tellOrigin(message, (bytes) => words.push(bytes));
      leg.stream.write(Buffer.concat(words));
    });
    this.#guards = guards;
    return {
      client: { stream: side.stream, guard: guards.client },
      origin: { stream: leg.stream, guard: guards.origin },
      mediaFrom: role === 'publisher' ? 'client' : 'origin',
    };
  }

  refuse(rejection: Rejection): void {
    this.#side.refuse(rejection);
  }

  goodbye(reason: EndReason): void {
    const guards = this.#guards;
    switch (reason) {
      case 'client-finished': {
        const settled = guards?.settleClient();
        if (guards === undefined || settled === undefined) {
          this.#side.closeWith([]);
          return;
        }
        this.#side.stream.write(settled);
        this.#side.resume(guards.clientRest());
        return;
      }
      case 'client-closed':
      case 'client-error':
        this.#side.gone();
        return;
      default: {
        const words: Buffer[] = [];
        for (const message of farewell(this.#role(), this.#asked.streamId, reason)) {
          guards?.tellClient(message, (bytes) => words.push(bytes));
        }
        this.#side.stream.write(Buffer.concat(words));
        this.#side.closeWith([]);
      }
    }
  }

  #role(): 'publisher' | 'subscriber' {
    return this.#asked.question === 'publish' ? 'publisher' : 'subscriber';
  }
}
