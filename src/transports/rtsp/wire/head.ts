import { isUtf8 } from 'node:buffer';
import { WireError } from '../../../model/errors.js';
import type { HeaderEntry, HeaderMap } from './headers.js';

/** The first line of a message. */
export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly uri: string; readonly protocol: string }
  | { readonly kind: 'response'; readonly protocol: string; readonly status: number; readonly reason: string };

/** Characters of a method and of a header's name. @see RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PROTOCOL = /^(?:RTSP|HTTP)\/\d\.\d$/;
const STATUS_LINE = /^((?:RTSP|HTTP)\/\d\.\d) ([1-9]\d\d)(?: (.*))?$/;
/** All control characters but the tab. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Whether `text` may be a method or the name of a header. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether `text` holds a control character other than a tab, so CR, LF or NUL among them. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/**
 * The text of one line of a head, which ends before its line feed. Cameras and tools write UTF-8, old ones ISO 8859-1: what
 * is not the first is taken for the second. Throws WireError `control-character` for CR inside of a line, NUL and their kin.
 */
export function readLine(bytes: Buffer, offset: number): string {
  const line = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes;
  const text = line.toString(isUtf8(line) ? 'utf8' : 'latin1');
  if (hasControl(text)) throw new WireError('control-character', 'no control characters in a line', offset);
  return text;
}

/**
 * Reads a request line or a status line. Throws WireError `malformed-start-line`, unless it is one with exactly one space
 * between its parts (a reason may hold spaces or be missing) and of RTSP or HTTP in any version.
 * @see RFC 2326 §6.1, §7.1
 */
export function readStartLine(line: string, offset: number): StartLine {
  const status = STATUS_LINE.exec(line);
  if (status !== null) {
    const [, protocol, code, reason = ''] = status;
    return { kind: 'response', protocol: protocol as string, status: Number(code), reason };
  }
  const [method = '', uri = '', protocol = '', ...more] = line.split(' ');
  if (!isToken(method) || uri === '' || uri.includes('\t') || !PROTOCOL.test(protocol) || more.length > 0) {
    throw new WireError('malformed-start-line', 'METHOD URL RTSP/1.0, or RTSP/1.0 STATUS REASON', offset);
  }
  return { kind: 'request', method, uri, protocol };
}

/**
 * Reads one header line. Throws WireError `header-folded` for one that goes on with the line before (deprecated, and read
 * differently by everybody), `malformed-header` for a name that is no token, so also for a space before the colon.
 * @see RFC 9112 §5
 */
export function readHeaderLine(line: string, offset: number): HeaderEntry {
  if (line.startsWith(' ') || line.startsWith('\t')) {
    throw new WireError('header-folded', 'one line a header', offset);
  }
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!isToken(name)) throw new WireError('malformed-header', 'NAME: VALUE', offset);
  return [name, trimBlanks(line.slice(colon + 1))];
}

/**
 * How many bytes of body the headers announce; 0 without Content-Length. Throws WireError `content-length-invalid` for
 * anything but digits, `content-length-conflict` for two different ones, `body-too-long` beyond `maxBytes`.
 * @see RFC 2326 §12.14
 */
export function readContentLength(headers: HeaderMap, maxBytes: number, offset: number): number {
  const [first, ...others] = headers.all('Content-Length');
  if (first === undefined) return 0;
  if (!/^\d+$/.test(first)) throw new WireError('content-length-invalid', 'digits as Content-Length', offset);
  if (others.some((other) => other !== first)) {
    throw new WireError('content-length-conflict', 'one Content-Length', offset);
  }
  const length = Number(first);
  if (length > maxBytes) throw new WireError('body-too-long', `at most ${maxBytes} bytes of body`, offset);
  return length;
}

function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t';
  while (start < end && blank(start)) start += 1;
  while (end > start && blank(end - 1)) end -= 1;
  return text.slice(start, end);
}
