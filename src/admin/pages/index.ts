import type { HttpResponse } from '../../net/http-request.js';
import { COMMON_HEADERS, problemAnswer } from '../problem.js';
import { CONNECTION_JS } from './connection-js.js';
import { DASHBOARD_CSS } from './dashboard-css.js';
import { DASHBOARD_HTML } from './dashboard-html.js';
import { DASHBOARD_JS } from './dashboard-js.js';
import { DRAWING_JS } from './drawing-js.js';
import { TILE_JS } from './tile-js.js';
import { WALL_CSS } from './wall-css.js';
import { WALL_JS } from './wall-js.js';

interface File {
  readonly type: 'text/html' | 'text/css' | 'text/javascript';
  readonly text: string;
}

const FILES: ReadonlyMap<string, File> = new Map<string, File>([
  ['/', { type: 'text/html', text: DASHBOARD_HTML }],
  ['/dashboard.css', { type: 'text/css', text: DASHBOARD_CSS }],
  ['/dashboard.js', { type: 'text/javascript', text: DASHBOARD_JS }],
  ['/connection.js', { type: 'text/javascript', text: CONNECTION_JS }],
  ['/drawing.js', { type: 'text/javascript', text: DRAWING_JS }],
  ['/wall.js', { type: 'text/javascript', text: WALL_JS }],
  ['/tile.js', { type: 'text/javascript', text: TILE_JS }],
  ['/wall.css', { type: 'text/css', text: WALL_CSS }],
]);

/** Nothing of another site is loaded or shown but the tile of the watch page, no text becomes markup, nobody frames it. @see CSP3 §6 */
const RULES = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

/** Whether a path is one of the page's files. */
export function isDashboardFile(path: string): boolean {
  return FILES.has(path);
}

/**
 * Answers a request for a file of the page, which is the same for everybody; undefined for another path.
 * `frameSourceOf` gives the one address that it may frame, if any.
 */
export function dashboardFile(
  path: string,
  method: string,
  frameSourceOf: () => string | undefined,
): HttpResponse | undefined {
  const file = FILES.get(path);
  if (file === undefined) return undefined;
  if (method !== 'GET' && method !== 'HEAD')
    return problemAnswer({ problem: 'method-wrong' }, [['Allow', 'GET, HEAD']]);
  const frameSource = frameSourceOf();
  return {
    status: 200,
    headers: [
      ...COMMON_HEADERS,
      ['Content-Type', `${file.type}; charset=utf-8`],
      [
        'Content-Security-Policy',
        [...RULES, ...(frameSource === undefined ? [] : [`frame-src ${frameSource}`])].join('; '),
      ],
      ['Cross-Origin-Opener-Policy', 'same-origin'],
      ['Permissions-Policy', 'camera=(), microphone=(), geolocation=()'],
    ],
    body: file.text,
  };
}
