import { cutQuery } from '../../../wire/query.js';
import { isAbsolute, tryReadRtspUrl, type RtspUrl } from './url.js';

/** Where a track's control value was found in the URL of a request. */
export interface SplitControl {
  /**
   * `none`: the URL is the stream's own. `suffix`: the control value was glued on and is cut off. `absolute`: the URL *is* an
   * absolute control value, known from the SDP; path and query are its own, and tell nothing about the stream's.
   */
  readonly form: 'none' | 'suffix' | 'absolute';
  /** As it stands in the SDP; undefined at `none`. */
  readonly control?: string;
  /** Without slashes at its end, so empty for the root. */
  readonly path: string;
  /** Without slashes at its end: they come from a base that ended in one, and no token does. It may hold a token. */
  readonly query: string;
}

/** What clients call tracks when no SDP has passed here yet: ffmpeg, GStreamer, live555 and their kin. */
const USUAL_CONTROL = /(?<=\/)(?:trackID|streamid|stream|track|mediaid)=\d+(?=$|[/?&;])/gi;

/**
 * Takes a track's control value out of the URL of a SETUP. Clients put it behind the query (ffmpeg, live555, VLC: `?token=x/trackID=0`),
 * before it (rtspclientsink: `/stream=0?token=x`) or between two of them; left in place it would be part of the token.
 *
 * `controls` are the values of the SDP that this client has sent or seen; without them (a bare SETUP) the usual forms are looked for.
 * @see RFC 2326 §C.1.1
 * @example splitControl(readRtspUrl('/live/cam?token=x/trackID=0'), ['trackID=0']) // control 'trackID=0', path '/live/cam', query 'token=x'
 */
export function splitControl(url: RtspUrl, controls?: readonly string[]): SplitControl {
  const resource = writeResource(url);
  const absolute = controls?.find((control) => isAbsolute(control) && isSameResource(control, resource));
  if (absolute !== undefined) return { form: 'absolute', control: absolute, ...trimmed(resource) };
  const found = controls === undefined ? findUsual(resource) : findKnown(resource, controls);
  if (found === undefined) return { form: 'none', ...trimmed(resource) };
  const before = trimSlashes(resource.slice(0, found.at));
  const behind = resource.slice(found.at + found.length).replace(/^\/+/, '');
  return { form: 'suffix', control: found.control, ...trimmed(before + behind) };
}

/**
 * The URL of a track as clients of live555's kin and ffmpeg build it: a relative control value is put behind the base, with one
 * slash between. `*` and an empty value mean the base itself; an absolute value keeps the base's authority, so that an SDP
 * cannot send us to another host. A value that cannot be a URL gives undefined.
 * @see RFC 2326 §C.1.1
 */
export function resolveControl(base: RtspUrl, control: string): RtspUrl | undefined {
  if (control === '' || control === '*') return base;
  const { authority } = base;
  const keeping = (url: RtspUrl | undefined) =>
    url && { ...(authority && { authority }), path: url.path, query: url.query };
  if (isAbsolute(control)) return keeping(tryReadRtspUrl(control));
  const stem = writeResource(base);
  const separated = /^[?/]/.test(control) || stem.endsWith('/') ? stem : `${stem}/`;
  const resource = control.startsWith('/') ? trimSlashes(separated) + control : separated + control;
  return keeping(tryReadRtspUrl(resource.startsWith('/') ? resource : `/${resource}`));
}

interface Found {
  readonly at: number;
  readonly length: number;
  readonly control: string;
}

function findUsual(resource: string): Found | undefined {
  const found = [...resource.matchAll(USUAL_CONTROL)].map((match) => ({
    at: match.index,
    length: match[0].length,
    control: match[0],
  }));
  return found.filter((one) => endsWell(resource, one)).at(-1);
}

/** The longest control value that is found wins: `media/trackID=1` before `trackID=1`. */
function findKnown(resource: string, controls: readonly string[]): Found | undefined {
  const relative = controls.filter((control) => control !== '' && control !== '*' && !isAbsolute(control));
  for (const control of relative.sort((one, other) => other.length - one.length)) {
    for (let at = resource.lastIndexOf(control); at >= 0; at = at > 0 ? resource.lastIndexOf(control, at - 1) : -1) {
      const found = { at, length: control.length, control };
      if (startsWell(resource, found) && endsWell(resource, found)) return found;
    }
  }
  return undefined;
}

/** A control value is a segment of its own, or brings its own separator. */
function startsWell(resource: string, { at, control }: Found): boolean {
  return resource[at - 1] === '/' || /^[?/]/.test(control);
}

/** Behind it nothing follows but slashes, a query, or (inside of a query) another parameter. */
function endsWell(resource: string, { at, length }: Found): boolean {
  const next = resource.slice(at + length).replace(/^\/+/, '')[0];
  if (next === undefined || next === '?') return true;
  return (next === '&' || next === ';') && resource.slice(0, at + length).includes('?');
}

function isSameResource(control: string, resource: string): boolean {
  const url = tryReadRtspUrl(control);
  return url !== undefined && trimSlashes(writeResource(url)) === trimSlashes(resource);
}

function writeResource({ path, query }: RtspUrl): string {
  return query === '' ? path : `${path}?${query}`;
}

function trimmed(resource: string): { readonly path: string; readonly query: string } {
  const { path, query } = cutQuery(resource);
  return { path: trimSlashes(path), query: trimSlashes(query) };
}

function trimSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}
