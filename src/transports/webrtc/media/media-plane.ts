import type { EndReason, RunningRelay } from '../../../model/leg.js';

/** What the client does with the media of a session. */
export type MediaRole = 'publisher' | 'subscriber';

/** A new session. */
export interface MediaOpenInput {
  readonly sessionId: string;
  readonly role: MediaRole;
}

/**
 * The media side of all WebRTC sessions: one UDP port for the clients, one socket a session towards the origin.
 * ICE ends here, DTLS and SRTP pass through as they are.
 *
 * WireErrors of SDP have codes that start with `sdp-` (malformed: 400) or `unsupported-` (understood, but cannot be served: 422).
 */
export interface MediaPlane {
  /**
   * A session for which the client made the offer. Nothing reaches the network before `run`; the origin may be given
   * `sdpForOrigin`. Throws WireError for SDP that no origin should see, GatewayError `media-full` when there are too many sessions.
   */
  open(input: MediaOpenInput & { readonly clientSdp: string }): MediaSession;
  /**
   * A session for which the origin makes the offer (Red5's WHEP, a 406 with an offer). Throws WireError for an offer that is of
   * no use, GatewayError `media-full`.
   */
  openForOffer(input: MediaOpenInput & { readonly originSdp: string }): OfferedMediaSession;
  /**
   * New sessions tell clients these addresses; those of a family for which no port is open are left out, and where none is left the
   * old ones stay.
   */
  usePublicAddresses(addresses: readonly string[]): void;
  /** Takes no more sessions, and closes the port when the last one has gone. Idempotent. */
  retire(): void;
  /** Takes sessions again after `retire`, where that has not closed it yet. */
  resume(): void;
  /** Resolves when the port is closed, for whatever reason. */
  readonly closed: Promise<void>;
  /** Ends all sessions at once and closes the port. Idempotent. */
  close(): Promise<void>;
  /** Where clients' datagrams arrive: the first port that was bound. */
  readonly address: { readonly host: string; readonly port: number };
  /** What passed and what was dropped since the start. */
  readonly counters: MediaCounters;
}

/** What sessions of both kinds can do. */
export interface MediaSessionBase {
  /**
   * The client sent a PATCH with an sdpfrag (RFC 8840): `trickle` asks for no answer, `restart` for the fragment that comes with it.
   * Throws WireError (`sdp-…`).
   */
  patch(fragment: string): { readonly kind: 'trickle' } | { readonly kind: 'restart'; readonly fragment: string };
  /**
   * Starts relaying. `onEnd` is called at most once, and not after `stop()` or `end()`: the client never came, fell silent or left, the
   * origin never answered or stopped answering. Its error is a GatewayError. Whoever starts a session calls `end()` in the end.
   */
  run(onEnd: (reason: EndReason, error?: Error) => void): RunningRelay;
  /**
   * Ends the media at once. A client that has been given credentials gets a signed 403 for its checks for 30 s, so that it notices
   * within about two seconds; then all is forgotten. Idempotent.
   */
  end(): void;
  /** How it goes. */
  stats(): MediaStats;
}

/** A session for which the client made the offer. */
export interface MediaSession extends MediaSessionBase {
  /** The client's offer as the origin gets it: without candidates, with credentials of ours. */
  readonly sdpForOrigin: string;
  /**
   * Takes the origin's answer and gives the client's: ice-lite, our credentials and candidates (IPv4 first).
   * Throws WireError for an answer that is of no use; the session can then only be ended.
   */
  answer(originSdp: string): string;
}

/** A session for which the origin made the offer. */
export interface OfferedMediaSession extends MediaSessionBase {
  /** The origin's offer as the client gets it: ice-lite, our credentials and candidates (IPv4 first). */
  readonly sdpForClient: string;
  /**
   * Takes the client's answer and gives the origin's: without candidates, with credentials of ours. May come after `run`, which
   * waits 30 s for it. Throws WireError for an answer that no origin should see; another one may then be tried.
   */
  answer(clientSdp: string): string;
}

/** What happens to a session, in the order in which it happens. */
export type MediaState = 'offered' | 'wait-client' | 'connecting' | 'relaying' | 'suspect' | 'ending' | 'gone';

/** Packets, bytes and rate of one direction. */
export interface MediaFlow {
  readonly packets: number;
  readonly bytes: number;
  /** Bits a second over the last second or two. */
  readonly bitrate: number;
}

/** How a session goes. */
export interface MediaStats {
  readonly state: MediaState;
  /** Where the client's media comes from and ours goes to, once an address has proven itself. */
  readonly client: { readonly host: string; readonly port: number } | undefined;
  readonly fromClient: MediaFlow;
  readonly fromOrigin: MediaFlow;
}

/** Why a datagram went no further. */
export type DropReason =
  /** Not sent by an address that has passed a check. */
  | 'unknown-address'
  /** Neither STUN nor DTLS nor RTP. */
  | 'unknown-kind'
  /** Longer than anything that WebRTC sends. */
  | 'oversized'
  /** STUN that is cut short, damaged or of another method. */
  | 'bad-stun'
  /** A check for a user name that is nobody's. */
  | 'unknown-user'
  /** A check that was not made with the session's password. */
  | 'bad-integrity'
  /** A check from an address that another session of the port uses now. */
  | 'address-taken'
  /** More than is held until both sides are connected. */
  | 'hold-full'
  /** A session that has ended, or has not begun. */
  | 'not-relaying'
  /** The socket refused to send it. */
  | 'send-failed';

/** What passed and what was dropped. */
export interface MediaCounters {
  readonly sessions: number;
  readonly fromClientPackets: number;
  readonly fromOriginPackets: number;
  readonly checksAnswered: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
}
