import { pathOf, type ConnectionRequest } from '../../model/request.js';
import { mergeCredentials } from '../../wire/credential-parts.js';
import { normaliseStreamPath } from '../../wire/stream-path.js';
import { readRequest } from './credential.js';
import type { RtspRequest } from './wire/message.js';
import { readWords } from './wire/public.js';
import { readSession } from './wire/session-header.js';

/** What a session is bound to. */
export interface Bond {
  /** The question that was answered with yes. */
  readonly request: ConnectionRequest;
  /** The gateway's id of the session, once the client knows it. */
  readonly sessionId: string | undefined;
  /** What the client calls its tracks; undefined for one without a name of its own. */
  readonly controls: readonly (string | undefined)[];
}

/** Whether a later request belongs to the session: the track it means (undefined: the stream), or the status of the no. */
export type Belonging =
  { readonly ok: true; readonly track: number | undefined } | { readonly ok: false; readonly status: number };

/**
 * Holds a request within a session against what was allowed: it needs no token again, but it may name no other path (404), bear no other
 * token (403), and no other session (454). Never throws but WireError.
 */
export function belongs(request: RtspRequest, bond: Bond): Belonging {
  const { sessionId } = bond;
  const session = request.headers.get('Session');
  // Some send a Session of their own before they were given one (RTSP-15): it means nothing.
  if (session !== undefined && sessionId !== undefined && readSession(session).id !== sessionId) return no(454);
  if (request.uri === '*') return { ok: true, track: undefined };
  const known = bond.controls.filter((control) => control !== undefined);
  const { path, split, credentials, refused } = readRequest(request, known);
  const merged = mergeCredentials(credentials);
  if (refused !== undefined || !merged.ok) return no(400);
  const { credential } = bond.request;
  if (merged.credential !== undefined && credential?.token.equals(merged.credential.token) !== true) return no(403);
  if (split?.form !== 'absolute') {
    const normal = normaliseStreamPath(path);
    if (!normal.ok || pathOf(normal.target) !== pathOf(bond.request.target)) return no(404);
  }
  const track = split?.control === undefined ? undefined : bond.controls.indexOf(split.control);
  return { ok: true, track };
}

/** Options that a request requires and the gateway does not have: all of them (551). */
export function unsupported(request: RtspRequest): readonly string[] {
  return readWords(request.headers.all('Require'));
}

function no(status: number): Belonging {
  return { ok: false, status };
}
