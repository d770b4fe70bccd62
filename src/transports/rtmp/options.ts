import type { ByteStream } from '../../model/byte-stream.js';
import type { Clock } from '../../model/clock.js';
import type { ChooseOrigin, Door, OriginChoice } from '../../model/leg.js';
import type { Log, Metrics } from '../../model/telemetry.js';

/** How the RTMP transport behaves; filled from the config by the gateway. */
export interface RtmpOptions {
  /** From accept to a whole `connect`, and from a connect without a token to `publish` or `play`. */
  readonly handshakeTimeoutMs: number;
  /** From a connect that a token let in to `publish` or `play`. */
  readonly publishTimeoutMs: number;
  /** Bytes a peer may send, and make us hold, before the first yes. */
  readonly preDecisionBytes: number;
  /** Connections at once that nothing has been said yes to. */
  readonly maxUnauthenticated: number;
  /** Of them, from this one address; 0 is no limit. */
  readonly maxUnauthenticatedPerAddress: (address: string) => number;
  /** Publish types `record` and `append` go on to the origin; else all is `live`. */
  readonly allowRecord: boolean;
}

/** Figures that are right for most. */
export const DEFAULT_RTMP_OPTIONS: RtmpOptions = {
  handshakeTimeoutMs: 5000,
  publishTimeoutMs: 30_000,
  preDecisionBytes: 65_536,
  maxUnauthenticated: 1000,
  maxUnauthenticatedPerAddress: () => 0,
  allowRecord: false,
};

/** What the RTMP transport needs from other rooms. */
export interface RtmpDeps {
  readonly door: Door;
  readonly chooseOrigin: ChooseOrigin;
  /** Opens a stream to an origin. Rejects with GatewayError `origin-unavailable`. */
  readonly dial: (origin: OriginChoice, signal: AbortSignal) => Promise<ByteStream>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Random bytes, for handshakes. */
  readonly random: (size: number) => Buffer;
  /** Told that a connection is being set up, so that paced relays do not delay it; call what comes back when it is over. */
  readonly setupStarted: () => () => void;
}

/** Chunk size the gateway writes with towards clients, and asks publishers that follow it to use. */
export const CLIENT_CHUNK_SIZE = 4096;
/** Window that the gateway announces to both sides, in bytes. */
export const WINDOW_BYTES = 5_000_000;
/** How often the gateway acknowledges to a peer that has named no window, in bytes. */
export const DEFAULT_ACK_BYTES = 2_500_000;
/** How long a refused or left client may take to close its side. */
export const CLOSE_GRACE_MS = 1000;
