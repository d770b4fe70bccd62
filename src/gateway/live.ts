import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { Decide, Farewell } from '../model/hook.js';
import type { StartRelay } from '../model/leg.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { AdmissionLimits } from '../net/admission.js';
import { createUdpPairs } from '../net/udp-pairs.js';
import type { RtmpOptions } from '../transports/rtmp/options.js';
import type { OpenDatagrams, RtspOptions } from '../transports/rtsp/options.js';
import { createNetworks } from '../wire/cidr.js';
import type { Lasting } from './lasting.js';
import { createLaw } from './law.js';
import { createOrigins, type Origins } from './origins.js';
import { createRelaying } from './relaying.js';

/** What one config comes to: the law, the origins and the relay that new streams get. */
export interface Generation {
  readonly config: Config;
  readonly decide: Decide;
  readonly farewell: Farewell;
  readonly origins: Origins;
  readonly startRelay: StartRelay;
  /** Addresses of trusted proxies, behind which there are many. */
  readonly isShared: (address: string) => boolean;
  /** Opens UDP ports for media of RTSP; undefined where they come by TCP only. */
  readonly openDatagrams: OpenDatagrams | undefined;
}

/** Figures that the transports look up each time they need one, so that a new config holds from the next client on. */
export type LiveOptions = RtmpOptions & RtspOptions;

/** The config that holds now, and what it comes to. Streams that run keep what they began with. */
export interface Live {
  readonly now: Generation;
  readonly options: LiveOptions;
  /** Of connections at once; 0 is none. */
  readonly limits: AdmissionLimits;
  /** Makes what another config comes to; what comes back puts it in its place. Throws GatewayError `config-keys`. */
  prepare(config: Config): () => void;
}

/** What generations are made with. */
export interface LiveDeps extends Lasting {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Milliseconds of a clock that never jumps, with fractions. */
  readonly elapsedMs: () => number;
}

/** Makes the first generation. Throws GatewayError `config-keys`. */
export function createLive(config: Config, deps: LiveDeps): Live {
  let now = generationOf(config, deps);
  const limits = (): Config['limits'] => now.config.limits;
  return {
    get now() {
      return now;
    },
    options: {
      get handshakeTimeoutMs() {
        return limits().handshakeTimeoutSeconds * 1000;
      },
      get publishTimeoutMs() {
        return limits().publishTimeoutSeconds * 1000;
      },
      get preDecisionBytes() {
        return limits().preDecisionBytes;
      },
      get maxUnauthenticated() {
        return limits().unauthenticated || Infinity;
      },
      maxUnauthenticatedPerAddress: (address) => (now.isShared(address) ? 0 : limits().unauthenticatedPerAddress),
      get allowRecord() {
        return now.config.relay.allowRecord;
      },
    },
    limits: {
      get connections() {
        return limits().connections;
      },
      perAddress: (address) => (now.isShared(address) ? 0 : limits().perAddress),
    },
    prepare(config) {
      const next = generationOf(config, deps, now);
      return () => {
        now = next;
      };
    },
  };
}

function generationOf(config: Config, deps: LiveDeps, last?: Generation): Generation {
  const proxies = createNetworks(config.trustedProxies);
  const isShared = (address: string): boolean => proxies.has(address);
  return {
    ...{ config, isShared },
    ...createLaw(config, { ...deps, isShared }),
    origins: createOrigins(config, deps),
    startRelay: createRelaying(config, deps.clock, deps.pacer),
    openDatagrams: datagramsOf(config, last),
  };
}

/** The ports for media of RTSP; a range that stays the same keeps its order of them. */
function datagramsOf({ listen: { rtsp } }: Config, last: Generation | undefined): OpenDatagrams | undefined {
  if (rtsp?.udpPorts === undefined) return undefined;
  const old = last?.config.listen.rtsp;
  if (old?.host === rtsp.host && isDeepStrictEqual(old.udpPorts, rtsp.udpPorts)) return last?.openDatagrams;
  const pairs = createUdpPairs({ host: rtsp.host, ...rtsp.udpPorts });
  return (peer) => pairs.open(peer);
}
