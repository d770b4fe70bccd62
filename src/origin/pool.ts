import { createHash } from 'node:crypto';
import type { ChooseOrigin, OriginCredentials } from '../model/leg.js';
import { ENDPOINT_OF, type EndpointKind } from '../model/transport.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { CredentialsOption } from './credentials.js';
import { originStream, type RoomPlacement } from './rooms.js';

/** Where an origin is reached by one kind of transport. */
export interface OriginEndpoint {
  readonly host: string;
  readonly port: number;
  /** The origin is spoken to inside TLS. */
  readonly secure: boolean;
  readonly rooms: RoomPlacement;
}

/** One origin as the config says it. */
export interface OriginOption {
  readonly name: string;
  /** Of a kind that is absent it serves nothing. */
  readonly endpoints: Readonly<Partial<Record<EndpointKind, OriginEndpoint>>>;
  /** The apps it serves; undefined is all. */
  readonly apps?: readonly string[];
  readonly credentials: CredentialsOption;
}

/** Says what one origin is shown for one request. */
export type MakeCredentials = (origin: OriginOption, request: ConnectionRequest) => OriginCredentials;

function weightOf(origin: OriginOption, path: string): bigint {
  return createHash('sha256').update(`${origin.name}\0${path}`).digest().readBigUInt64BE();
}

/** Rendezvous hashing: all gateways send a path to the same origin, and a lost origin moves only its own paths. */
function pick(origins: readonly OriginOption[], path: string): OriginOption | undefined {
  const [first, ...others] = origins;
  if (first === undefined || others.length === 0) return first;
  let best = first;
  let bestWeight = weightOf(first, path);
  for (const origin of others) {
    const weight = weightOf(origin, path);
    if (weight > bestWeight) {
      best = origin;
      bestWeight = weight;
    }
  }
  return best;
}

/**
 * Makes the choice of an origin: those that serve the app and speak the transport, and among several the one that the
 * stream's path falls to, the same on every gateway. Undefined when there is none, and for a request that names no
 * stream yet.
 */
export function createChooseOrigin(origins: readonly OriginOption[], makeCredentials: MakeCredentials): ChooseOrigin {
  return (request) => {
    const { target } = request;
    if (target.name === null) return undefined;
    const kind = ENDPOINT_OF[request.transport];
    const serving = origins.filter(
      ({ apps, endpoints }) => endpoints[kind] !== undefined && (apps === undefined || apps.includes(target.app)),
    );
    const origin = pick(serving, pathOf(target));
    const endpoint = origin?.endpoints[kind];
    if (origin === undefined || endpoint === undefined) return undefined;
    const { host, port, secure, rooms } = endpoint;
    return {
      name: origin.name,
      host,
      port,
      secure,
      ...originStream(target, rooms),
      credentials: makeCredentials(origin, request),
    };
  };
}
