import { attributeName, editLines, readAttributes, writeSdp, type Sdp } from '../../../wire/sdp.js';
import type { Description, IceCredentials } from './sdp-check.js';

/** What belongs to one hop of ICE and goes no further, in lower case. @see RFC 8839 §5, RFC 3605 */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  ...['candidate', 'end-of-candidates', 'remote-candidates', 'rtcp'],
  ...['ice-lite', 'ice-options', 'ice-pacing', 'ice-mismatch'],
]);

/**
 * The description as the other hop gets it: with credentials of ours and without candidates or addresses; all else, DTLS
 * included, stays as and where it was. Names are compared in any case, since some peers may read them so.
 */
export function editForOrigin({ sdp }: Description, ice: IceCredentials): string {
  return textOf(ownHop(sdp, ice));
}

/** The same for a client, which is told that we are ice-lite and where to find us. `candidates` are values of `a=candidate`, best first. */
export function editForClient(
  { sdp, transportSection }: Description,
  ice: IceCredentials,
  candidates: readonly string[],
): string {
  const { session, media, encoding } = ownHop(sdp, ice);
  const lines = [...candidates.map((value) => `a=candidate:${value}`), 'a=end-of-candidates'];
  return textOf({
    session: [...session, 'a=ice-lite'],
    media: media.map((section, at) => (at === transportSection ? [...section, ...lines] : section)),
    encoding,
  });
}

/** The first line and the mid of the section that owns the transport: what a fragment names it by. */
export function transportOf({ sdp, transportSection }: Description): { mediaLine: string; mid: string } {
  const lines = sdp.media[transportSection] ?? [];
  return { mediaLine: withoutPort(lines[0] ?? ''), mid: readAttributes(lines, 'mid')[0] ?? '0' };
}

function ownHop(sdp: Sdp, ice: IceCredentials): Sdp {
  return editLines(sdp, (line) => {
    if (line.startsWith('m=')) return withoutPort(line);
    if (line.startsWith('c=')) return 'c=IN IP4 0.0.0.0';
    const name = attributeName(line)?.trim().toLowerCase();
    if (name === undefined) return line;
    if (name === 'ice-ufrag') return `a=ice-ufrag:${ice.ufrag}`;
    if (name === 'ice-pwd') return `a=ice-pwd:${ice.pwd}`;
    return OF_ONE_HOP.has(name) ? [] : line;
  });
}

/** Port 9 stands for "see the candidates"; 0 means that a section is rejected or bundle-only, and stays. @see RFC 8840 §4.1.1 */
function withoutPort(line: string): string {
  return line.replace(/^(m=\S+ +)(?!0[ /])\d+(?:\/\d+)?/, (_, head: string) => `${head}9`);
}

function textOf(sdp: Sdp): string {
  return writeSdp(sdp).toString(sdp.encoding);
}
