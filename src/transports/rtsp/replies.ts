import { REJECTIONS, type Rejection, type RejectionKind } from '../../model/rejection.js';
import { PRODUCT, REALM } from './options.js';
import { writeBasicChallenge } from './wire/challenge.js';
import type { HeaderEntry } from './wire/headers.js';
import type { RtspRequest } from './wire/message.js';
import { writeResponse } from './wire/write-message.js';

/** The methods a client may use, as OPTIONS tells them. */
export const METHODS = [
  'OPTIONS',
  'DESCRIBE',
  'ANNOUNCE',
  'SETUP',
  'PLAY',
  'PAUSE',
  'RECORD',
  'TEARDOWN',
  'GET_PARAMETER',
  'SET_PARAMETER',
] as const;

/** The RTSP status of each kind of no; `docs/rejections.md` shows the table. */
const REFUSED: Readonly<Record<RejectionKind, number>> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  conflict: 403,
  limited: 503,
  unavailable: 503,
};

/** When to come again after too much. @see RFC 2326 §12.31 */
const RETRY_AFTER_S = '5';

/** What an answer says besides its status. */
export interface AnswerParts {
  readonly reason?: string;
  readonly headers?: readonly HeaderEntry[];
  readonly body?: Buffer;
}

/** Answers a request; its CSeq is given back as it came. */
export function answer(request: RtspRequest, status: number, parts: AnswerParts = {}): Buffer {
  const sequence = request.headers.get('CSeq');
  const headers: readonly HeaderEntry[] = [
    ...(sequence === undefined ? [] : [['CSeq', sequence] as const]),
    ['Server', PRODUCT],
    ...(parts.headers ?? []),
  ];
  return writeResponse({ ...parts, status, headers });
}

/** The answer to OPTIONS. */
export function methods(request: RtspRequest, headers: readonly HeaderEntry[] = []): Buffer {
  return answer(request, 200, { headers: [['Public', METHODS.join(', ')], ...headers] });
}

/**
 * The only place that says no in RTSP: the status of the kind, with the stable code and the short reason as its phrase (ffmpeg
 * prints it). Only who showed nothing at all is challenged: others would come again with the same token for ever.
 */
export function refusal(request: RtspRequest, rejection: Rejection): Buffer {
  const reason = `${rejection.code}: ${REJECTIONS[rejection.code].reason}`;
  const challenge: readonly HeaderEntry[] = isChallenge(rejection)
    ? [['WWW-Authenticate', writeBasicChallenge(REALM)]]
    : [['Connection', 'close']];
  const later: readonly HeaderEntry[] = rejection.kind === 'limited' ? [['Retry-After', RETRY_AFTER_S]] : [];
  return answer(request, REFUSED[rejection.kind], { reason, headers: [...challenge, ...later] });
}

/** Whether the client is asked to come again with credentials, on the same connection. */
export function isChallenge(rejection: Rejection): boolean {
  return rejection.code === 'token-missing';
}

/** The answer to HTTP: there is no tunnel here. Some clients read nothing but this version (RTSP-22). */
export function httpRefusal(): Buffer {
  return writeResponse({
    status: 400,
    reason: 'this port speaks RTSP only',
    protocol: 'HTTP/1.0',
    headers: [['Connection', 'close']],
  });
}
