import { isUtf8 } from 'node:buffer';
import { WireError } from '../../../model/errors.js';
import { Secret } from '../../../model/secret.js';
import { hasControl } from './head.js';
import { readParameters } from './challenge.js';

/** What a client shows in an Authorization header. */
export type Authorization =
  | { readonly scheme: 'basic'; readonly username: string; readonly password: Secret }
  | { readonly scheme: 'bearer'; readonly token: Secret }
  /** A digest holds no token; only its open parts are read, to say who came with it. */
  | { readonly scheme: 'digest'; readonly username: string; readonly realm: string; readonly uri: string }
  | { readonly scheme: 'other' };

const MAX_PARAMETERS = 32;

/**
 * Reads an Authorization header; schemes count in any case. Throws WireError `authorization-invalid`, without any of its text,
 * for Basic that is not base64 of UTF-8 with a colon, and for a Bearer token with characters that no token has.
 * A password that a client has cut off (ffmpeg at 127 characters, RTSP-01) is still good Basic: who verifies the token sees it.
 * @see RFC 7617, RFC 6750 §2.1, RFC 7616 §3.4
 */
export function readAuthorization(value: string): Authorization {
  const [, scheme = '', rest = ''] = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/s.exec(value) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return readBasic(rest);
    case 'bearer':
      return { scheme: 'bearer', token: readBearer(rest) };
    case 'digest': {
      const parameters = readParameters(rest, MAX_PARAMETERS);
      const open = (name: string) => parameters.get(name) ?? '';
      return { scheme: 'digest', username: open('username'), realm: open('realm'), uri: open('uri') };
    }
    default:
      return { scheme: 'other' };
  }
}

/** The value of an Authorization header with user and password. Throws WireError `unwritable-header` for a colon or control characters in the user. */
export function writeBasic(username: string, password: Secret): string {
  if (username.includes(':') || hasControl(username)) {
    throw new WireError('unwritable-header', 'a user name without colon and control characters');
  }
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

/** The value of an Authorization header with a token. Throws WireError `unwritable-header` for characters that no token has. */
export function writeBearer(token: Secret): string {
  if (!TOKEN68.test(token.reveal())) throw new WireError('unwritable-header', 'the characters of a bearer token');
  return `Bearer ${token.reveal()}`;
}

const TOKEN68 = /^[A-Za-z0-9._~+/-]+=*$/;
/** Both alphabets, with padding or without. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function readBearer(text: string): Secret {
  if (!TOKEN68.test(text)) throw invalid('the characters of a bearer token');
  return new Secret(text);
}

function readBasic(encoded: string): Authorization {
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (!BASE64.test(encoded) || colon < 0 || !isUtf8(bytes)) throw invalid('user:password in base64');
  const username = bytes.toString('utf8', 0, colon);
  const password = new Secret(bytes.toString('utf8', colon + 1));
  if (hasControl(username)) throw invalid('a user name without control characters');
  return { scheme: 'basic', username, password };
}

function invalid(expected: string): WireError {
  return new WireError('authorization-invalid', expected);
}
