import { REJECTIONS, type Rejection, type RejectionCode, type RejectionKind } from '../../model/rejection.js';
import type { HttpResponse } from '../../net/http-request.js';
import { CORS_HEADERS, type Header } from './cors.js';
import type { IceServerOption } from './options.js';
import { problem } from './problem.js';
import type { WebrtcTransportName } from './routes.js';

/** The status of each kind of no; `docs/rejections.md` shows the table. */
const STATUS: Readonly<Record<RejectionKind, number>> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  conflict: 409,
  limited: 429,
  unavailable: 503,
};

/** Seconds after which asking again makes sense. */
const RETRY_AFTER_S: Readonly<Partial<Record<RejectionKind, number>>> = { conflict: 2, limited: 5, unavailable: 2 };

const REALM = 'Bearer realm="portcullis"';
/** Codes that another token would change. */
const SCOPE: ReadonlySet<RejectionCode> = new Set(['transport-denied', 'role-denied', 'room-denied']);

/** What a no depends on beside its code. */
export interface RefusalContext {
  readonly transport: WebrtcTransportName;
  readonly session: string;
  /** A token was shown. */
  readonly hasToken: boolean;
  /** The offer was understood, but nobody can serve it. */
  readonly isUnsupported?: boolean;
  /** How the origin said no, if it did. */
  readonly originStatus?: number;
}

/**
 * The only place that says no in WHIP and WHEP: problem+json with the stable code, and the challenge of RFC 6750.
 * The status follows the kind, with three exceptions: 422 for an offer that was understood and cannot be served, by us or by
 * the origin (asking again is useless), 409 for a viewer of a stream that nobody publishes, as the WHEP draft wants it.
 */
export function refusal(rejection: Rejection, context: RefusalContext): HttpResponse {
  const { code, kind } = rejection;
  const status = statusOf(rejection, context);
  const challenge = challengeOf(rejection, status, context.hasToken);
  const retryS = RETRY_AFTER_S[status === 409 ? 'conflict' : kind];
  return problem({
    status,
    code,
    title: REJECTIONS[code].reason,
    session: context.session,
    headers: [
      ...(challenge === undefined ? [] : [['WWW-Authenticate', challenge] as const]),
      ...(retryS === undefined || status === 422 ? [] : [['Retry-After', String(retryS)] as const]),
    ],
  });
}

function statusOf({ code, kind }: Rejection, context: RefusalContext): number {
  if (code === 'malformed-request') return context.isUnsupported === true ? 422 : STATUS[kind];
  if (code !== 'origin-refused') return STATUS[kind];
  switch (context.originStatus) {
    case 404:
    case 409:
      return context.transport === 'WHEP' ? 409 : STATUS[kind];
    case 400:
    case 406:
    case 415:
    case 422:
      return 422;
    default:
      return STATUS[kind];
  }
}

/** @see RFC 6750 §3, §3.1 */
function challengeOf({ code, kind }: Rejection, status: number, hasToken: boolean): string | undefined {
  if (kind === 'unauthenticated') {
    return hasToken ? `${REALM}, error="invalid_token", error_description="${REJECTIONS[code].reason}"` : REALM;
  }
  if (status === 403 && SCOPE.has(code)) return `${REALM}, error="insufficient_scope"`;
  return code === 'token-conflict' ? `${REALM}, error="invalid_request"` : undefined;
}

/** What a yes tells the client. */
export interface Confirmation {
  /** 201, or 406 where the origin answered an offer with one of its own. */
  readonly status: 201 | 406;
  readonly sdp: string;
  /** Absolute, or a path from the root where nobody knows the host. */
  readonly location: string;
  /** Quoted. */
  readonly etag: string;
  readonly iceServers: readonly IceServerOption[];
}

/** The only place that says yes in WHIP and WHEP. @see RFC 9725 §4.2 */
export function confirmation({ status, sdp, location, etag, iceServers }: Confirmation): HttpResponse {
  return {
    status,
    headers: [
      ...CORS_HEADERS,
      ['Content-Type', 'application/sdp'],
      ['Location', location],
      ['ETag', etag],
      ['Accept-Patch', 'application/trickle-ice-sdpfrag'],
      ['Cache-Control', 'no-store'],
      ...iceServerLinks(iceServers, true),
    ],
    body: sdp,
  };
}

/** An answer without a body. */
export function plain(status: 200 | 204, headers: readonly Header[] = []): HttpResponse {
  return { status, headers: [...CORS_HEADERS, ['Cache-Control', 'no-store'], ...headers] };
}

/** One `Link` for each ICE server (OBS splits at commas); those with a password only where that may be told. */
export function iceServerLinks(servers: readonly IceServerOption[], mayTellPasswords: boolean): readonly Header[] {
  return servers
    .filter(({ credential }) => credential === undefined || mayTellPasswords)
    .map(({ url, username, credential }) => {
      const account =
        username === undefined || credential === undefined
          ? ''
          : `; username="${username}"; credential="${credential.reveal()}"; credential-type="password"`;
      return ['Link', `<${url}>; rel="ice-server"${account}`] as const;
    });
}
