import { createHash } from 'node:crypto';
import type { ChooseOrigin, OriginCredentials } from '../model/leg.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { CredentialsOption } from './credentials.js';
import { originStream, type RoomPlacement } from './rooms.js';

/** One origin as the config says it, reduced to what this transport needs. */
export interface OriginOption {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The origin is spoken to inside TLS. */
  readonly secure: boolean;
  /** The apps it serves; undefined is all. */
  readonly apps?: readonly string[];
  readonly rooms: RoomPlacement;
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
 * Makes the choice of an origin: those that serve the app, and among several the one that the stream's path falls to,
 * the same on every gateway. Undefined when none serves the app, and for a request that names no stream yet.
 */
export function createChooseOrigin(origins: readonly OriginOption[], makeCredentials: MakeCredentials): ChooseOrigin {
  return (request) => {
    const { target } = request;
    if (target.name === null) return undefined;
    const serving = origins.filter((origin) => origin.apps === undefined || origin.apps.includes(target.app));
    const origin = pick(serving, pathOf(target));
    if (origin === undefined) return undefined;
    const { name, host, port, secure } = origin;
    return {
      name,
      host,
      port,
      secure,
      ...originStream(target, origin.rooms),
      credentials: makeCredentials(origin, request),
    };
  };
}
