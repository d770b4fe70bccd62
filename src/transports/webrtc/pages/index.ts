import type { HttpResponse } from '../../../net/http-request.js';
import { CORS_HEADERS, type Header } from '../cors.js';
import type { Listening } from '../options.js';
import { problem } from '../problem.js';
import { CLIENT_JS } from './client-js.js';
import { PICTURE_JS } from './picture-js.js';
import { PUBLISH_HTML } from './publish-html.js';
import { PUBLISH_JS } from './publish-js.js';
import { PAGE_CSS } from './style-css.js';
import { TILE_CSS } from './tile-css.js';
import { TILE_HTML } from './tile-html.js';
import { TILE_JS } from './tile-js.js';
import { WATCH_HTML } from './watch-html.js';
import { WATCH_JS } from './watch-js.js';

interface File {
  readonly type: 'text/html' | 'text/css' | 'text/javascript';
  readonly text: string;
}

/** The one page that may stand in a frame. */
const TILE = 'watch-tile';

const FILES: ReadonlyMap<string, File> = new Map([
  ['publish', { type: 'text/html', text: PUBLISH_HTML }],
  ['watch', { type: 'text/html', text: WATCH_HTML }],
  [TILE, { type: 'text/html', text: TILE_HTML }],
  ['pages/page.css', { type: 'text/css', text: PAGE_CSS }],
  ['pages/client.js', { type: 'text/javascript', text: CLIENT_JS }],
  ['pages/picture.js', { type: 'text/javascript', text: PICTURE_JS }],
  ['pages/publish.js', { type: 'text/javascript', text: PUBLISH_JS }],
  ['pages/watch.js', { type: 'text/javascript', text: WATCH_JS }],
  ['pages/tile.css', { type: 'text/css', text: TILE_CSS }],
  ['pages/tile.js', { type: 'text/javascript', text: TILE_JS }],
]);

/** Paths of the pages and their parts, without the slash in front; the empty one leads to the first page. */
export const PAGE_PATHS: ReadonlySet<string> = new Set(['', ...FILES.keys()]);

/**
 * Answers a request for one of the pages. Nothing of another site is loaded, nothing runs that does not stand in a file of
 * ours, and requests go to the gateway alone. Nobody frames a page, but the dashboard its tile.
 */
export function pageAnswer(path: string, method: string, { publicUrl, framedBy }: PagePlace): HttpResponse {
  if (method !== 'GET' && method !== 'HEAD') {
    const headers = [['Allow', 'GET, HEAD']] as const;
    return problem({ status: 405, code: 'malformed-request', title: 'allowed are GET, HEAD', headers });
  }
  // Relative, so that it stays below the path of a proxy.
  if (path === '') return { status: 302, headers: [...CORS_HEADERS, ['Location', './publish']] };
  const file = FILES.get(path);
  const isTile = path === TILE;
  if (file === undefined || (isTile && framedBy.length === 0)) {
    return problem({ status: 404, code: 'path-invalid', title: 'there is nothing here' });
  }
  const devices = isTile ? 'camera=(), microphone=()' : 'camera=(self), microphone=(self)';
  return {
    status: 200,
    headers: [
      ...CORS_HEADERS,
      ...SAFETY,
      ['Permissions-Policy', `${devices}, autoplay=(self)`],
      policyFor(publicUrl, isTile ? framedBy : []),
      ['Content-Type', `${file.type}; charset=utf-8`],
    ],
    body: file.text,
  };
}

type PagePlace = Pick<Listening, 'publicUrl' | 'framedBy'>;

const SAFETY: readonly Header[] = [
  ['Cache-Control', 'no-cache'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];

/** Sessions live on the public base, which may be another origin than the one the page came from. @see CSP3 §6.1, §6.4.2 */
function policyFor(publicUrl: string | undefined, framedBy: readonly string[]): Header {
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
    `frame-ancestors ${framedBy.join(' ') || "'none'"}`,
  ];
  return ['Content-Security-Policy', rules.join('; ')];
}
