import type { ChooseOrigin, OriginChoice, OriginCredentials } from '../model/leg.js';
import { ENDPOINT_OF, type EndpointKind } from '../model/transport.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { CredentialsOption } from './credentials.js';
import { matchesPath, weightOfPattern } from '../wire/path-pattern.js';
import { byRendezvous } from './rendezvous.js';
import { originStream, type RoomPlacement } from './rooms.js';

/** Where an origin is reached by one kind of transport. */
export interface OriginEndpoint {
  readonly host: string;
  readonly port: number;
  /** The origin is spoken to inside TLS. */
  readonly secure: boolean;
  readonly rooms: RoomPlacement;
  /** `host` is not where to call, but how to find that out. */
  readonly find?: OriginChoice['find'];
}

/** One origin as the config says it. */
export interface OriginOption {
  readonly name: string;
  /** Of a kind that is absent it serves nothing. */
  readonly endpoints: Readonly<Partial<Record<EndpointKind, OriginEndpoint>>>;
  /** The apps it serves; undefined is all. */
  readonly apps?: readonly string[];
  /** Patterns of the paths it serves; undefined is all that no other origin names. */
  readonly paths?: readonly string[];
  readonly credentials: CredentialsOption;
  /** How long a connection is waited for while another origin could take the stream, in milliseconds. */
  readonly connectTimeoutMs?: number;
}

/** Says what one origin is shown for one request. */
export type MakeCredentials = (origin: OriginOption, request: ConnectionRequest) => OriginCredentials;

/** How an origin stands for a path: `ready` comes first, then `spare`, then `down`; `drained` takes nothing new. */
export type Standing = 'ready' | 'spare' | 'down' | 'drained';
/** Tells how an origin stands. */
export type StandingOf = (origin: string, path: string) => Standing;

/** More are never tried for one stream. */
const MAX_CANDIDATES = 8;

const ORDER: readonly Standing[] = ['ready', 'spare', 'down'];

/**
 * Makes the choice of origins: those that serve the path and speak the transport, in the order in which the stream's path
 * falls to them, the same on every gateway that knows the same of them. Origins that are down come last, but they do come:
 * a stream is never refused untried. Where the publisher is known to be comes first, whatever its state.
 * Empty for a request that names no stream yet.
 */
export function createChooseOrigin(
  origins: readonly OriginOption[],
  makeCredentials: MakeCredentials,
  standingOf: StandingOf = () => 'ready',
): ChooseOrigin {
  return function* (request, preferred) {
    const { target } = request;
    if (target.name === null) return;
    const kind = ENDPOINT_OF[request.transport];
    const path = pathOf(target);
    const serving = servers(origins, target.app, path).filter(({ endpoints }) => endpoints[kind] !== undefined);
    const candidates = ranked(serving, path, preferred, standingOf);
    for (const [index, origin] of candidates.entries()) {
      const endpoint = origin.endpoints[kind];
      if (endpoint === undefined) continue;
      const isLast = index === candidates.length - 1;
      const { host, port, secure, rooms, find } = endpoint;
      yield {
        name: origin.name,
        host,
        port,
        secure,
        ...(find !== undefined && { find }),
        ...originStream(target, rooms),
        credentials: makeCredentials(origin, request),
        ...(!isLast && { connectTimeoutMs: origin.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS }),
      };
    }
  };
}

/** How long a connection is waited for while another origin could take the stream. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 1000;

/** Those that name the path most exactly; others are no stand-in for them, since streams may have to stay where they are named. */
function servers(origins: readonly OriginOption[], app: string, path: string): readonly OriginOption[] {
  let best = -1;
  let found: OriginOption[] = [];
  for (const origin of origins) {
    if (origin.apps !== undefined && !origin.apps.includes(app)) continue;
    const weight = weightFor(origin, path);
    if (weight < best || weight === -1) continue;
    if (weight > best) found = [];
    best = weight;
    found.push(origin);
  }
  return found;
}

/** 0 for an origin that names no paths; more, the more exactly it names this one; -1 if it does not serve it. */
function weightFor({ paths }: OriginOption, path: string): number {
  if (paths === undefined) return 0;
  const fitting = paths.filter((pattern) => matchesPath(pattern, path));
  return Math.max(-1, ...fitting.map((pattern) => 1 + weightOfPattern(pattern)));
}

function ranked(
  serving: readonly OriginOption[],
  path: string,
  preferred: string | undefined,
  standingOf: StandingOf,
): readonly OriginOption[] {
  const standing = new Map(serving.map((origin) => [origin, standingOf(origin.name, path)] as const));
  const first = serving.filter(({ name }) => name === preferred);
  const sorted = byRendezvous(serving, ({ name }) => name, path);
  const others = ORDER.flatMap((wanted) =>
    sorted.filter((origin) => standing.get(origin) === wanted && origin.name !== preferred),
  );
  return [...first, ...others].slice(0, MAX_CANDIDATES);
}
