import type { IncomingMessage } from 'node:http';
import { Secret } from '../model/secret.js';
import type { FindHeader, Forwarded } from '../wire/forwarded.js';

/** One whole request, as a value. */
export interface HttpRequest {
  readonly method: string;
  /** As it was sent: percent-encoded, without query; begins with `/`. */
  readonly path: string;
  /** What stands behind the first `?`, not decoded; undefined when there is no `?`. May hold a token. */
  readonly query: Secret | undefined;
  /** Every value of `Authorization`. */
  readonly authorization: readonly Secret[];
  /** By lower-case name; headers that hold secrets are not among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** IP address of the client, without port. */
  readonly remoteAddress: string;
  /** Whether the client speaks TLS, to the gateway or to a trusted proxy. */
  readonly secure: boolean;
  /** What the client named as `Host`, where a trusted proxy tells it; not checked. */
  readonly forwardedHost?: string;
  /** Fires when the client left before its answer was written. */
  readonly gone: AbortSignal;
}

/** One whole answer. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
}

/** Status with which a request is refused before anybody looks at its contents. */
export type BadRequestStatus = 400 | 408 | 413 | 414 | 417 | 431 | 500;

/** What is known of a request before its body. */
export type RequestHead = Pick<HttpRequest, 'path' | 'query' | 'authorization' | 'headers'>;

/** Who the client is, from the peer and the headers that proxies set. */
export type ReadForwarded = (peer: string, find: FindHeader) => Forwarded;

/** What of a request is known by the connection it came on, and by proxies before that. */
export function clientOf(
  { headers }: Pick<HttpRequest, 'headers'>,
  peer: { readonly address: string; readonly secure: boolean },
  forwarded: ReadForwarded | undefined,
): Pick<HttpRequest, 'remoteAddress' | 'secure' | 'forwardedHost'> {
  if (forwarded === undefined) return { remoteAddress: peer.address, secure: peer.secure };
  const { address, proto, host } = forwarded(peer.address, (name) => headers.get(name));
  return {
    remoteAddress: address,
    secure: proto === undefined ? peer.secure : proto === 'https',
    ...(host !== undefined && { forwardedHost: host }),
  };
}

/** Headers that only a request with two meanings has twice. */
const ONCE = new Set(['host', 'content-length', 'transfer-encoding', 'content-type', 'expect']);
const SECRET = new Set(['authorization', 'proxy-authorization', 'cookie']);

/**
 * Reads the head of a request. A number is the status with which it is refused: 400 for what two servers may read in two
 * ways (a header twice that must be there once, a length beside chunks, a coding besides `chunked`, a target that is no
 * path), 414 for a target beyond `maxTargetLength`.
 * @see RFC 9112 §6.1, §6.3
 */
export function readHead(request: IncomingMessage, maxTargetLength: number): RequestHead | BadRequestStatus {
  const { url = '', rawHeaders } = request;
  if (url.length > maxTargetLength) return 414;
  if (!/^\/[\x21-\x7e]*$/.test(url)) return 400;
  const headers = new Map<string, string>();
  const authorization: Secret[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === 'authorization') authorization.push(new Secret(value));
    if (SECRET.has(name)) continue;
    const before = headers.get(name);
    if (before !== undefined && ONCE.has(name)) return 400;
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || request.httpVersionMinor === 0)) return 400;
  if (coding !== undefined && headers.has('content-length')) return 400;
  const mark = url.indexOf('?');
  return {
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? undefined : new Secret(url.slice(mark + 1)),
    authorization,
    headers,
  };
}

/** Collects the body; a number is the status with which the request is refused. Never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | BadRequestStatus> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve(413);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxBytes) chunks.push(chunk);
        else resolve(413);
      })
      .on('end', () => resolve(Buffer.concat(chunks)))
      .on('error', () => resolve(400))
      .on('close', () => resolve(400));
  });
}
