import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { ByteStream } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { ChooseOrigin, LocateOrigin, OriginChoice } from '../model/leg.js';
import { ENDPOINT_OF, type TransportName } from '../model/transport.js';
import { dialAddresses } from '../net/dial.js';
import { originCredentials, type CredentialsOption } from '../origin/credentials.js';
import { createChooseOrigin } from '../origin/pool.js';
import type { RoomPlacement } from '../origin/rooms.js';
import type { OriginHealth } from '../origin/health.js';
import type { OriginCare } from './origin-care.js';
import { nodePlaces } from './node-places.js';
import { srvPlaces } from './srv-places.js';

/** The other side, as the rest of the gateway sees it. */
export interface Origins {
  readonly choose: ChooseOrigin;
  readonly health: OriginHealth;
  /** Where a name leads. Rejects with GatewayError `origin-unavailable`. */
  addressesOf(host: string): Promise<readonly string[]>;
  readonly locate: LocateOrigin;
  /** Connects to a chosen origin. Rejects with GatewayError `origin-unavailable`. */
  dial(origin: OriginChoice, signal: AbortSignal): Promise<ByteStream>;
}

/** What origins are called with. */
export interface OriginsDeps {
  readonly clock: Clock;
  readonly originCare: OriginCare;
}

/** Builds the choice of origins, the memory of how they answer, and the call to them. */
export function createOrigins(
  config: Config,
  { clock, originCare: { health, names, findNodes } }: OriginsDeps,
): Origins {
  return {
    health,
    addressesOf: (host) => names.addresses(host),
    async locate(origin, request, signal) {
      try {
        if (origin.find !== 'node') return await srvPlaces(origin, names);
        const cluster = config.origins.find(({ name }) => name === origin.name);
        if (cluster === undefined) throw new GatewayError('origin-unavailable', 'gateway', 'the origin is gone');
        return await nodePlaces(origin, cluster, request, { findNodes, names }, signal);
      } catch (error) {
        const isDown = error instanceof GatewayError && error.code === 'origin-unavailable' && !signal.aborted;
        if (isDown) health.failed(origin.name, error.message);
        throw error;
      }
    },
    choose: createChooseOrigin(
      originOptions(config),
      (origin, request) =>
        originCredentials(placedFor(request.transport, origin.credentials), request, {
          nowMs: clock.now(),
          tokenId: randomUUID(),
        }),
      (name, path) => health.standingOf(name, path),
    ),
    async dial({ name, host, port, secure, connectTimeoutMs = Infinity }, signal) {
      try {
        const stream = await dialAddresses(await names.addresses(host), {
          host,
          port,
          secure,
          timeoutMs: Math.min(connectTimeoutMs, config.limits.dialTimeoutSeconds * 1000),
          signal,
        });
        health.answered(name);
        return stream;
      } catch (error) {
        if (!signal.aborted) health.failed(name, error instanceof Error ? error.message : 'unknown');
        throw error;
      }
    },
  };
}

function originOptions(config: Config) {
  return config.origins.map(({ name, rtmp, rtsp, http, rooms, apps, paths, connectTimeoutSeconds, credentials }) => ({
    name,
    endpoints: {
      ...(rtmp && { rtmp: { ...rtmp, rooms } }),
      ...(rtsp && { rtsp: { ...rtsp, rooms: inUrl(rooms) } }),
      ...(http && { http: { ...http, rooms: inUrl(rooms) } }),
    },
    credentials,
    ...(apps === undefined ? {} : { apps }),
    ...(paths === undefined ? {} : { paths }),
    connectTimeoutMs: connectTimeoutSeconds * 1000,
  }));
}

/** Where credentials stand is a choice of RTMP's; the others have places of their own. */
function placedFor(transport: TransportName, option: CredentialsOption): CredentialsOption {
  return option.mode === 'strip' || ENDPOINT_OF[transport] !== 'http' ? option : { ...option, placement: 'query' };
}

/** In a URL, app and name are one path: where they meet does not matter. */
function inUrl(rooms: RoomPlacement): RoomPlacement {
  return rooms === 'flat' ? 'flat' : 'name';
}
