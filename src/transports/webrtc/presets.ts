import { URL } from 'node:url';
import type { OriginChoice } from '../../model/leg.js';
import { Secret } from '../../model/secret.js';
import type { QueryPair } from '../../wire/query.js';
import type { WebrtcTransportName } from './routes.js';

/** Origins whose WHIP and WHEP this room knows. */
export type HttpPreset = 'red5pro' | 'red5-stream-manager' | 'mediamtx' | 'srs' | 'generic' | 'embedded';

/** How one kind of origin speaks WHIP and WHEP. */
interface Manners {
  /** Path and query of an endpoint. */
  readonly endpoint: string;
  /** Parameters of the client's query that go on to the origin, and never a host: a client picks no address of ours. */
  readonly parameters: readonly string[];
  /** Requests to a session carry parameters and credentials again, as Red5's own SDK has it. */
  readonly repeatsQuery: boolean;
  /** Takes PATCH; for SRS every method but DELETE is a new offer. */
  readonly canPatch: boolean;
  /** Each viewer needs a `requestId` of its own. */
  readonly needsRequestId: boolean;
  /** A node behind it is named by the `Session-Host` of OPTIONS, and again in every request. */
  readonly hasNodes: boolean;
}

/** How the origin of a stream speaks, as the config and its preset say it. */
export interface OriginManners {
  readonly preset: HttpPreset;
  /** Goes before all paths: empty, or `/a/b`. */
  readonly basePath: string;
  /** Instead of the preset's own. */
  readonly endpoint?: string;
  readonly credentials: 'query' | 'header';
  readonly media: 'relay' | 'direct';
  /** Whether it is told the client's address. Default: yes. */
  readonly forwardedFor?: boolean;
  readonly nodeGroup?: string;
}

const RED5_PARAMETERS = ['signal', 'mode', 'transport', 'keyFramerate', 'videoEncoding', 'audioEncoding'];
const RED5 = {
  parameters: [...RED5_PARAMETERS, 'requestId', 'resourceId', 'doNotSwitch', 'transcode'],
  repeatsQuery: true,
  canPatch: true,
  needsRequestId: true,
} as const;
const PLAIN = { parameters: [], repeatsQuery: false, canPatch: true, needsRequestId: false, hasNodes: false } as const;

const PRESETS: Readonly<Record<HttpPreset, Manners>> = {
  // The servlet is mapped below the webapp, so rooms may only stand behind it.
  red5pro: { ...RED5, endpoint: '/{app}/{transport}/endpoint/{stream}', hasNodes: false },
  'red5-stream-manager': {
    ...RED5,
    endpoint: '/as/v1/proxy/{transport}/{path}',
    parameters: [...RED5.parameters, 'region', 'subgroup', 'strict'],
    hasNodes: true,
  },
  mediamtx: { ...PLAIN, endpoint: '/{path}/{transport}' },
  srs: { ...PLAIN, endpoint: '/rtc/v1/{transport}/?app={scope}&stream={name}', canPatch: false },
  generic: { ...PLAIN, endpoint: '/{path}/{transport}' },
  embedded: { ...PLAIN, endpoint: '/{path}/{transport}' },
};

/** Longest value of a parameter that is passed on, and all that it may hold. */
const isPlainValue = /^[A-Za-z0-9._~:,+-]{1,256}$/;
const isHost = /^[A-Za-z0-9._:[\]-]{1,256}$/;

/** What one stream asks of its origin. */
export interface OriginWish {
  readonly transport: WebrtcTransportName;
  /** The client's parameters; those of the preset are picked out. */
  readonly pairs: readonly QueryPair[];
  /** For origins that want one of each viewer. */
  readonly requestId: string;
  readonly allowRecord: boolean;
}

/** Whether sessions of this origin take a PATCH. */
export function canPatch({ preset }: OriginManners): boolean {
  return PRESETS[preset].canPatch;
}

/** Whether a node has to be asked for before the first request. */
export function hasNodes({ preset }: OriginManners): boolean {
  return PRESETS[preset].hasNodes;
}

/** Path and query of the endpoint of a stream at its origin; the query may hold credentials. */
export function endpointTarget(
  origin: OriginChoice,
  manners: OriginManners,
  wish: OriginWish,
  node: string | undefined,
): Secret {
  const template = manners.endpoint ?? PRESETS[manners.preset].endpoint;
  const own = `${manners.basePath}${fill(template, origin, wish.transport)}`;
  return withQuery(own, [...parametersFor(manners, wish, node), ...credentialsFor(origin, manners)]);
}

/**
 * Path and query of a session, from the `Location` of its 201 as RFC 3986 resolves it. Only path and query count: whatever
 * host it names, the origin is called at its own address. Red5 may send none; then the endpoint says where it is.
 * Undefined when there is none.
 */
