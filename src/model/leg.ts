import type { ByteStream } from './byte-stream.js';
import type { Decision } from './decision.js';
import type { Rejection } from './rejection.js';
import type { ConnectionRequest } from './request.js';
import type { Secret } from './secret.js';

/** Where a guard's output goes. Both take bytes that may be reused after the call. */
export interface GuardOutput {
  /** On to the other leg. */
  forward(bytes: Buffer): void;
  /** Back to the leg the bytes came from (acknowledgements, refusals, pongs). */
  reply(bytes: Buffer): void;
}

/**
 * Watches one direction of a relay: bytes from one leg in, what may pass out. Throws WireError when the peer talks nonsense.
 * The relay pushes once with no bytes when it starts, so that a guard can send on what was read before the hand-over.
 */
export interface Guard {
  push(bytes: Buffer, out: GuardOutput): void;
}

/** One side of a relay: its stream, and the guard over the bytes that come from it. */
export interface RelaySide {
  readonly stream: ByteStream;
  readonly guard: Guard;
}

/** Both sides, ready to run. `mediaFrom` says whose silence is the stream's silence. */
export interface RelayEnds {
  readonly client: RelaySide;
  readonly origin: RelaySide;
  readonly mediaFrom: 'client' | 'origin';
  /** Moves with the media, or says that none are expected at present. Default: all bytes from that side. */
  readonly mediaProgress?: () => number | 'paused';
}

/** Why a session ended; a closed list, for log and metric. */
export type EndReason =
  | 'client-finished'
  | 'client-closed'
  | 'client-error'
  | 'origin-finished'
  | 'origin-closed'
  | 'origin-error'
  | 'media-idle'
  | 'slow-viewer'
  | 'expired'
  | 'revoked'
  | 'over-bitrate'
  | 'taken-over'
  | 'kicked'
  | 'draining'
  | 'gateway-error';

/** What the relay room offers: runs until somebody ends it. */
export interface RunningRelay {
  readonly clientBytes: number;
  readonly originBytes: number;
  /** Lets go of both streams without closing them; no more callbacks. */
  stop(): void;
}
export type StartRelay = (ends: RelayEnds, onEnd: (reason: EndReason, error?: Error) => void) => RunningRelay;

/** A relay that a transport runs itself, because what it moves is no stream of bytes (datagrams). */
export interface OwnRelay {
  /** Starts it; `onEnd` is called at most once, and not after stop(). */
  run(onEnd: (reason: EndReason, error?: Error) => void): RunningRelay;
}

/** An origin that was chosen for a stream: its address for the request's transport, and what to show there. */
export interface OriginChoice {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** The stream as this origin wants it named. */
  readonly app: string;
  readonly streamName: string;
  readonly credentials: OriginCredentials;
  /**
   * `host` is not where to call: it is an SRV name whose targets are to be asked for, or the manager of a cluster that names
   * the node of each stream. See LocateOrigin.
   */
  readonly find?: 'srv' | 'node';
  /** Another origin could take the stream: the longest wait for a connection, in milliseconds. Absent: this is the last. */
  readonly connectTimeoutMs?: number;
  /** Told to the origin before all else, by a header of the PROXY protocol; absent: no header. */
  readonly clientAddress?: string;
}

/** What the gateway shows the origin, in the order in which it is to be sent. Empty for `strip`. */
export interface OriginCredentials {
  /** `name-query`: behind the stream name in RTMP, percent-encoded as in a query. */
  readonly placement: 'query' | 'name-query' | 'arguments' | 'none';
  readonly pairs: readonly (readonly [name: string, value: Secret])[];
}

/**
 * The origins that may take a request, best first; empty when none serves it. `preferred`: where the publisher of the
 * stream is known to be. Never throws. What comes back is read as far as it is needed.
 */
export type ChooseOrigin = (request: ConnectionRequest, preferred?: string) => Iterable<OriginChoice>;

/**
 * Finds where an origin with `find` is to be called for a request: the same origin at one or more addresses, best first.
 * Rejects with GatewayError `origin-unavailable` or `origin-refused`.
 */
export type LocateOrigin = (
  origin: OriginChoice,
  request: ConnectionRequest,
  signal: AbortSignal,
) => Promise<readonly OriginChoice[]>;

/** The origin's side of one stream, opened and accepted by the origin. */
export interface OriginLeg {
  /** Says goodbye in the transport's words and closes; idempotent. */
  close(): void;
}

/** The client's side of one request, as the session sees it. Yes and no are said here and nowhere else. */
export interface ClientLeg<Leg extends OriginLeg> {
  /** Opens the stream at the origin. Rejects with GatewayError `origin-unavailable`, `origin-refused` or `stream-busy`. */
  dial(origin: OriginChoice, signal: AbortSignal): Promise<Leg>;
  /** The only place that says yes. What comes back is relayed. */
  confirm(leg: Leg): RelayEnds | OwnRelay;
  /** The only place that says no: in the transport's words, flushed, then closed. */
  refuse(rejection: Rejection): void;
  /** Once, when a confirmed session is over, whoever ended it: tell the client and close, or go on when it only finished its stream. */
  goodbye(reason: EndReason): void;
}

/** A session that runs. */
export interface SessionHandle {
  readonly id: string;
  /** Whose token let it in; undefined where there is none. */
  readonly subject: string | undefined;
  /** Ends it from outside or from the client's leg; idempotent. */
  end(reason: EndReason, error?: Error): void;
}

/** What a transport may ask of the session room. */
export interface Door {
  /** A fresh session id. */
  newSessionId(): string;
  /** Decides and logs, nothing else: for RTMP's connect, and for who asks about a stream without opening it. */
  decide(request: ConnectionRequest): Promise<Decision>;
  /** Logs and counts a no that was clear before the law was asked (a bad path, two tokens). */
  refused(request: ConnectionRequest, rejection: Rejection): void;
  /**
   * decide -> dial -> confirm -> relay. Resolves to the running session, or undefined when the answer was no
   * (then `refuse` has been called) or the client left meanwhile (`signal`).
   */
  open<Leg extends OriginLeg>(
    request: ConnectionRequest,
    leg: ClientLeg<Leg>,
    signal: AbortSignal,
  ): Promise<SessionHandle | undefined>;
}
