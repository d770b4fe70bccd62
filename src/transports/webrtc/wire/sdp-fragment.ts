import { WireError } from '../../../model/errors.js';
import { attributeName, readAttributes, readSdp } from '../../../wire/sdp.js';
import { isPwd, isUfrag, type IceCredentials } from './sdp-check.js';

/** Media type of fragments. @see RFC 8840 §9 */
export const SDP_FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

/** What a client's fragment says. */
export interface IceFragment {
  /** Absent in fragments of some clients, which then mean what they said before. */
  readonly ice: IceCredentials | undefined;
  /** How many candidates there are, usable or not. */
  readonly candidates: number;
  readonly isLast: boolean;
}

/**
 * Reads the body of a PATCH. The first user name and password count, wherever they stand, since all sections are bundled.
 * Throws the WireErrors of `readSdp` and `sdp-fragment` (no attribute at all, or credentials that are none). @see RFC 8840 §9
 */
export function readFragment(text: string): IceFragment {
  const { session, media } = readSdp(Buffer.from(text, 'utf8'), { fragment: true });
  const lines = [...session, ...media.flat()];
  if (!lines.some((line) => attributeName(line) !== undefined)) {
    throw new WireError('sdp-fragment', 'attributes of ICE');
  }
  const [ufrag] = readAttributes(lines, 'ice-ufrag');
  const [pwd] = readAttributes(lines, 'ice-pwd');
  return {
    ice: ufrag === undefined && pwd === undefined ? undefined : credentials(ufrag ?? '', pwd ?? ''),
    candidates: readAttributes(lines, 'candidate').length,
    isLast: readAttributes(lines, 'end-of-candidates').length > 0,
  };
}

/** What a gateway's fragment says, in answer to an ICE restart. */
export interface FragmentAnswer {
  readonly ice: IceCredentials;
  /** The `m=` line and mid of the section that owns the transport. */
  readonly mediaLine: string;
  readonly mid: string;
  /** Values of `a=candidate`, best first. */
  readonly candidates: readonly string[];
}

/** Writes the answer to an ICE restart of an ice-lite side. Lines end with CRLF. @see RFC 9725 §4.4 */
export function writeFragment({ ice, mediaLine, mid, candidates }: FragmentAnswer): string {
  const lines = [
    'a=ice-lite',
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    mediaLine,
    `a=mid:${mid}`,
    ...candidates.map((value) => `a=candidate:${value}`),
    'a=end-of-candidates',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function credentials(ufrag: string, pwd: string): IceCredentials {
  if (!isUfrag(ufrag) || !isPwd(pwd)) throw new WireError('sdp-fragment', 'a=ice-ufrag and a=ice-pwd');
  return { ufrag, pwd };
}
