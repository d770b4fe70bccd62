import type { Clock } from '../../model/clock.js';
import type { Door } from '../../model/leg.js';
import type { Secret } from '../../model/secret.js';
import type { Log, Metrics } from '../../model/telemetry.js';
import type { HttpCall, HttpReply } from '../../net/http-client.js';
import type { MediaPlane } from './media/media-plane.js';
import type { OriginManners } from './presets.js';

/** How WHIP and WHEP behave; filled from the config by the gateway. */
export interface WebrtcOptions {
  /** Requests for a stream at once that are not decided and answered. */
  readonly maxPending: number;
  /** Of them, from this one address; 0 is no limit. */
  readonly maxPendingPerAddress: (address: string) => number;
  /** For one request to an origin. */
  readonly originTimeoutMs: number;
  /** `strict`: a PATCH must name the session's version. */
  readonly ifMatch: 'lenient' | 'strict';
  /** Red5's `mode=record` and `mode=append` go on to the origin; else all is live. */
  readonly allowRecord: boolean;
  /** Told to clients. */
  readonly iceServers: readonly IceServerOption[];
}

/** A STUN or TURN server. */
export interface IceServerOption {
  readonly url: string;
  readonly username?: string;
  readonly credential?: Secret;
}

/** Figures that are right for most. */
export const DEFAULT_WEBRTC_OPTIONS: WebrtcOptions = {
  maxPending: 1000,
  maxPendingPerAddress: () => 0,
  originTimeoutMs: 5000,
  ifMatch: 'lenient',
  allowRecord: false,
  iceServers: [],
};

/** How long a trickle PATCH may wait for an origin before it is answered without it. */
export const PATCH_TIMEOUT_MS = 2000;
/** How often an origin is asked whether it still knows a session whose media does not pass through here. */
export const PROBE_MS = 15_000;
/** How long a viewer may take to answer an origin's offer. @see draft-ietf-wish-whep, `valid-until` */
export const ANSWER_TIMEOUT_MS = 30_000;

/** What the WebRTC transport needs from other rooms. */
export interface WebrtcDeps {
  readonly door: Door;
  /** How the origin of that name speaks WHIP and WHEP; undefined when it does not. */
  readonly mannersOf: (origin: string) => OriginManners | undefined;
  /** Asks an origin. Rejects with GatewayError `origin-unavailable` or `origin-refused`. */
  readonly call: (call: HttpCall, origin: string) => Promise<HttpReply>;
  /** Undefined where no origin has its media relayed. */
  readonly media: MediaPlane | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: (size: number) => Buffer;
}

/** What differs between the listeners. */
export interface Listening {
  /** Base of the URLs given to clients, without a slash at the end; undefined: the host they name. */
  readonly publicUrl: string | undefined;
  readonly pages: boolean;
  /** Origins of the dashboard, which may frame the tile of the watch page; empty: nobody may. */
  readonly framedBy: readonly string[];
}
