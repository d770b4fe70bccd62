import type { HttpResponse } from '../../../net/http-request.js';
import { CORS_HEADERS, type Header } from '../cors.js';
import type { Listening } from '../options.js';
import { problem } from '../problem.js';
import { CLIENT_JS } from './client-js.js';
import { PICTURE_JS } from './picture-js.js';
import { PUBLISH_HTML } from './publish-html.js';
import { PUBLISH_JS } from './publish-js.js';
import { PAGE_CSS } from './style-css.js';
import { WATCH_HTML } from './watch-html.js';
import { WATCH_JS } from './watch-js.js';

interface File {
  readonly type: 'text/html' | 'text/css' | 'text/javascript';
  readonly text: string;
}

const FILES: ReadonlyMap<string, File> = new Map([
  ['publish', { type: 'text/html', text: PUBLISH_HTML }],
  ['watch', { type: 'text/html', text: WATCH_HTML }],
  ['pages/page.css', { type: 'text/css', text: PAGE_CSS }],
  ['pages/client.js', { type: 'text/javascript', text: CLIENT_JS }],
  ['pages/picture.js', { type: 'text/javascript', text: PICTURE_JS }],
  ['pages/publish.js', { type: 'text/javascript', text: PUBLISH_JS }],
  ['pages/watch.js', { type: 'text/javascript', text: WATCH_JS }],
]);

/** Paths of the pages and their parts, without the slash in front; the empty one leads to the first page. */
export const PAGE_PATHS: ReadonlySet<string> = new Set(['', ...FILES.keys()]);

/**
 * Answers a request for one of the pages. Nothing of another site is loaded, nothing runs that does not stand in a file of
 * ours, and requests go to the gateway alone.
 */
export function pageAnswer(path: string, method: string, { publicUrl }: Pick<Listening, 'publicUrl'>): HttpResponse {
  if (method !== 'GET' && method !== 'HEAD') {
    const headers = [['Allow', 'GET, HEAD']] as const;
    return problem({ status: 405, code: 'malformed-request', title: 'allowed are GET, HEAD', headers });
  }
  // Relative, so that it stays below the path of a proxy.
  if (path === '') return { status: 302, headers: [...CORS_HEADERS, ['Location', './publish']] };
  const file = FILES.get(path);
  if (file === undefined) return problem({ status: 404, code: 'path-invalid', title: 'there is nothing here' });
  return {
    status: 200,
    headers: [...CORS_HEADERS, ...SAFETY, policyFor(publicUrl), ['Content-Type', `${file.type}; charset=utf-8`]],
    body: file.text,
  };
}

const SAFETY: readonly Header[] = [
  ['Cache-Control', 'no-cache'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Permissions-Policy', 'camera=(self), microphone=(self), autoplay=(self)'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];

/** Sessions live on the public base, which may be another origin than the one the page came from. @see CSP3 §6.1 */
function policyFor(publicUrl: string | undefined): Header {
  const base = publicUrl === undefined ? '' : ` ${publicUrl.split('/').slice(0, 3).join('/')}`;
  const rules = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self'${base}`,
    "media-src 'self' blob: mediastream:",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return ['Content-Security-Policy', rules.join('; ')];
}