export function sessionTarget(
  origin: OriginChoice,
  manners: OriginManners,
  wish: OriginWish,
  told: { readonly location: string | undefined; readonly node: string | undefined },
): Secret | undefined {
  const path = told.location === undefined ? undefined : resolve(origin, manners, wish, told.location);
  const isRed5 = PRESETS[manners.preset].repeatsQuery;
  const guessed = isRed5 ? endpointOf(origin, manners, wish).replace('/endpoint/', '/resource/') : undefined;
  const found = path ?? guessed;
  if (found === undefined || !isRed5) return found === undefined ? undefined : new Secret(found);
  return withQuery(found, [...parametersFor(manners, wish, told.node), ...credentialsFor(origin, manners)]);
}

/** The header that shows an origin who asks, where it wants a header. @see RFC 6750 §2.1, RFC 7617 */
export function authorizationFor(origin: OriginChoice, manners: OriginManners): Secret | undefined {
  if (manners.credentials === 'query') return undefined;
  const shown = new Map(origin.credentials.pairs.map(([name, value]) => [name, plainText(value)]));
  const token = shown.get('token');
  if (token !== undefined) return new Secret(`Bearer ${token}`);
  const [username, password] = [shown.get('username') ?? '', shown.get('password') ?? ''];
  if (username === '' && password === '') return undefined;
  return new Secret(`Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`);
}

/** The name of a node, when it is one. */
export function nodeOf(sessionHost: string | undefined): string | undefined {
  return sessionHost !== undefined && isHost.test(sessionHost) ? sessionHost : undefined;
}

function endpointOf(origin: OriginChoice, manners: OriginManners, wish: OriginWish): string {
  const template = manners.endpoint ?? PRESETS[manners.preset].endpoint;
  return `${manners.basePath}${fill(template, origin, wish.transport)}`;
}

function fill(template: string, { app, streamName }: OriginChoice, transport: WebrtcTransportName): string {
  const path = encode(`${app}/${streamName}`);
  const cut = path.lastIndexOf('/');
  const words: Readonly<Record<string, string>> = {
    transport: transport.toLowerCase(),
    path,
    app: encode(app),
    stream: encode(streamName),
    scope: path.slice(0, cut),
    name: path.slice(cut + 1),
  };
  return template.replace(/\{(\w+)\}/g, (whole, word: string) => words[word] ?? whole);
}

/** A slash means the same in path and query, and SRS wants it as it is. */
function encode(text: string): string {
  return text
    .split('/')
    .map((segment) => encodeURIComponent(segment).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`))
    .join('/');
}

function parametersFor(
  manners: OriginManners,
  wish: OriginWish,
  node: string | undefined,
): readonly (readonly [string, string])[] {
  const { parameters, needsRequestId, hasNodes: isCluster } = PRESETS[manners.preset];
  const passed = new Map<string, string>();
  for (const [name, value] of wish.pairs) {
    if (!parameters.includes(name) || !isPlainValue.test(value) || passed.has(name)) continue;
    if (name === 'mode' && value !== 'live' && !wish.allowRecord) continue;
    passed.set(name, value);
  }
  if (needsRequestId && wish.transport === 'WHEP' && !passed.has('requestId')) passed.set('requestId', wish.requestId);
  if (isCluster && node !== undefined) passed.set('host', node);
  if (isCluster && manners.nodeGroup !== undefined) passed.set('nodeGroup', manners.nodeGroup);
  return [...passed];
}

function credentialsFor(origin: OriginChoice, manners: OriginManners): readonly (readonly [string, Secret])[] {
  return manners.credentials === 'header' ? [] : origin.credentials.pairs;
}

/** Adds to a query what it does not hold already. */
function withQuery(target: string, pairs: readonly (readonly [string, string | Secret])[]): Secret {
  const has = (name: string): boolean => new RegExp(`[?&]${name}=`).test(target);
  const added = pairs
    .filter(([name]) => !has(name))
    // Credentials come percent-encoded already.
    .map(([name, value]) => `${name}=${value instanceof Secret ? value.reveal() : encodeURIComponent(value)}`);
  if (added.length === 0) return new Secret(target);
  const glue = !target.includes('?') ? '?' : /[?&]$/.test(target) ? '' : '&';
  return new Secret(`${target}${glue}${added.join('&')}`);
}

function resolve(origin: OriginChoice, manners: OriginManners, wish: OriginWish, location: string): string | undefined {
  const base = `http://origin.invalid${endpointOf(origin, manners, wish)}`;
  if (!URL.canParse(location, base)) return undefined;
  const { protocol, pathname, search } = new URL(location, base);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  // A proxy in front of the origin that cuts its prefix off has not put it into Location.
  const prefix = manners.basePath;
  const isBelow = prefix === '' || pathname === prefix || pathname.startsWith(`${prefix}/`);
  return `${isBelow ? '' : prefix}${pathname}${search}`;
}

function plainText(value: Secret): string {
  try {
    return decodeURIComponent(value.reveal());
  } catch {
    return value.reveal();
  }
}
