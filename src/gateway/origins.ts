import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { ByteStream } from '../model/byte-stream.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { ChooseOrigin, LocateOrigin, OriginChoice } from '../model/leg.js';
import { ENDPOINT_OF } from '../model/transport.js';
import { dialAddresses } from '../net/dial.js';
import { forMediamtxRtmp, originCredentials, type CredentialsOption } from '../origin/credentials.js';
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
  const mediamtx = new Set(config.origins.filter(({ preset }) => preset === 'mediamtx').map(({ name }) => name));
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
    choose: tellingClients(
      config,
      createChooseOrigin(
        originOptions(config),
        (origin, request) => {
          const moment = { nowMs: clock.now(), tokenId: randomUUID() };
          const shown = (option: CredentialsOption) => originCredentials(option, request, moment);
          const kind = ENDPOINT_OF[request.transport];
          if (kind === 'rtmp' && mediamtx.has(origin.name)) return forMediamtxRtmp(shown(inQuery(origin.credentials)));
          return shown(kind === 'http' ? inQuery(origin.credentials) : origin.credentials);
        },
        (name, path) => health.standingOf(name, path),
      ),
    ),
    async dial({ name, host, port, secure, connectTimeoutMs = Infinity, clientAddress }, signal) {
      try {
        const stream = await dialAddresses(await names.addresses(host), {
          host,
          port,
          secure,
          timeoutMs: Math.min(connectTimeoutMs, config.limits.dialTimeoutSeconds * 1000),
          signal,
          ...(clientAddress !== undefined && { client: clientAddress }),
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

/** Puts the client's address with the origins that are to be told of it. */
function tellingClients(config: Config, choose: ChooseOrigin): ChooseOrigin {
  const told = new Set(config.origins.filter(({ proxyProtocol }) => proxyProtocol).map(({ name }) => name));
  if (told.size === 0) return choose;
  return function* (request, preferred) {
    for (const choice of choose(request, preferred)) {
      yield told.has(choice.name) ? { ...choice, clientAddress: request.remoteAddress } : choice;
    }
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

/** Where credentials stand is a choice of RTMP's, and not with every origin; the others have places of their own. */
function inQuery(option: CredentialsOption): CredentialsOption {
  return option.mode === 'strip' ? option : { ...option, placement: 'query' };
}

/** In a URL, app and name are one path: where they meet does not matter. */
function inUrl(rooms: RoomPlacement): RoomPlacement {
  return rooms === 'flat' ? 'flat' : 'name';
}
