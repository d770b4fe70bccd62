import { WireError } from '../../../model/errors.js';
import type { InterleavedFrame } from './frame.js';
import type { HeaderMap } from './headers.js';

/** The only version the gateway speaks; others are read so that they can be answered with 505. */
export const RTSP_1_0 = 'RTSP/1.0';

/** A request, whole and owned: it shares no memory with the bytes it came in. */
export interface RtspRequest {
  readonly kind: 'request';
  /** As it came: case counts, and it may be none that the gateway knows. */
  readonly method: string;
  /** As it came: `*`, an absolute URL or a path. It may hold a token: never print it. */
  readonly uri: string;
  /** `RTSP/d.d` or `HTTP/d.d`. The body of an HTTP request is not read: refuse it and close. */
  readonly protocol: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
}

/** A response, whole and owned. */
export interface RtspResponse {
  readonly kind: 'response';
  /** `RTSP/d.d` or `HTTP/d.d`; as for requests, the body of an HTTP response is not read. */
  readonly protocol: string;
  /** 100–999. */
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
}

/** What comes on an RTSP connection, in its order. */
export type RtspItem = RtspRequest | RtspResponse | InterleavedFrame;

/** Whether a peer means HTTP: a tunnel (GET, POST), a browser, a wrong origin. */
export function isHttp(message: RtspRequest | RtspResponse): boolean {
  return message.protocol.startsWith('HTTP/');
}

/** The largest CSeq that is taken; more than anybody counts to, and safe in 32 bit. */
const MAX_CSEQ = 0x7fffffff;

/**
 * The sequence number of a message, 0–2147483647, or undefined when it has none.
 * Throws WireError `cseq-invalid` for anything but digits, for too many, and for two different ones (live555 fell over a NUL here).
 * @see RFC 2326 §12.17
 */
export function readCSeq(headers: HeaderMap): number | undefined {
  const [first, ...others] = headers.all('CSeq');
  if (first === undefined) return undefined;
  const number = Number(first);
  if (!/^\d{1,10}$/.test(first) || number > MAX_CSEQ || others.some((other) => other !== first)) {
    throw new WireError('cseq-invalid', `one CSeq of digits, at most ${MAX_CSEQ}`);
  }
  return number;
}
