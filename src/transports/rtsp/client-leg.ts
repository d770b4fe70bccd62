import type { ClientLeg, EndReason, OriginChoice, RelayEnds } from '../../model/leg.js';
import type { Rejection } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { DatagramStream } from './datagram-stream.js';
import { trackName, type Description } from './description.js';
import { Exchange } from './exchange.js';
import type { RtspDeps, RtspOptions } from './options.js';
import { openOriginLeg, type RtspOriginLeg } from './origin-leg.js';
import { answer } from './replies.js';
import type { HeaderEntry } from './wire/headers.js';
import type { RtspRequest } from './wire/message.js';
import type { RtspReader } from './wire/reader.js';
import { writeRtspUrl, type RtspAuthority } from './wire/url.js';
import { writeSdp } from '../../wire/sdp.js';

/** What a stream's leg needs of the connection it lives in. */
export interface ClientSide {
  readonly stream: DatagramStream;
  readonly reader: RtspReader;
  readonly deps: RtspDeps;
  readonly options: RtspOptions;
  /** The relay reads on from here. */
  relays(): void;
  send(bytes: Buffer): void;
  /** Says no to the question this leg stands for. */
  refuse(rejection: Rejection): void;
  /** The client finished its stream and may ask for another; `next` is its next request, if it was read already. */
  resume(next: RtspRequest | undefined): void;
  /** Flushes, then closes. */
  close(): void;
  /** The client's stream is gone. */
  gone(): void;
  /** The session is to end. */
  end(reason: EndReason, error?: Error): void;
  note(note: string, fields: Readonly<Record<string, unknown>>): void;
}

/** The request that asked, and what it told. */
export interface StreamQuestion {
  readonly asked: RtspRequest;
  readonly request: ConnectionRequest;
  readonly authority: RtspAuthority | undefined;
  /** The path as the client wrote it. */
  readonly path: string;
  /** Of an ANNOUNCE. */
  readonly description?: Description;
}

/** The client's leg of one ANNOUNCE, DESCRIBE or bare SETUP, and what follows it. */
export class RtspClientLeg implements ClientLeg<RtspOriginLeg> {
  readonly #side: ClientSide;
  readonly #question: StreamQuestion;
  #exchange: Exchange | undefined;
  #next: RtspRequest | undefined;

  constructor(side: ClientSide, question: StreamQuestion) {
    this.#side = side;
    this.#question = question;
  }

  async dial(origin: OriginChoice, signal: AbortSignal): Promise<RtspOriginLeg> {
    const { description } = this.#question;
    const { deps } = this.#side;
    const wish = description === undefined ? ({ kind: 'play' } as const) : ({ kind: 'publish', description } as const);
    const stream = await deps.dial(origin, signal);
    return openOriginLeg(stream, origin, wish, deps.random, signal);
  }

  /** The first yes: 200 to ANNOUNCE or DESCRIBE; a bare SETUP is the first request of the exchange, and answered there. */
  confirm(leg: RtspOriginLeg): RelayEnds {
    const side = this.#side;
    const { asked, request, description } = this.#question;
    const role = description === undefined ? 'subscriber' : 'publisher';
    const describeAgain = role === 'subscriber' ? (again: RtspRequest) => this.#describe(again, leg) : undefined;
    side.relays();
    if (asked.method === 'DESCRIBE') side.send(this.#describe(asked, leg));
    if (asked.method === 'ANNOUNCE') side.send(answer(asked, 200));
    const exchange = new Exchange(
      {
        deps: side.deps,
        options: side.options,
        role,
        request,
        client: {
          stream: side.stream,
          reader: side.reader,
          controls: description?.controls ?? leg.description.controls.map((_, index) => trackName(index)),
          url: this.#url(''),
        },
        origin: leg,
        describeAgain,
        onFinished: (next) => {
          this.#next = next;
          side.end('client-finished');
        },
        onEnd: (reason, error) => side.end(reason, error),
        onRefused: (method, status) => side.note('refused-in-session', { method, status }),
      },
      asked.method === 'SETUP' ? asked : undefined,
    );
    this.#exchange = exchange;
    return {
      client: { stream: side.stream, guard: exchange.client },
      origin: { stream: leg.stream, guard: exchange.origin },
      mediaFrom: role === 'publisher' ? 'client' : 'origin',
      mediaProgress: exchange.mediaProgress,
    };
  }

  refuse(rejection: Rejection): void {
    this.#side.refuse(rejection);
  }

  goodbye(reason: EndReason): void {
    const { stream } = this.#side;
    if (reason !== 'client-finished') stream.farewell();
    this.#exchange?.stop();
    switch (reason) {
      case 'client-finished':
        this.#side.resume(this.#next);
        return;
      case 'client-closed':
        this.#side.gone();
        return;
      default:
        this.#side.close();
    }
  }

  #describe(request: RtspRequest, leg: RtspOriginLeg): Buffer {
    const base: readonly HeaderEntry[] = [['Content-Base', this.#url('/')]];
    const headers: readonly HeaderEntry[] = [['Content-Type', 'application/sdp'], ...base];
    return answer(request, 200, { headers, body: writeSdp(leg.description.sdp) });
  }

  /** The stream's URL as the client wrote it, without a query: with one, every client would join tracks to it in its own way. */
  #url(end: string): string {
    const { authority, path } = this.#question;
    return writeRtspUrl({ ...(authority && { authority }), path: `${path}${end}`, query: '' });
  }
}
