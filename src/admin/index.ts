import { Secret } from '../model/secret.js';

/** What the windows show, and to whom. */
export interface AdminOptions {
  /** Absent: nobody is asked for one (loopback only). */
  readonly token?: Secret | undefined;
  /** Paths that are answered without the token. */
  readonly openPaths: readonly string[];
  /** All metrics as text. */
  readonly render: () => string;
  /** Why the gateway takes no streams now, in a few words; undefined when it does. */
  readonly notReady: () => string | undefined;
}

/** An answer, whole. */
export interface AdminResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers requests; pure, the port is opened elsewhere. */
export interface Admin {
  /** `path` is without query, `authorization` the whole value of that header. Never throws. */
  handle(method: string, path: string, authorization?: Secret): AdminResponse;
}

type Page = (isTrusted: boolean) => AdminResponse;

const BEARER = /^Bearer +([\x21-\x7e]+)$/i;

/**
 * Makes the operator's windows: `/livez` (the process answers), `/readyz` (it takes streams; 503 with the reason if not),
 * `/metrics` (Prometheus text). Only GET and HEAD. Without the token, a path that is not open gives 401, known or not.
 */
export function createAdmin({ token, openPaths, render, notReady }: AdminOptions): Admin {
  const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ['/livez', () => text(200, 'ok')],
    ['/readyz', (isTrusted) => readiness(notReady(), isTrusted)],
    ['/metrics', () => text(200, render(), 'text/plain; version=0.0.4; charset=utf-8')],
  ]);
  return {
    handle: (method, path, authorization) => {
      const isTrusted = token === undefined || shows(authorization, token);
      if (!isTrusted && !openPaths.includes(path)) return unauthorized(authorization !== undefined);
      const page = pages.get(path);
      if (page === undefined) return text(404, 'not found');
      if (method !== 'GET' && method !== 'HEAD')
        return withHeaders(text(405, 'only GET and HEAD'), { allow: 'GET, HEAD' });
      return page(isTrusted);
    },
  };
}

/** The reason may tell how the house is built, so only those who may know get it. */
function readiness(reason: string | undefined, isTrusted: boolean): AdminResponse {
  if (reason === undefined) return text(200, 'ok');
  return withHeaders(text(503, isTrusted ? reason : 'not ready'), { 'retry-after': '1' });
}

function shows(authorization: Secret | undefined, token: Secret): boolean {
  const shown = BEARER.exec(authorization?.reveal() ?? '')?.[1];
  return shown !== undefined && new Secret(shown).equals(token);
}

/** @see RFC 6750 §3 */
function unauthorized(wasShown: boolean): AdminResponse {
  const error = wasShown ? ', error="invalid_token"' : '';
  return withHeaders(text(401, 'a token is required'), { 'www-authenticate': `Bearer realm="portcullis"${error}` });
}

function text(status: number, body: string, type = 'text/plain; charset=utf-8'): AdminResponse {
  const headers = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  return { status, headers, body: body.endsWith('\n') ? body : `${body}\n` };
}

function withHeaders(response: AdminResponse, headers: Readonly<Record<string, string>>): AdminResponse {
  return { ...response, headers: { ...response.headers, ...headers } };
}
