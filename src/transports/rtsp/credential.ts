import { WireError } from '../../model/errors.js';
import { reject, type Rejection } from '../../model/rejection.js';
import type { Carrier } from '../../model/request.js';
import type { Secret } from '../../model/secret.js';
import {
  credentialPart,
  holdsToken,
  looksLikeJwt,
  parameterNamesOf,
  partsOfQuery,
  type CredentialPart,
} from '../../wire/credential-parts.js';
import { readPairs } from '../../wire/query.js';
import { readAuthorization } from './wire/authorization.js';
import { splitControl, type SplitControl } from './wire/control.js';
import type { RtspRequest } from './wire/message.js';
import { readRtspUrl, type RtspAuthority } from './wire/url.js';

/** ffmpeg cuts a password at 127 characters (RTSP-01) and a URL at 1023 bytes (RTSP-02). */
const FFMPEG_PASSWORD = 127;
const LONG_URL = 1000;

/** What a request tells about which stream is meant and who asks. */
export interface RequestFields {
  readonly authority?: RtspAuthority;
  /** `/app[/room…]/name`, not normalised; without query, track and slashes at its end. */
  readonly path: string;
  /** The track of a SETUP, if one was found. */
  readonly split?: SplitControl;
  readonly credentials: readonly CredentialPart[];
  /** Of the query, without values. */
  readonly parameterNames: readonly string[];
  /** Bytes of the URL as it came. */
  readonly urlBytes: number;
  /** The request cannot be taken. */
  readonly refused?: Rejection;
}

/**
 * Reads the URL of a request and its Authorization header. `controls` are the tracks the client knows; without them
 * the usual names are looked for, so that no `/trackID=0` stays glued to a token. Never throws; see `refused`
 * (`malformed-request`, `path-invalid`).
 */
export function readRequest(request: RtspRequest, controls?: readonly string[]): RequestFields {
  const urlBytes = Buffer.byteLength(request.uri);
  const nothing = { path: '', credentials: [], parameterNames: [], urlBytes };
  try {
    const url = readRtspUrl(request.uri);
    const split = splitControl(url, controls);
    if (holdsToken(split.path)) {
      return { ...nothing, refused: reject('path-invalid', 'the path holds a token outside of its query') };
    }
    const pairs = readPairs(split.query, { semicolons: true });
    const user = url.authority?.user;
    const inUrl = partsOfQuery(pairs, 'url-query');
    const shown = [...inUrl, ...readHeader(request)];
    const inAuthority = user?.password === undefined ? [] : basicParts(user.username, user.password, shown);
    return {
      ...(url.authority && { authority: url.authority }),
      path: split.path,
      split,
      credentials: [...basicLast(shown), ...inAuthority],
      parameterNames: parameterNamesOf(pairs),
      urlBytes,
    };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { ...nothing, refused: reject('malformed-request', `the URL or Authorization: ${error.message}`) };
  }
}

/** What to tell the operator when the client has probably cut the token off; undefined when nothing points to it. */
export function truncationHint(
  urlBytes: number,
  credential: { readonly token: Secret; readonly carrier: Carrier } | undefined,
): string | undefined {
  const isLong = urlBytes >= LONG_URL;
  if (credential === undefined) {
    return isLong ? `the URL has ${urlBytes} bytes but no usable token: clients cut long URLs off` : undefined;
  }
  const { token, carrier } = credential;
  if (looksLikeJwt(token.reveal())) {
    const isCut = carrier === 'basic' && token.length === FFMPEG_PASSWORD;
    return isCut || (isLong && urlBytes <= 1023 + 64) ? advice(token, urlBytes) : undefined;
  }
  return advice(token, urlBytes);
}

function advice(token: Secret, urlBytes: number): string {
  return (
    `the token has ${token.length} characters in a URL of ${urlBytes}: it is no JWT, or looks truncated by the client ` +
    '(ffmpeg cuts passwords at 127 characters and URLs at 1023 bytes): put it into the query, below 800 characters'
  );
}

function readHeader(request: RtspRequest): CredentialPart[] {
  const value = request.headers.get('Authorization');
  if (value === undefined) return [];
  const shown = readAuthorization(value);
  switch (shown.scheme) {
    case 'bearer':
      return credentialPart('token', 'bearer', shown.token.reveal());
    case 'basic':
      return basicParts(shown.username, shown.password, []);
    default:
      return [];
  }
}

/** The password is the token, unless it does not look like one and another was shown. */
function basicParts(username: string, password: Secret, others: readonly CredentialPart[]): CredentialPart[] {
  const hasToken = others.some((part) => part.what === 'token');
  const field = hasToken && !looksLikeJwt(password.reveal()) ? 'password' : 'token';
  return [...credentialPart('username', 'basic', username), ...credentialPart(field, 'basic', password.reveal())];
}

function basicLast(parts: readonly CredentialPart[]): CredentialPart[] {
  const hasOther = parts.some((part) => part.what === 'token' && part.carrier !== 'basic');
  return parts.map((part) =>
    hasOther && part.what === 'token' && part.carrier === 'basic' && !looksLikeJwt(part.value.reveal())
      ? { ...part, what: 'password' }
      : part,
  );
}
