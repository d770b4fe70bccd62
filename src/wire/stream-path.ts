import type { StreamTarget } from '../model/request.js';

/** Segments of one path: app, rooms and name. */
export const MAX_PATH_SEGMENTS = 16;
/** Bytes of a whole path in UTF-8, decoded, slashes included. */
export const MAX_PATH_BYTES = 1024;
/** Percent-encoding makes three bytes out of one: longer than this cannot fit once decoded, and is not looked at. */
const MAX_ENCODED_BYTES = 3 * MAX_PATH_BYTES;

/** A canonical target, or what is wrong with the path: for the log, without any text of the client's. */
export type PathResult =
  { readonly ok: true; readonly target: StreamTarget } | { readonly ok: false; readonly detail: string };

/**
 * Brings the path of a stream, `app[/room…]/name`, into the one form that rules and origins see. The query is cut off already.
 *
 * Slashes at the end and one at the start are dropped; each segment is percent-decoded once. Refused are: less than app and
 * name; empty, `.` and `..` segments; broken or double percent-encoding; a slash, backslash, `?`, `#`, `;`, control character
 * or lone surrogate inside a segment; more than 16 segments or 1024 bytes. Case and Unicode form stay: two spellings are two
 * streams.
 * @see RFC 3986 §2.1
 * @example normaliseStreamPath('/live/room1/cam/') // target { app: 'live', room: 'room1', name: 'cam' }
 */
export function normaliseStreamPath(path: string): PathResult {
  const read = readSegments(path);
  if (!read.ok) return read;
  const [app, ...behind] = read.segments;
  const name = behind.pop();
  if (app === undefined || name === undefined) {
    return { ok: false, detail: 'a stream path has the form app[/room…]/name; here is only one segment or none' };
  }
  return { ok: true, target: { app, room: joined(behind), name } };
}

/**
 * Brings the part of a path that a connect tells, `app[/room…]`, into canonical form, by the rules of normaliseStreamPath.
 * The name is null; a path that says nothing gives an empty app.
 */
export function normalisePartialPath(path: string): PathResult {
  const read = readSegments(path);
  if (!read.ok) return read;
  const [app = '', ...rooms] = read.segments;
  return { ok: true, target: { app, room: joined(rooms), name: null } };
}

/** Drops all slashes at the end of a path and one at its start. */
export function trimSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end -= 1;
  return path.slice(path.startsWith('/') && end > 0 ? 1 : 0, end);
}

type Segments =
  { readonly ok: true; readonly segments: readonly string[] } | { readonly ok: false; readonly detail: string };

function readSegments(path: string): Segments {
  const trimmed = trimSlashes(path);
  if (trimmed === '') return { ok: true, segments: [] };
  if (Buffer.byteLength(trimmed) > MAX_ENCODED_BYTES) return tooLong();
  const raw = trimmed.split('/');
  if (raw.length > MAX_PATH_SEGMENTS) {
    return { ok: false, detail: `the path has more than ${MAX_PATH_SEGMENTS} segments` };
  }
  const segments: string[] = [];
  for (const encoded of raw) {
    const { segment, fault } = readSegment(encoded);
    if (fault !== undefined) return { ok: false, detail: `segment ${segments.length + 1} ${fault}` };
    segments.push(segment);
  }
  return Buffer.byteLength(segments.join('/')) > MAX_PATH_BYTES ? tooLong() : { ok: true, segments };
}

function tooLong(): Segments {
  return { ok: false, detail: `the path is longer than ${MAX_PATH_BYTES} bytes` };
}

const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'is empty'],
  [/^\.\.?$/, 'is a dot segment'],
  [/\//, 'holds an encoded slash'],
  [/\\/, 'holds a backslash'],
  [/\p{Cc}/u, 'holds a control character'],
  [/\p{Cs}/u, 'holds a lone surrogate'],
  [/[?#;]/, 'holds one of ? # ;'],
  // An origin that decodes once more would see another path than the rules did.
  [/%[0-9a-f]{2}/i, 'is percent-encoded twice'],
];

function readSegment(encoded: string): { readonly segment: string; readonly fault: string | undefined } {
  try {
    const segment = decodeURIComponent(encoded);
    return { segment, fault: FAULTS.find(([pattern]) => pattern.test(segment))?.[1] };
  } catch {
    // A `%` that starts no byte, or bytes that are not UTF-8 (overlong forms and surrogates included).
    return { segment: '', fault: 'has broken percent-encoding' };
  }
}

function joined(rooms: readonly string[]): string | null {
  return rooms.length === 0 ? null : rooms.join('/');
}
