import { WireError } from '../../../model/errors.js';
import { Secret } from '../../../model/secret.js';
import { cutQuery } from '../../../wire/query.js';
import { hasControl } from './head.js';

/** `rtspu` is RTSP over UDP; nobody speaks it, but it can be told apart. @see RFC 2326 §3.2 */
export type RtspScheme = 'rtsp' | 'rtsps' | 'rtspu';

/** Bytes of a URL that is looked at; a longer one is refused. */
export const MAX_URL_BYTES = 16 * 1024;

/** What stands before the host's `@`, not percent-decoded. */
export interface UserInfo {
  readonly username: string;
  readonly password?: Secret;
}

/** Scheme and authority of an absolute URL. */
export interface RtspAuthority {
  readonly scheme: RtspScheme;
  readonly user?: UserInfo;
  /** A name or an address; IPv6 without its brackets. As it came: case counts. */
  readonly host: string;
  /** 1–65535; absent where the scheme's own is meant. */
  readonly port?: number;
}

/** A URL of a request line, a Content-Base or an `a=control`, raw: nothing is decoded, joined or brought into a canonical form. */
export interface RtspUrl {
  /** Absent when the URL was a path only. */
  readonly authority?: RtspAuthority;
  /** Starts with `/`, or is empty; without the query. */
  readonly path: string;
  /** What stands behind the first `?`, or empty. It may hold a token: never print it. Read it with `readPairs` of wire/query. */
  readonly query: string;
}

/** Ports that the schemes stand for. @see RFC 7826 §18.2 */
export const DEFAULT_PORTS: Readonly<Record<RtspScheme, number>> = { rtsp: 554, rtsps: 322, rtspu: 554 };

/**
 * Reads an absolute URL or a path (`/live/cam?token=…`). WHATWG's rules are not for RTSP: they would resolve dots, escape
 * and drop what the client and the origin must see alike. `*` is no URL: ask for it first.
 *
 * Throws WireError `url-invalid` (spaces, control characters, another form, host or port that cannot be), `url-scheme`, `url-too-long`.
 * @see RFC 2326 §3.2, RFC 3986 §3
 * @example readRtspUrl('rtsp://h:8554/live/cam?token=a.b') // path '/live/cam', query 'token=a.b'
 */
export function readRtspUrl(text: string): RtspUrl {
  if (Buffer.byteLength(text) > MAX_URL_BYTES) throw new WireError('url-too-long', `at most ${MAX_URL_BYTES} bytes`);
  if (/\s/.test(text) || hasControl(text)) throw invalid('a URL without spaces and control characters');
  if (text.startsWith('/')) return cutQuery(text);
  const [whole, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?]*)/i.exec(text) ?? [''];
  if (whole === '') throw invalid('an absolute URL or a path');
  return { authority: readAuthority(readScheme(scheme), authority), ...cutQuery(text.slice(whole.length)) };
}

/** The same, or undefined for a URL that is none: a Content-Base that cannot be read is ignored. */
export function tryReadRtspUrl(text: string): RtspUrl | undefined {
  try {
    return readRtspUrl(text);
  } catch {
    return undefined;
  }
}

/** Whether `text` says that it is an absolute URL, of whatever scheme. */
export function isAbsolute(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * Writes a URL; the user info is left out: credentials go into a header.
 * Throws WireError `unwritable-url` for a space or a control character in a part, and for what would end the host early.
 */
export function writeRtspUrl({ authority, path, query }: RtspUrl): string {
  const resource = path + (query === '' ? '' : `?${query}`);
  const text = authority === undefined ? resource : writeAuthority(authority) + resource;
  if (/\s/.test(text) || hasControl(text) || (path !== '' && !path.startsWith('/')) || path.includes('?')) {
    throw new WireError('unwritable-url', 'a path that starts with /, and no spaces or control characters');
  }
  return text;
}

/** `rtsp://host:port`, with brackets around IPv6. Throws WireError `unwritable-url`. */
export function writeAuthority({ scheme, host, port }: RtspAuthority): string {
  if (!HOST.test(host) && !IPV6.test(host)) throw new WireError('unwritable-url', 'a host name or an address');
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return `${scheme}://${bracketed}${port === undefined ? '' : `:${port}`}`;
}

const HOST = /^[^\s/?#@:\\[\]]+$/;
const IPV6 = /^[0-9a-f.]*:[0-9a-f:.]*(?:%[0-9a-z._-]+)?$/i;

function readScheme(text: string): RtspScheme {
  const scheme = text.toLowerCase();
  if (scheme !== 'rtsp' && scheme !== 'rtsps' && scheme !== 'rtspu') {
    throw new WireError('url-scheme', 'rtsp, rtsps or rtspu as scheme');
  }
  return scheme;
}

function readAuthority(scheme: RtspScheme, text: string): RtspAuthority {
  // Some parsers end the host at a backslash, some do not.
  if (text.includes('\\')) throw invalid('no backslash in the authority');
  // The last @: passwords with an unescaped one are seen, hosts with one cannot be.
  const at = text.lastIndexOf('@');
  const user = at < 0 ? {} : { user: readUserInfo(text.slice(0, at)) };
  const { bracketed, plain, digits = '' } = AUTHORITY.exec(text.slice(at + 1))?.groups ?? {};
  const host = bracketed ?? plain ?? '';
  if (bracketed === undefined ? !HOST.test(host) : !IPV6.test(host)) throw invalid('a host name or an address');
  if (digits === '') return { scheme, ...user, host };
  const port = Number(digits);
  if (port < 1 || port > 65535) throw invalid('a port from 1 to 65535');
  return { scheme, ...user, host, port };
}

const AUTHORITY = /^(?:\[(?<bracketed>[^[\]]*)\]|(?<plain>[^:]*))(?::(?<digits>\d{0,5}))?$/;

function readUserInfo(text: string): UserInfo {
  const colon = text.indexOf(':');
  if (colon < 0) return { username: text };
  return { username: text.slice(0, colon), password: new Secret(text.slice(colon + 1)) };
}

function invalid(expected: string): WireError {
  return new WireError('url-invalid', expected);
}
