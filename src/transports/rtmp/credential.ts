import { WireError } from '../../model/errors.js';
import { reject, type Rejection } from '../../model/rejection.js';
import type { Carrier } from '../../model/request.js';
import { Secret } from '../../model/secret.js';
import {
  credentialPart,
  holdsToken,
  looksLikeJwt,
  parameterNamesOf,
  partsOfQuery,
  type CredentialPart,
} from '../../wire/credential-parts.js';
import { cutQuery, readPairs, type QueryPair } from '../../wire/query.js';
import { normalisePartialPath, normaliseStreamPath, trimSlashes, type PathResult } from '../../wire/stream-path.js';
import { fieldsOf, type AmfValue } from './wire/amf-value.js';
import type { Command } from './wire/command.js';
import { readEnhanced, type EnhancedFields } from './wire/enhanced.js';

export { mergeCredentials, type CredentialPart } from '../../wire/credential-parts.js';
export { truncationHint } from './truncation-hint.js';

/** Bytes of app or tcUrl with their queries: room for a token of 8 kB. */
export const MAX_APP_BYTES = 10 * 1024;
/** Bytes of a stream name with its query (RTMP-07). */
export const MAX_NAME_BYTES = 4 * 1024;

const ALIAS_PREFIX = /^(?:mp4|flv|mp3|f4v):/i;
const ALIAS_SUFFIX = '.flv';
const PRINTABLE = /^[ -~]{1,128}$/;

/** What a connect command tells. Texts that may hold a token are Secrets; their lengths may be logged. */
export interface ConnectFields {
  /** As received, with its query. */
  readonly app: Secret;
  /** The app without its query: `app[/room…]`, not normalised; may be empty. */
  readonly appPath: string;
  readonly tcUrl?: Secret;
  /** For the log only; the client may write there what it likes. */
  readonly tcUrlHost?: string;
  readonly credentials: readonly CredentialPart[];
  /** Of the queries of app and tcUrl, without values. */
  readonly parameterNames: readonly string[];
  readonly enhanced: EnhancedFields;
  /** 0 is AMF0, 3 AMF3. */
  readonly objectEncoding: 0 | 3;
  /** Printable ASCII, at most 128 characters; absent otherwise. */
  readonly flashVer?: string;
  /** The command cannot be taken. The other fields hold what could be read. */
  readonly refused?: Rejection;
}

/** What the name of a publish or play command tells. */
export interface StreamNameFields {
  /** `[room…/]name`, not normalised; may be empty. */
  readonly path: string;
  readonly credentials: readonly CredentialPart[];
  readonly parameterNames: readonly string[];
  readonly refused?: Rejection;
}

/**
 * Reads a connect command: the path it tells, and the credentials in its arguments (username, password, token) and in the queries of
 * app and tcUrl. Never throws; what cannot be taken is in `refused` (`malformed-request`, `path-invalid`).
 */
export function readConnect(command: Command): ConnectFields {
  const fields = fieldsOf(command.object);
  const app = readAddress(fields.get('app'), 'app', 'app-query', MAX_APP_BYTES);
  const tcUrl = readAddress(fields.get('tcUrl'), 'tcUrl', 'tcurl-query', MAX_APP_BYTES);
  // A copy of app, and with ffmpeg cut off earlier than app itself: its query then says nothing of its own.
  const tcUrlPairs = app.query.startsWith(tcUrl.query) ? [] : tcUrl.pairs;
  const host = hostOf(tcUrl.path);
  const flashVer = fields.get('flashVer');
  const refused = app.refused ?? tcUrl.refused;
  return {
    app: app.text,
    appPath: app.path,
    ...(tcUrl.text.length === 0 ? {} : { tcUrl: tcUrl.text }),
    ...(host === undefined ? {} : { tcUrlHost: host }),
    credentials: [
      ...readArguments(command.args),
      ...partsOfQuery(app.pairs, 'app-query'),
      ...partsOfQuery(tcUrlPairs, 'tcurl-query'),
    ],
    parameterNames: parameterNamesOf([...app.pairs, ...tcUrlPairs]),
    enhanced: readEnhanced(fields),
    objectEncoding: fields.get('objectEncoding') === 3 ? 3 : 0,
    ...(typeof flashVer === 'string' && PRINTABLE.test(flashVer) ? { flashVer } : {}),
    ...(refused === undefined ? {} : { refused }),
  };
}

/**
 * Reads the name of a publish or play command. `mp4:`, `flv:`, `mp3:` and `f4v:` in front are dropped once: players
 * and Red5 take them for the same stream. Never throws; see readConnect for `refused`.
 */
