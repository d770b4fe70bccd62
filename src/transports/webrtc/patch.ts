import { WireError } from '../../model/errors.js';
import { reject } from '../../model/rejection.js';
import type { HttpRequest, HttpResponse } from '../../net/http-request.js';
import { clientIceOf } from './client-ice.js';
import { CORS_HEADERS, type Header } from './cors.js';
import type { WebrtcOptions } from './options.js';
import { problem } from './problem.js';
import { plain, refusal } from './replies.js';
import { endSession, type Sessions, type WebrtcSession } from './sessions.js';
import { readDescription } from './wire/sdp-check.js';
import { readFragment, SDP_FRAGMENT_TYPE } from './wire/sdp-fragment.js';

const SDP_TYPE = 'application/sdp';
/** What a session takes; MediaMTX's pages look for it. */
export const ACCEPT_PATCH: Header = ['Accept-Patch', SDP_FRAGMENT_TYPE];

/** What a PATCH is answered with. */
export interface PatchContext {
  readonly sessions: Sessions;
  readonly options: Pick<WebrtcOptions, 'ifMatch'>;
}

/** A media type without parameters, in lower case; empty when there is none. */
export function essenceOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * Answers a PATCH of a session: candidates (204 at once: ICE ends at the gateway, so there is nothing to wait for), an ICE
 * restart (200 with the new credentials and a new ETag), or a viewer's answer to the origin's offer (204). What cannot be
 * taken leaves the session as it is. Never rejects.
 * @see RFC 9725 §4.3, §4.4
 */
export async function answerPatch(
  session: WebrtcSession,
  request: HttpRequest,
  context: PatchContext,
): Promise<HttpResponse> {
  const body = request.body.toString('utf8');
  switch (essenceOf(request.headers.get('content-type'))) {
    case SDP_FRAGMENT_TYPE:
      return takeFragment(session, body, request.headers.get('if-match'), context);
    case SDP_TYPE:
      return takeAnswer(session, body);
    default:
      return problem({
        ...{ status: 415, code: 'malformed-request', title: `a session takes ${SDP_FRAGMENT_TYPE}` },
        session: session.request.sessionId,
        headers: [ACCEPT_PATCH],
      });
  }
}

async function takeFragment(
  session: WebrtcSession,
  body: string,
  ifMatch: string | undefined,
  context: PatchContext,
): Promise<HttpResponse> {
  const { media } = session.leg;
  let isRestart: boolean;
  try {
    const { ice } = readFragment(body);
    isRestart = ice !== undefined && session.clientIce !== undefined && ice.ufrag !== session.clientIce.ufrag;
    const failed = context.options.ifMatch === 'strict' ? precondition(session, ifMatch, isRestart) : undefined;
    if (failed !== undefined) return failed;
    if (media.kind !== 'direct') {
      const outcome = media.session.patch(body);
      if (outcome.kind === 'trickle') return plain(204);
      return restarted(session, body, outcome.fragment, context);
    }
  } catch (error) {
    return malformed(session, error);
  }
  return passFragment(session, body, isRestart, context);
}

/** Media that does not pass through here: candidates concern the origin. One that takes none, or is slow, is not waited for. */
async function passFragment(
  session: WebrtcSession,
  body: string,
  isRestart: boolean,
  context: PatchContext,
): Promise<HttpResponse> {
  const outcome = await session.leg.origin.patch(SDP_FRAGMENT_TYPE, body, isRestart);
  if (outcome.kind === 'gone') {
    endSession(session, 'origin-finished');
    return problem({ status: 404, code: 'origin-refused', title: 'the session has ended' });
  }
  if (!isRestart) return plain(204);
  if (outcome.kind === 'taken' && outcome.fragment !== undefined) {
    return restarted(session, body, outcome.fragment, context);
  }
  return problem({
    ...{ status: 422, code: 'origin-refused', title: 'the origin does not restart ICE' },
    session: session.request.sessionId,
  });
}

function restarted(session: WebrtcSession, body: string, fragment: string, context: PatchContext): HttpResponse {
  session.clientIce = clientIceOf(body) ?? session.clientIce;
  session.etag = context.sessions.freshEtag();
  return {
    status: 200,
    headers: [
      ...CORS_HEADERS,
      ['Content-Type', SDP_FRAGMENT_TYPE],
      ['ETag', session.etag],
      ['Cache-Control', 'no-store'],
    ],
    body: fragment,
  };
}

/** `*` is for a restart, the session's tag for everything else. @see RFC 9725 §4.3.1 */
function precondition(
  session: WebrtcSession,
  ifMatch: string | undefined,
  isRestart: boolean,
): HttpResponse | undefined {
  const { sessionId } = session.request;
  if (ifMatch === undefined) {
    return problem({ status: 428, code: 'malformed-request', title: 'If-Match is missing', session: sessionId });
  }
  const fits = isRestart ? ifMatch.trim() === '*' : ifMatch.trim() === session.etag;
  if (fits) return undefined;
  return problem({ status: 412, code: 'malformed-request', title: 'If-Match does not fit', session: sessionId });
}

async function takeAnswer(session: WebrtcSession, body: string): Promise<HttpResponse> {
  const { leg, request } = session;
  const { media } = leg;
  if (!leg.awaitsAnswer || media.kind === 'answered') {
    return problem({
      ...{ status: 400, code: 'malformed-request', title: 'no answer is awaited' },
      session: request.sessionId,
      headers: [ACCEPT_PATCH],
    });
  }
  let sdp = body;
  try {
    if (media.kind === 'offered') sdp = media.session.answer(body);
    else readDescription(body, { kind: 'answer' });
  } catch (error) {
    return malformed(session, error);
  }
  leg.awaitsAnswer = false;
  session.clientIce = clientIceOf(body);
  const outcome = await leg.origin.patch(SDP_TYPE, sdp);
  if (outcome.kind === 'taken') return plain(204);
  endSession(session, 'origin-error', new Error(`the origin did not take the answer: ${outcome.kind}`));
  const context = {
    transport: 'WHEP',
    session: request.sessionId,
    hasToken: request.credential !== undefined,
  } as const;
  return refusal(reject('origin-refused', 'the origin did not take the answer'), context);
}

function malformed(session: WebrtcSession, error: unknown): HttpResponse {
  if (!(error instanceof WireError)) throw error;
  return refusal(reject('malformed-request', error.message), {
    transport: session.request.transport === 'WHEP' ? 'WHEP' : 'WHIP',
    session: session.request.sessionId,
    hasToken: session.request.credential !== undefined,
    isUnsupported: error.code.startsWith('unsupported-'),
  });
}
