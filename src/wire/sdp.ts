import { isUtf8 } from 'node:buffer';
import { WireError } from '../model/errors.js';

/** Bytes of a whole description. */
export const MAX_SDP_BYTES = 64 * 1024;
/** Sections of media. */
export const MAX_SDP_MEDIA = 64;
/** Lines altogether: many candidates and codecs, and no more work than that. */
export const MAX_SDP_LINES = 4096;

/** The lines of one section, each `x=…` without its end; a media section starts with its `m=`. */
export type SdpLines = readonly string[];

/**
 * A session description as lines: nothing is understood that is not asked for, nothing is lost, nothing changes its place.
 * @see RFC 8866 §5
 */
export interface Sdp {
  readonly session: SdpLines;
  readonly media: readonly SdpLines[];
  /** UTF-8, or else ISO 8859-1, so that every byte comes out again as it went in. */
  readonly encoding: 'utf8' | 'latin1';
}

/** Where a line stands: the number of its media section from 0, or null in the session section. */
export type SdpPlace = number | null;

/**
 * Cuts a description into lines. Lines end with CRLF or LF; empty ones are left out (written by some at the end).
 *
 * `fragment: true` reads an SDP fragment, which does not start with `v=0` (trickle ICE, RFC 8840).
 * Throws WireError `sdp-too-long`, `sdp-too-many-lines`, `sdp-too-many-media`, `sdp-malformed` (a line that is not `x=…`, CR or NUL inside
 * of one), `sdp-version`.
 */
export function readSdp(bytes: Buffer, options: { readonly fragment?: boolean } = {}): Sdp {
  if (bytes.length > MAX_SDP_BYTES) throw new WireError('sdp-too-long', `at most ${MAX_SDP_BYTES} bytes`);
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const ended = bytes.toString(encoding).split('\n', MAX_SDP_LINES + 1);
  const lines = ended.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)).filter((line) => line !== '');
  if (ended.length > MAX_SDP_LINES) throw new WireError('sdp-too-many-lines', `at most ${MAX_SDP_LINES} lines`);
  if (!lines.every(isLine)) throw new WireError('sdp-malformed', 'lines of the form x=…');
  if (options.fragment !== true && lines[0] !== 'v=0') throw new WireError('sdp-version', 'v=0 in the first line');
  const { session, media } = cutSections(lines);
  if (media.length > MAX_SDP_MEDIA) throw new WireError('sdp-too-many-media', `at most ${MAX_SDP_MEDIA} m= lines`);
  return { session, media, encoding };
}

/**
 * Writes a description; every line ends with CRLF. Throws WireError `unwritable-sdp` for a line that is none and for an `m=` line
 * elsewhere than at the start of its section, so that nothing is slipped in.
 */
export function writeSdp({ session, media, encoding }: Sdp): Buffer {
  const lines = [...session, ...media.flat()];
  const starts = lines.filter((line) => line.startsWith('m='));
  const sectioned = starts.length === media.length && media.every((section) => section[0]?.startsWith('m='));
  if (!sectioned || !lines.every(isLine)) throw new WireError('unwritable-sdp', 'lines of the form x=…');
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), encoding);
}

/**
 * Goes through all lines in their order and puts what `edit` returns in the place of each: the same line, another, several, or
 * none (an empty list). What belongs to a media section stays in it, so an `m=` line can be changed but not removed.
 */
export function editLines(sdp: Sdp, edit: (line: string, place: SdpPlace) => string | readonly string[]): Sdp {
  const edited = (lines: SdpLines, place: SdpPlace) => lines.flatMap((line) => edit(line, place));
  return { ...sdp, session: edited(sdp.session, null), media: sdp.media.map(edited) };
}

/** The name of an `a=` line: `control` of `a=control:trackID=0`; undefined for a line of another type. */
export function attributeName(line: string): string | undefined {
  if (!line.startsWith('a=')) return undefined;
  const colon = line.indexOf(':');
  return colon < 0 ? line.slice(2) : line.slice(2, colon);
}

/** The value of an `a=` line, empty for a mere property. */
export function attributeValue(line: string): string {
  const colon = line.indexOf(':');
  return colon < 0 ? '' : line.slice(colon + 1);
}

/** All values of an attribute in one section; an attribute without a value gives an empty one. Names count in their exact case. */
export function readAttributes(lines: SdpLines, name: string): string[] {
  return lines.filter((line) => attributeName(line) === name).map(attributeValue);
}

/** The value of an attribute that holds for one media section: its own, or else the session's (OBS writes its ICE data there, W14). */
export function readAttribute(sdp: Sdp, place: SdpPlace, name: string): string | undefined {
  const own = place === null ? undefined : readAttributes(sdp.media[place] ?? [], name)[0];
  return own ?? readAttributes(sdp.session, name)[0];
}

/** The fields of an `m=` line. @see RFC 8866 §5.14 */
export interface MediaLine {
  /** `audio`, `video`, `application` … */
  readonly kind: string;
  /** As it came: `9`, `0`, `49170/2`. */
  readonly port: string;
  /** `RTP/AVP`, `UDP/TLS/RTP/SAVPF` … */
  readonly protocol: string;
  readonly formats: readonly string[];
}

/** Reads the `m=` line of a section. Throws WireError `sdp-malformed`. */
export function readMediaLine(lines: SdpLines): MediaLine {
  const [kind = '', port = '', protocol = '', ...formats] = (lines[0] ?? '').slice(2).split(/ +/);
  if (kind === '' || !/^\d{1,5}(?:\/\d{1,5})?$/.test(port) || protocol === '') {
    throw new WireError('sdp-malformed', 'm=KIND PORT PROTOCOL FORMATS');
  }
  return { kind, port, protocol, formats: formats.filter((format) => format !== '') };
}

// eslint-disable-next-line no-control-regex -- what must not stand inside of a line
const LINE = /^[A-Za-z]=[^\u0000\r\n]*$/;

function isLine(line: string): boolean {
  return LINE.test(line);
}

function cutSections(lines: SdpLines): { readonly session: SdpLines; readonly media: readonly SdpLines[] } {
  const starts = lines.flatMap((line, at) => (line.startsWith('m=') ? [at] : []));
  const media = starts.map((start, at) => lines.slice(start, starts[at + 1]));
  return { session: lines.slice(0, starts[0]), media };
}
