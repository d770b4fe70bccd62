import { isIP } from 'node:net';
import { addressText, readAddress } from './cidr.js';

/** Most proxies of ours that are looked through, one behind the other. */
export const MAX_HOPS = 32;

/** Which header the proxies set. A client can send the other one, so only one is believed. */
export type ForwardedHeader = 'x-forwarded-for' | 'forwarded';

/** What a trusted proxy has told of a request. */
export interface Forwarded {
  /** Canonical; the peer's own where nobody tells another. */
  readonly address: string;
  /** What the client named in its request, not checked. */
  readonly host?: string;
  /** How the client came to the first proxy, not checked. */
  readonly proto?: string;
}

/** One entry of the list; without `address` where it was not told. */
type Hop = Partial<Forwarded>;

/** Finds a header by its lower-case name; values of several lines are joined by commas. */
export type FindHeader = (name: string) => string | undefined;

/**
 * Who has sent a request, as told by proxies: from the last entry back, each was written by the one before it, so the first
 * that is no trusted proxy is the client. Everything before it was sent by the client and means nothing. Where a proxy tells no
 * address (`unknown`, a hidden name, nonsense), the request counts as that proxy's own. `peer`: who has opened the connection;
 * what a peer sends that is no trusted proxy is not looked at.
 * @see RFC 7239 §4, §5
 */
export function readForwarded(
  header: ForwardedHeader,
  find: FindHeader,
  peer: string,
  isTrusted: (address: string) => boolean,
): Forwarded {
  let last: Forwarded = { address: peer };
  if (!isTrusted(peer)) return last;
  const hops = header === 'forwarded' ? elementsOf(find('forwarded') ?? '') : addressesOf(find);
  let seen = 0;
  for (const hop of hops) {
    if (hop.address === undefined || ++seen > MAX_HOPS) break;
    last = { ...hop, address: hop.address };
    if (!isTrusted(hop.address)) break;
  }
  return last;
}

/** Entries of `X-Forwarded-For`, the last first; scheme and host stand in headers of their own, for the first proxy. */
function* addressesOf(find: FindHeader): Generator<Hop> {
  const [proto, host] = [firstOf(find('x-forwarded-proto')), firstOf(find('x-forwarded-host'))];
  const more = { ...(proto !== undefined && { proto: proto.toLowerCase() }), ...(host !== undefined && { host }) };
  let rest = find('x-forwarded-for');
  while (rest !== undefined) {
    const comma = rest.lastIndexOf(',');
    const address = nodeAddress(rest.slice(comma + 1).trim());
    yield { ...more, ...(address !== undefined && { address }) };
    rest = comma < 0 ? undefined : rest.slice(0, comma);
  }
}

function firstOf(value: string | undefined): string | undefined {
  const first = value?.split(',', 1)[0]?.trim();
  return first === '' ? undefined : first;
}

const TOKEN = String.raw`[!#$%&'*+.^_\x60|~0-9A-Za-z-]+`;
const QUOTED = String.raw`"(?:[^"\\\x00-\x1f\x7f]|\\[\t\x20-\x7e])*"`;
const ELEMENT = new RegExp(`^[ \\t]*(?:${TOKEN}=(?:${TOKEN}|${QUOTED})(?:[ \\t]*;[ \\t]*|[ \\t]*$))+$`);
const PAIR = new RegExp(`(${TOKEN})=(?:(${TOKEN})|(${QUOTED}))`, 'g');

/**
 * Elements of `Forwarded`, the last first. Read from the end, so that a quote which a client has left open takes nothing of what
 * our proxies have written behind it.
 */
function* elementsOf(value: string): Generator<Hop> {
  let end = value.length;
  let comma = value.lastIndexOf(',', end - 1);
  let tries = 0;
  while (end > 0 && tries++ < 4 * MAX_HOPS) {
    const text = value.slice(comma + 1, end);
    const isWhole = ELEMENT.test(text);
    if (isWhole || text.trim() === '') {
      if (isWhole) yield hopOf(text);
      if (comma < 0) return;
      end = comma;
    } else if (comma < 0) {
      yield {};
      return;
    }
    comma = comma === 0 ? -1 : value.lastIndexOf(',', comma - 1);
  }
}

function hopOf(element: string): Hop {
  const found = new Map<string, string>();
  for (const [, name = '', token, quoted] of element.matchAll(PAIR)) {
    const key = name.toLowerCase();
    // Twice the same name is not allowed: then it says nothing.
    if (found.has(key)) return {};
    found.set(key, token ?? quoted?.slice(1, -1).replace(/\\(.)/g, '$1') ?? '');
  }
  const address = nodeAddress(found.get('for') ?? '');
  const [proto, host] = [found.get('proto')?.toLowerCase(), found.get('host')];
  return {
    ...(address !== undefined && { address }),
    ...(proto !== undefined && { proto }),
    ...(host !== undefined && { host }),
  };
}

const WITH_PORT = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::(?:\d{1,5}|_[A-Za-z0-9._-]{1,64}))?$/;

/** The address of `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80` or `2001:db8::1`; undefined for anything else. */
function nodeAddress(node: string): string | undefined {
  const [, v6, v4] = WITH_PORT.exec(node) ?? [];
  const bare = v6 ?? v4 ?? node;
  if (bare.length > 45 || bare.includes('%')) return undefined;
  if (v6 !== undefined && isIP(v6) !== 6) return undefined;
  const words = readAddress(bare);
  return words && addressText(words);
}