export function readStreamName(name: AmfValue): StreamNameFields {
  const address = readAddress(name, 'stream name', 'name-query', MAX_NAME_BYTES);
  return {
    path: address.path.replace(ALIAS_PREFIX, ''),
    credentials: partsOfQuery(address.pairs, 'name-query'),
    parameterNames: parameterNamesOf(address.pairs),
    ...(address.refused === undefined ? {} : { refused: address.refused }),
  };
}

/**
 * The canonical target of what connect and stream name tell, wherever a client has split the URL between them: either may be empty. With
 * null for the name it is what the connect alone tells. A `.flv` at the end is dropped, as librtmp does.
 */
export function targetOf(appPath: string, namePath: string | null): PathResult {
  if (namePath === null) return normalisePartialPath(appPath);
  const joined = [appPath, namePath]
    .map(trimSlashes)
    .filter((part) => part !== '')
    .join('/');
  const isAlias = joined.endsWith(ALIAS_SUFFIX) && !joined.endsWith(`/${ALIAS_SUFFIX}`);
  const result = normaliseStreamPath(isAlias ? joined.slice(0, -ALIAS_SUFFIX.length) : joined);
  // Encoded, or twice: the origin would strip it from a name that was authorised with it.
  if (result.ok && ALIAS_PREFIX.test(result.target.name ?? '')) {
    return { ok: false, detail: 'the name still starts with mp4:, flv:, mp3: or f4v:' };
  }
  return result;
}

interface Address {
  readonly text: Secret;
  readonly path: string;
  readonly query: string;
  readonly pairs: readonly QueryPair[];
  readonly refused?: Rejection;
}

function readAddress(value: AmfValue, what: string, carrier: Carrier, maxBytes: number): Address {
  const nothing = { text: new Secret(typeof value === 'string' ? value : ''), path: '', query: '', pairs: [] };
  if (value === undefined || value === null) return nothing;
  if (typeof value !== 'string') return { ...nothing, refused: reject('malformed-request', `${what} is not a string`) };
  if (Buffer.byteLength(value) > maxBytes) {
    return { ...nothing, refused: reject('malformed-request', `${what} has more than ${maxBytes} bytes`) };
  }
  try {
    const { path, query } = cutAddress(value);
    // The path is logged; of tcUrl only the host is.
    if (carrier !== 'tcurl-query' && holdsToken(path)) {
      return { ...nothing, refused: reject('path-invalid', `${what} holds a token outside of its query`) };
    }
    return { ...nothing, path, query, pairs: readPairs(query) };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { ...nothing, refused: reject('malformed-request', `${carrier}: ${error.message}`) };
  }
}

/**
 * Cuts the query out of a part of a URL. Clients split one URL at different slashes, so a slash behind the query's last `=` or `&`
 * is path again: `live?token=T/room1` + `cam` and `b?token=T/cam` are what ffmpeg makes of `live?token=T/room1/cam`
 * and `live/a/b?token=T/cam`. So is a slash at the end (RTMP-15). A token holds no slash.
 */
function cutAddress(text: string): { readonly path: string; readonly query: string } {
  const { path, query } = cutQuery(withoutAuthmod(text));
  const slash = query.indexOf(
    '/',
    1 + Math.max(query.lastIndexOf('='), query.lastIndexOf('&'), query.lastIndexOf('?')),
  );
  if (slash < 0) return { path, query };
  return { path: trimSlashes(path) + query.slice(slash), query: query.slice(0, slash) };
}

/** Adobe's and Limelight's challenge login, appended to app and tcUrl by encoders (RTMP-06); its base64 may hold slashes. */
function withoutAuthmod(text: string): string {
  return text.replace(/[?&]authmod=[^?]*/g, '');
}

/** Red5's order: username, password, token. With fewer arguments, whatever looks like a JWT is the token. */
function readArguments(args: readonly AmfValue[]): CredentialPart[] {
  const texts = args.map((value) => (typeof value === 'string' ? value : ''));
  const [username = '', password = '', token = ''] = texts;
  if (token !== '') {
    return [
      ...credentialPart('token', 'amf-arguments', token),
      ...credentialPart('username', 'amf-arguments', username),
      ...credentialPart('password', 'amf-arguments', password),
    ];
  }
  const carrier = 'amf-arguments';
  const parts = texts.slice(0, 2).map((text, index) => {
    const what = looksLikeJwt(text.replace(/^bearer +/i, '')) ? 'token' : index === 0 ? 'username' : 'password';
    return credentialPart(what, carrier, text);
  });
  return parts.flat();
}

function hostOf(url: string): string | undefined {
  return /^[a-z]{1,8}:\/\/(?:[^/@]*@)?([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:\/|$)/i.exec(url)?.[1];
}
