import { WireError } from '../../model/errors.js';
import type { HeaderEntry, HeaderMap } from './wire/headers.js';
import { readRange, writeRange } from './wire/range.js';
import { readRtpInfo, writeRtpInfo, type RtpInfo } from './wire/rtp-info.js';

/** `1`, `-2.5`: what Scale and Speed may say. */
const NUMBER = /^-?\d{1,6}(?:\.\d{1,6})?$/;

/** What of a PLAY, PAUSE or RECORD passes to the other leg, or of its answer back: times and speeds, read and written anew. */
export function passingHeaders(headers: HeaderMap): HeaderEntry[] {
  const passing: HeaderEntry[] = [];
  const range = headers.get('Range');
  if (range !== undefined) {
    const rewritten = tolerant(() => writeRange(readRange(range)));
    if (rewritten !== undefined) passing.push(['Range', rewritten]);
  }
  for (const name of ['Scale', 'Speed']) {
    const value = headers.get(name);
    if (value !== undefined && NUMBER.test(value)) passing.push([name, value]);
  }
  return passing;
}

/** The RTP-Info of an answer with the client's URLs in place of the origin's; none if a track cannot be told. */
export function passingRtpInfo(
  headers: HeaderMap,
  tracks: { readonly origin: readonly string[]; readonly client: readonly string[] },
): HeaderEntry[] {
  const value = headers.get('RTP-Info');
  if (value === undefined) return [];
  const infos = tolerant(() => readRtpInfo(value)) ?? [];
  const ours = infos.flatMap((info, at): RtpInfo[] => {
    const index = trackOf(info.url, tracks.origin, infos.length === 1 ? undefined : at);
    const url = index === undefined ? undefined : tracks.client[index];
    return url === undefined ? [] : [{ ...info, url }];
  });
  const rewritten = ours.length === 0 ? undefined : tolerant(() => writeRtpInfo(ours));
  return rewritten === undefined ? [] : [['RTP-Info', rewritten]];
}

/** By its whole URL, else by the end of it, else by its place. */
function trackOf(url: string, origin: readonly string[], place: number | undefined): number | undefined {
  const trimmed = url.replace(/\/+$/, '');
  const whole = origin.findIndex((one) => one === trimmed);
  if (whole >= 0) return whole;
  const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
  const byName = origin.findIndex((one) => name !== '' && one.slice(one.lastIndexOf('/') + 1) === name);
  return byName >= 0 ? byName : origin.length === 1 ? 0 : place;
}

function tolerant<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
