import type { HttpResponse } from '../../net/http-request.js';
import { CORS_HEADERS, type Header } from './cors.js';

/** What went wrong, in the words of HTTP. */
export interface Problem {
  readonly status: number;
  /** The stable code. */
  readonly code: string;
  /** The short human reason; nothing of the peer's own bytes. */
  readonly title: string;
  /** Under which name the log has it. */
  readonly session?: string;
  readonly headers?: readonly Header[];
}

/**
 * Makes the answer of an error: `application/problem+json` with the code as a member of its own. Never kept by a cache.
 * @see RFC 9457 §3, §3.2
 */
export function problem({ status, code, title, session, headers = [] }: Problem): HttpResponse {
  const body = { type: `urn:portcullis:${code}`, title, status, code, ...(session !== undefined && { session }) };
  return {
    status,
    headers: [...CORS_HEADERS, ['Content-Type', 'application/problem+json'], ['Cache-Control', 'no-store'], ...headers],
    body: `${JSON.stringify(body)}\n`,
  };
}
