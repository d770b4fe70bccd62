import type { Secret } from '../../model/secret.js';

/** From here on a carrier is near the limits of clients: ffmpeg cuts path and query at 1023 bytes, OBS sends no key over 975. */
const LONG = 1000;
/** What ffmpeg has cut is this long, give or take the slash between app and name. */
const CUT_BY_FFMPEG = { from: 1020, to: 1023 } as const;

/**
 * What to tell the operator when a client has probably cut the token off, or lost it to a slash; undefined when nothing points to it.
 *
 * `name` is that of publish or play as received, with its query. A whole token only raises suspicion in a URL of the length
 * at which ffmpeg cuts.
 */
export function truncationHint(
  app: Secret,
  tcUrl: Secret | undefined,
  name: string | undefined,
  token: Secret | undefined,
): string | undefined {
  if (name !== undefined && /^[^?]*&(?:token|jwt|username|user|password|pass)=/.test(name)) {
    return 'the stream name holds parameters but no ?: a slash in a parameter has split the URL there, percent-encode it';
  }
  const parts = token?.reveal().split('.');
  if (token !== undefined && parts !== undefined && (parts.length !== 3 || parts.includes(''))) {
    const count = parts.filter((part) => part !== '').length;
    return `the token has ${count} of 3 parts in ${token.length} characters: it is no JWT, or the client has cut it off (ffmpeg cuts URLs at 1023 bytes)`;
  }
  const size = app.length + 1 + (name?.length ?? 0);
  const where = `app and stream name have ${size} characters`;
  if (token !== undefined) {
    return size >= CUT_BY_FFMPEG.from && size <= CUT_BY_FFMPEG.to
      ? `${where}, the length at which ffmpeg cuts URLs off: use a token of less than 800 characters`
      : undefined;
  }
  return Math.max(size, tcUrl?.length ?? 0) >= LONG
    ? `${where} but no usable token: clients cut long URLs off (ffmpeg at 1023 bytes), use a token of less than 800 characters`
    : undefined;
}
