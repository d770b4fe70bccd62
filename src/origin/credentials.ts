import jwt from 'jsonwebtoken';
import type { OriginCredentials } from '../model/leg.js';
import type { ConnectionRequest } from '../model/request.js';
import type { Role } from '../model/identity.js';
import { Secret } from '../model/secret.js';
import type { Action } from '../model/transport.js';

/** Where the pairs go: into the query of the connection URL, or behind the command object of connect. */
export type CredentialPlacement = 'query' | 'arguments';

/** What is shown to an origin, as the config says it. */
export type CredentialsOption =
  | { readonly mode: 'strip' }
  | { readonly mode: 'forward'; readonly placement: CredentialPlacement }
  | {
      readonly mode: 'static';
      readonly placement: CredentialPlacement;
      readonly username?: string;
      readonly password?: Secret;
      readonly token?: Secret;
    }
  | {
      readonly mode: 'remint';
      readonly placement: CredentialPlacement;
      /** The origin's own HS256 key. */
      readonly key: Secret;
      /** How the key is written; `utf8` is Red5's way. */
      readonly encoding?: 'utf8' | 'base64' | 'base64url' | 'hex';
      readonly issuer?: string;
      readonly subject?: string;
      readonly ttlSeconds: number;
    };

/** Time and randomness of one fresh token. */
export interface MintMoment {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** A fresh random id, the `jti`. */
  readonly tokenId: string;
}

/** Red5 wants all three names present and not empty beside a JWT; this is the value its documents use. */
const FILLER = 'jwt';

/** Names by which a Red5 cluster node makes itself known; they open doors that no client may open. */
const isClusterName = /^(cluster-)?restreamer/i;

const NOTHING: OriginCredentials = { placement: 'none', pairs: [] };

const ROLES: Readonly<Record<Exclude<Action, 'connect'>, Role>> = {
  publish: 'red5-publisher',
  subscribe: 'red5-subscriber',
};

/** Leaves a JWT as it is, and lets nothing in a value end it early or start another pair. @see RFC 3986 §2.1 */
function queryValue(text: string): string {
  const escape = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => (/[A-Za-z0-9._~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : escape(byte)))
    .join('');
}

/** The pairs without the empty ones, fit for their place. */
function shown(
  placement: CredentialPlacement,
  all: readonly (readonly [name: string, value: Secret | undefined])[],
): OriginCredentials {
  const pairs = all.flatMap(([name, value]) => {
    if (value === undefined || value.length === 0) return [];
    return [[name, placement === 'query' ? new Secret(queryValue(value.reveal())) : value] as const];
  });
  return pairs.length === 0 ? NOTHING : { placement, pairs };
}

function triple(
  placement: CredentialPlacement,
  token: Secret,
  username?: string,
  password?: Secret,
): OriginCredentials {
  const safeName = username === undefined || username === '' || isClusterName.test(username) ? FILLER : username;
  const safePassword = password === undefined || password.length === 0 ? new Secret(FILLER) : password;
  return shown(placement, [
    ['username', new Secret(safeName)],
    ['password', safePassword],
    ['token', token],
  ]);
}

function fromConfig(option: Extract<CredentialsOption, { mode: 'static' }>): OriginCredentials {
  const { username, password, token } = option;
  return shown(option.placement, [
    ['username', username === undefined ? undefined : new Secret(username)],
    ['password', password],
    ['token', token],
  ]);
}

/**
 * Signs a token that allows this one request and nothing else, or undefined when Red5's claims cannot say so:
 * a comma in a room would read as two rooms, and a connect has no role.
 */
function mint(
  option: Extract<CredentialsOption, { mode: 'remint' }>,
  request: ConnectionRequest,
  moment: MintMoment,
): Secret | undefined {
  const { action, transport, target } = request;
  if (action === 'connect' || target.room?.includes(',') === true) return undefined;
  const claims = {
    sub: option.subject ?? 'portcullis',
    ...(option.issuer === undefined ? {} : { iss: option.issuer }),
    roles: ROLES[action],
    'red5-transport': transport,
    // An absent room claim is no limit in Red5's rules, but a present one shuts the root: a root stream cannot have it.
    ...(target.room === null ? {} : { 'red5-room': target.room }),
    exp: Math.floor(moment.nowMs / 1000) + option.ttlSeconds,
    jti: moment.tokenId,
  };
  const key = Buffer.from(option.key.reveal(), option.encoding ?? 'utf8');
  return new Secret(jwt.sign(claims, key, { algorithm: 'HS256', noTimestamp: true }));
}

/**
 * Says what an origin is shown for a request. The client's own query never gets through; every name is one of
 * `username`, `password`, `token`, in that order, no value is ever empty, and in a query all are percent-encoded
 * (which leaves a JWT as it is: Red5 decodes the other two, but not the token). Never throws.
 * @see Red5 Pro, JWT client authentication
 */
export function originCredentials(
  option: CredentialsOption,
  request: ConnectionRequest,
  moment: MintMoment,
): OriginCredentials {
  switch (option.mode) {
    case 'strip':
      return NOTHING;
    case 'forward': {
      const { credential } = request;
      if (credential === undefined) return NOTHING;
      return triple(option.placement, credential.token, credential.username, credential.password);
    }
    case 'static':
      return fromConfig(option);
    case 'remint': {
      const token = mint(option, request, moment);
      return token === undefined ? NOTHING : triple(option.placement, token);
    }
  }
}

/** By which names MediaMTX knows them. */
const MEDIAMTX_LOGIN: ReadonlyMap<string, string> = new Map([
  ['username', 'user'],
  ['password', 'pass'],
]);

/**
 * What stands in a query, for MediaMTX by RTMP. It reads the query behind the stream name (one in the app would swallow the
 * name, and all streams of an app would be one), and there a token as `jwt`, or else a login as `user` and `pass`.
 * @see MediaMTX, authentication
 */
export function forMediamtxRtmp({ placement, pairs }: OriginCredentials): OriginCredentials {
  if (placement !== 'query') return NOTHING;
  const token = pairs.find(([name]) => name === 'token');
  if (token !== undefined) return { placement: 'name-query', pairs: [['jwt', token[1]]] };
  return { placement: 'name-query', pairs: pairs.map(([name, value]) => [MEDIAMTX_LOGIN.get(name) ?? name, value]) };
}
