import { WireError } from '../../../model/errors.js';
import { hasControl } from './head.js';

/** Tracks of one RTP-Info header. */
export const MAX_RTP_INFOS = 64;

/** Where a track starts: what a player needs to align its tracks. */
export interface RtpInfo {
  /** Absolute, or a control value, as the server wrote it. It must be ours before a client sees it. */
  readonly url: string;
  /** Sequence number of the first packet, 0–65535. */
  readonly seq?: number;
  /** RTP timestamp that belongs to the start of the range, unsigned 32 bit. */
  readonly rtpTime?: number;
}

/**
 * Reads an RTP-Info header. URLs may hold commas and semicolons, so the next track starts at `,url=`, and the URL ends at a
 * parameter's name. A number that cannot be one is left out: the header is a help, not a condition. Throws WireError
 * `too-many-parts`, and `rtp-info-invalid` when it holds no URL.
 * @see RFC 2326 §12.33
 */
export function readRtpInfo(value: string): RtpInfo[] {
  const entries = value.split(/,\s*(?=url\s*=)/i, MAX_RTP_INFOS + 1);
  if (entries.length > MAX_RTP_INFOS) throw new WireError('too-many-parts', `at most ${MAX_RTP_INFOS} tracks`);
  return entries.map(readEntry);
}

/** Writes an RTP-Info header. Throws WireError `unwritable-header` for a URL that holds spaces, quotes or control characters. */
export function writeRtpInfo(infos: readonly RtpInfo[]): string {
  return infos.map(writeEntry).join(',');
}

function readEntry(text: string): RtpInfo {
  const url = /^\s*url\s*=\s*(.*?)(?=;\s*(?:seq|rtptime|ssrc)\s*=|$)/is.exec(text);
  if (url === null) throw new WireError('rtp-info-invalid', 'url= for each track');
  const parameters = text.slice(url[0].length);
  const seq = readNumber(/;\s*seq\s*=\s*(\d{1,5})\s*(?:;|$)/i.exec(parameters), 0xffff);
  const rtpTime = readNumber(/;\s*rtptime\s*=\s*(\d{1,10})\s*(?:;|$)/i.exec(parameters), 0xffffffff);
  return {
    url: (url[1] as string).trim().replace(/^"(.*)"$/, '$1'),
    ...(seq !== undefined && { seq }),
    ...(rtpTime !== undefined && { rtpTime }),
  };
}

function readNumber(match: RegExpExecArray | null, max: number): number | undefined {
  const number = Number(match?.[1] ?? Infinity);
  return number <= max ? number : undefined;
}

function writeEntry({ url, seq, rtpTime }: RtpInfo): string {
  if (/[\s"]/.test(url) || hasControl(url)) throw new WireError('unwritable-header', 'a URL without spaces and quotes');
  const parameters = [
    ...(seq === undefined ? [] : [`seq=${seq}`]),
    ...(rtpTime === undefined ? [] : [`rtptime=${rtpTime}`]),
  ];
  return [`url=${url}`, ...parameters].join(';');
}
