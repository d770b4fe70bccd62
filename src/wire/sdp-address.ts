import { attributeName, editLines, type Sdp } from './sdp.js';

/** Attributes that tell where packets come from or go to; who has another hop before him has no use for them. */
const ADDRESS_ATTRIBUTES: ReadonlySet<string> = new Set(['rtcp', 'source-filter']);

/**
 * The same description with `address` in place of every address in `o=` and `c=` lines, and without the attributes that hold
 * one (`a=rtcp` keeps its port, `a=source-filter` is dropped). A literal address gives its own type (IP4, IP6); a multicast `c=`
 * loses its TTL, since the media no longer come that way.
 * @see RFC 8866 §5.2, §5.7, RFC 3605, RFC 4570
 */
export function replaceAddresses(sdp: Sdp, address: string): Sdp {
  const network = `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;
  return editLines(sdp, (line) => {
    if (line.startsWith('c=')) return `c=${network}`;
    if (line.startsWith('o=')) return replaceOrigin(line, network);
    const name = attributeName(line);
    if (name === undefined || !ADDRESS_ATTRIBUTES.has(name)) return line;
    return name === 'rtcp' ? (/^a=rtcp:\d+/.exec(line)?.[0] ?? []) : [];
  });
}

/** User name, session id and version stay: players tell a changed description by them. */
function replaceOrigin(line: string, network: string): string {
  const [user, id, version] = line.slice(2).split(/ +/);
  return `o=${user === undefined || user === '' ? '-' : user} ${id ?? '0'} ${version ?? '0'} ${network}`;
}
