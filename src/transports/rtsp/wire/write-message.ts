import { WireError } from '../../../model/errors.js';
import { hasControl, isToken } from './head.js';
import { HeaderMap, type HeaderEntry } from './headers.js';
import { RTSP_1_0 } from './message.js';
import { reasonOf } from './status.js';

/** What a request of the gateway says. Content-Length is added. */
export interface RequestParts {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Iterable<HeaderEntry>;
  readonly body?: Buffer;
}

/** What a response of the gateway says. Content-Length is added. */
export interface ResponseParts {
  /** 100–999. */
  readonly status: number;
  /** The status's usual one if left out. */
  readonly reason?: string;
  readonly headers?: Iterable<HeaderEntry>;
  readonly body?: Buffer;
  /** `RTSP/1.0` if left out; `HTTP/1.0` to refuse a tunnel (some clients want just this version). */
  readonly protocol?: string;
}

/**
 * Writes a request. Throws WireError `unwritable-message` when a part holds what would end its line or its field early
 * (control characters, a space in the URL, a header's name that is no token): nothing can be slipped in.
 */
export function writeRequest(parts: RequestParts): Buffer {
  const { method, uri } = parts;
  if (!isToken(method)) throw unwritable('a token as method');
  if (uri === '' || /\s/.test(uri) || hasControl(uri)) throw unwritable('a URL without spaces and control characters');
  return writeMessage(`${method} ${uri} ${RTSP_1_0}`, parts);
}

/** Writes a response. Throws WireError `unwritable-message` as writeRequest does. */
export function writeResponse(parts: ResponseParts): Buffer {
  const { status, reason = reasonOf(status), protocol = RTSP_1_0 } = parts;
  if (!/^[1-9]\d\d$/.test(String(status))) throw unwritable('a status of three digits');
  if (hasControl(reason)) throw unwritable('a reason without control characters');
  return writeMessage(`${protocol} ${status} ${reason}`, parts);
}

function writeMessage(startLine: string, { headers = [], body }: RequestParts | ResponseParts): Buffer {
  const lines = [startLine];
  for (const [name, value] of new HeaderMap(headers).without('Content-Length')) {
    if (!isToken(name)) throw unwritable('a token as the name of a header');
    if (hasControl(value)) throw unwritable('a header without control characters');
    lines.push(`${name}: ${value}`);
  }
  const hasBody = body !== undefined && body.length > 0;
  if (hasBody) lines.push(`Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  return hasBody ? Buffer.concat([head, body]) : head;
}

function unwritable(expected: string): WireError {
  return new WireError('unwritable-message', expected);
}
