import type { ByteStream } from '../../model/byte-stream.js';
import type { Clock } from '../../model/clock.js';
import type { Door, OriginChoice } from '../../model/leg.js';
import type { Log, Metrics } from '../../model/telemetry.js';
import type { NumberPair } from './wire/transport-header.js';

/** How the RTSP transport behaves; filled from the config by the gateway. */
export interface RtspOptions {
  /** From accept, or from a challenge, to a whole DESCRIBE, ANNOUNCE or SETUP. */
  readonly handshakeTimeoutMs: number;
  /** From the first yes to PLAY or RECORD, and from TEARDOWN to the next question. */
  readonly publishTimeoutMs: number;
  /** Bytes a peer may make us hold before the first yes. */
  readonly preDecisionBytes: number;
  /** Connections at once that nothing has been said yes to. */
  readonly maxUnauthenticated: number;
  /** Of them, from this one address; 0 is no limit. */
  readonly maxUnauthenticatedPerAddress: (address: string) => number;
}

/** Figures that are right for most. */
export const DEFAULT_RTSP_OPTIONS: RtspOptions = {
  handshakeTimeoutMs: 5000,
  publishTimeoutMs: 30_000,
  preDecisionBytes: 65_536,
  maxUnauthenticated: 1000,
  maxUnauthenticatedPerAddress: () => 0,
};

/** Where datagrams of one track come from and go to. */
export interface DatagramPair {
  /** The gateway's ports. */
  readonly ports: NumberPair;
  /** Who is told of each packet that comes from the peer; `packet` is the listener's own. */
  listen(onPacket: (packet: Buffer, isRtcp: boolean) => void): void;
  /** `packet` may be reused after the call. */
  send(packet: Buffer, isRtcp: boolean): void;
  /** Idempotent. */
  close(): void;
}

/** Opens a pair for one peer, whose ports are what it says until its first packet shows them. Rejects when none is free. */
export type OpenDatagrams = (peer: NumberPair & { readonly address: string }) => Promise<DatagramPair>;

/** What the RTSP transport needs from other rooms. */
export interface RtspDeps {
  readonly door: Door;
  /** Opens a stream to an origin. Rejects with GatewayError `origin-unavailable`. */
  readonly dial: (origin: OriginChoice, signal: AbortSignal) => Promise<ByteStream>;
  /** Absent: UDP is off, and SETUPs for it are answered with 461. */
  readonly openDatagrams?: OpenDatagrams | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Random bytes, for session ids and digests. */
  readonly random: (size: number) => Buffer;
  /** Told that a connection is being set up, so that paced relays do not delay it; call what comes back when it is over. */
  readonly setupStarted: () => () => void;
}

/** What the gateway calls itself towards both sides. */
export const PRODUCT = 'Portcullis';
/** Realm of the challenge; GStreamer and VLC show it when they ask for a password. */
export const REALM = 'Portcullis: the token is the password';
/** Session timeout of the gateway itself, and the standard's default for an origin that says none, in seconds. */
export const SESSION_TIMEOUT_S = 60;
/** A session lives so much longer than was advertised: some send their keep-alive at the very last moment. */
export const SESSION_SLACK_S = 5;
/** How long a refused or left client may take to close its side. */
export const CLOSE_GRACE_MS = 1000;
