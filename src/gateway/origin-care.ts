import { randomBytes } from 'node:crypto';
import type { Config, Origin, OriginAddress } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { OriginChoice } from '../model/leg.js';
import { Secret } from '../model/secret.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { EndpointKind } from '../model/transport.js';
import { dialAddresses } from '../net/dial.js';
import { createNameResolver, type NameResolver } from '../net/dns.js';
import { callHttp } from '../net/http-client.js';
import { createFindNodes, type FindNodes } from '../origin/stream-manager.js';
import { srvPlaces } from './srv-places.js';
import { createOriginHealth, type HealthOption, type OriginHealth } from '../origin/health.js';
import { checkRtmpOrigin } from '../transports/rtmp/health-probe.js';
import { checkRtspOrigin } from '../transports/rtsp/origin-leg.js';

/** What is known of the origins, and the asking after them. Lasts from config to config. */
export interface OriginCare {
  readonly health: OriginHealth;
  readonly names: NameResolver;
  readonly findNodes: FindNodes;
  /** Looks after the origins of this config from now on. */
  use(config: Config): void;
  stop(): void;
}

/** What origins are looked after with. */
export interface OriginCareDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** For one question to a manager. */
const LOOKUP_TIMEOUT_MS = 2000;

const KINDS: readonly EndpointKind[] = ['rtmp', 'rtsp', 'http'];

/** Begins to look after origins; of none yet. */
export function createOriginCare({ log, metrics, clock }: OriginCareDeps): OriginCare {
  let origins: readonly Origin[] = [];
  const names = createNameResolver(clock);
  const health = createOriginHealth({
    ...{ log, metrics, clock },
    check: async (name, kind, signal) => {
      const origin = origins.find((one) => one.name === name);
      if (origin !== undefined) await checkOrigin(origin, kind, { clock, names }, signal);
    },
  });
  return {
    health,
    names,
    findNodes: createFindNodes({
      clock,
      timeoutMs: LOOKUP_TIMEOUT_MS,
      call: (call) => callHttp({ ...call, addressesOf: (name) => names.addresses(name) }),
    }),
    use(config) {
      origins = config.origins;
      health.use(origins.map(healthOption));
    },
    stop() {
      health.stop();
      names.stop();
    },
  };
}

function healthOption({ name, health, rtmp, rtsp, http }: Origin): HealthOption {
  const places = { rtmp, rtsp, http };
  return {
    name,
    place: JSON.stringify(places),
    checks: health.isChecked ? KINDS.filter((kind) => isAsked(places[kind])) : [],
    intervalMs: health.intervalSeconds * 1000,
    timeoutMs: health.timeoutSeconds * 1000,
    failures: health.failures,
    successes: health.successes,
    ejectMs: health.ejectSeconds * 1000,
    maxEjectMs: health.maxEjectSeconds * 1000,
    slowStartMs: health.slowStartSeconds * 1000,
  };
}

/** Nodes come and go; their manager is what is asked. */
function isAsked(address: OriginAddress | undefined): boolean {
  return address !== undefined && address.find !== 'node';
}

/** What one check is made with. */
export interface CheckDeps {
  readonly clock: Clock;
  readonly names: NameResolver;
}

/**
 * Asks an origin by one of its protocols whether it lives, at each of its machines until one answers. Nothing is asked where it has
 * no such address. Rejects with GatewayError.
 */
export async function checkOrigin(
  origin: Origin,
  kind: EndpointKind,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<void> {
  const address = origin[kind];
  if (address === undefined) return;
  const choice: OriginChoice = {
    ...{ name: origin.name, ...address, app: origin.health.app, streamName: '' },
    credentials: { placement: 'none', pairs: [] },
  };
  const places = address.find === undefined ? [choice] : await srvPlaces(choice, deps.names);
  let failure: unknown;
  // Of several machines one that lives is enough: a stream passes the others over.
  for (const place of places) {
    try {
      await checkAt(origin, kind, place, deps, signal);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function checkAt(
  origin: Origin,
  kind: EndpointKind,
  place: OriginChoice,
  { clock, names }: CheckDeps,
  signal: AbortSignal,
): Promise<void> {
  const { host, port, secure } = place;
  const timeoutMs = origin.health.timeoutSeconds * 1000;
  if (kind === 'http') {
    await checkHttp(place, origin.http?.path ?? '', names, timeoutMs, signal);
    return;
  }
  // The gateway calls for itself, and says so where a header is expected.
  const told = origin.proxyProtocol && { client: '' };
  const stream = await dialAddresses(await names.addresses(host), { host, port, secure, timeoutMs, signal, ...told });
  if (kind === 'rtmp') {
    await checkRtmpOrigin(stream, place, { random: randomBytes, now: () => clock.now() }, signal);
  } else await checkRtspOrigin(stream, place, signal);
}

/** Whatever it thinks of OPTIONS: it lives, unless a proxy in front says that nobody is behind it. */
async function checkHttp(
  { host, port, secure }: OriginChoice,
  path: string,
  names: NameResolver,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const target = new Secret(`${path}/`);
  const { status } = await callHttp({
    ...{ host, port, secure, method: 'OPTIONS', target, headers: [], timeoutMs, signal },
    addressesOf: (name) => names.addresses(name),
  });
  if (status < 500 || status === 501 || status === 505) return;
  throw new GatewayError('origin-unavailable', 'origin', `it answered OPTIONS with ${status}`);
}
