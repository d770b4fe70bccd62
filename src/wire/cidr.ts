import { isIP } from 'node:net';
import { WireError } from '../model/errors.js';

/** Most entries of one list of networks. */
export const MAX_NETWORKS = 4096;
/** Longest text that is looked at as an address: 45 characters, and the name of an interface behind `%`. */
const MAX_ADDRESS_LENGTH = 80;

/** An address in 32-bit words, most significant first: one word is IPv4, four are IPv6. */
export type AddressWords = readonly [number] | readonly [number, number, number, number];

/**
 * Reads an IP address; undefined for what is none. IPv4 in IPv6 (`::ffff:192.0.2.1`) is IPv4, an interface behind `%` is read
 * over.
 * @see RFC 4291 §2.2, §2.5.5.2
 */
export function readAddress(text: string): AddressWords | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  const family = isIP(text);
  if (family === 4) return [readV4(text)];
  if (family === 0) return undefined;
  const zone = text.indexOf('%');
  const words = readV6(zone < 0 ? text : text.slice(0, zone));
  const [first, second, third, last] = words;
  return first === 0 && second === 0 && third === 0xffff ? [last] : words;
}

function readV4(text: string): number {
  let word = 0;
  for (const part of text.split('.')) word = word * 256 + Number(part);
  return word;
}

/** `text` is known to be right. */
function readV6(text: string): readonly [number, number, number, number] {
  const [head = '', tail] = text.split('::', 2);
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  const word = (at: number): number => (groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0);
  return [word(0), word(2), word(4), word(6)];
}

function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const word = readV4(group);
    return [Math.floor(word / 0x10000), word % 0x10000];
  });
}

/**
 * The one text of an address: dotted, or lower case with the longest run of zeros left out.
 * @see RFC 5952 §4
 */
export function addressText(words: AddressWords): string {
  if (words.length === 1) return [24, 16, 8, 0].map((shift) => (words[0] >>> shift) & 0xff).join('.');
  const groups = words.flatMap((word) => [Math.floor(word / 0x10000), word % 0x10000]);
  let [from, length] = [0, 1];
  for (let at = 0; at < groups.length; at++) {
    let run = 0;
    while (groups[at + run] === 0) run++;
    if (run > length) [from, length] = [at, run];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return length === 1 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

/**
 * What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 one, since one client owns all of them. What is
 * no address stands for itself.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const words = readAddress(address);
  if (words === undefined) return address;
  return words.length === 1 ? addressText(words) : `${addressText([words[0], words[1], 0, 0])}/64`;
}

/** Addresses that begin alike. */
export interface Network {
  readonly words: AddressWords;
  /** How many bits count, from the first; of IPv4 at most 32. */
  readonly bits: number;
}

/**
 * Reads an address or a network such as `10.0.0.0/8`. Throws WireError `network-malformed`, and `network-host-bits` where bits
 * behind the counted ones are set, for then one of the two numbers is a slip.
 * @see RFC 4632 §3.1, RFC 4291 §2.3
 */
export function readNetwork(text: string): Network {
  const slash = text.indexOf('/');
  const written = slash < 0 ? text : text.slice(0, slash);
  const words = written.includes('%') ? undefined : readAddress(written);
  if (words === undefined) throw new WireError('network-malformed', 'an IP address, or a network such as 10.0.0.0/8');
  const full = words.length * 32;
  // IPv4 written as IPv6 counts its bits as IPv6.
  const unseen = words.length === 1 && written.includes(':') ? 96 : 0;
  const digits = slash < 0 ? String(full + unseen) : text.slice(slash + 1);
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) - unseen : -1;
  if (bits < 0 || bits > full) throw new WireError('network-malformed', `0 to ${full} bits`, slash + 1);
  if (keyOf(words, bits) !== keyOf(words, full)) {
    const meant = `${addressText(masked(words, bits))}/${bits}`;
    throw new WireError('network-host-bits', `nothing behind the first ${bits} bits, such as ${meant}`, slash + 1);
  }
  return { words, bits };
}

function masked(words: AddressWords, bits: number): AddressWords {
  const part = (word: number, at: number): number => {
    const left = Math.min(32, Math.max(0, bits - at * 32));
    return left === 0 ? 0 : (word & (-1 << (32 - left))) >>> 0;
  };
  if (words.length === 1) return [part(words[0], 0)];
  return [part(words[0], 0), part(words[1], 1), part(words[2], 2), part(words[3], 3)];
}

/** A number for IPv4 and a text for IPv6: the two can never be taken for each other. */
function keyOf(words: AddressWords, bits: number): number | string {
  const kept = masked(words, bits);
  return kept.length === 1 ? kept[0] : kept.join(',');
}

/** A list of networks that can be asked quickly, however long it is. */
export interface Networks {
  readonly size: number;
  /** The narrowest entry that holds the address, as it was written; undefined when none does, or for what is no address. */
  find(address: string): string | undefined;
  has(address: string): boolean;
}

/**
 * Makes a list of networks. IPv6 networks hold no IPv4 addresses, not even `::/0`. Throws WireError as readNetwork does, and
 * `networks-too-many` beyond 4096.
 */
export function createNetworks(entries: readonly string[]): Networks {
  if (entries.length > MAX_NETWORKS) throw new WireError('networks-too-many', `at most ${MAX_NETWORKS} networks`);
  // One table for each number of bits: asking takes as many look-ups as there are different numbers.
  const tables = new Map<number, Map<number | string, string>>();
  for (const entry of entries) {
    const { words, bits } = readNetwork(entry);
    const table = tables.get(bits) ?? new Map<number | string, string>();
    tables.set(bits, table.set(keyOf(words, bits), entry));
  }
  const sorted = [...tables].sort(([a], [b]) => b - a);
  const find = (address: string): string | undefined => {
    if (sorted.length === 0) return undefined;
    const words = readAddress(address);
    if (words === undefined) return undefined;
    const full = words.length * 32;
    for (const [bits, table] of sorted) {
      const entry = bits > full ? undefined : table.get(keyOf(words, bits));
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  return { size: entries.length, find, has: (address) => find(address) !== undefined };
}

/**
 * Makes what says of addresses whether `text` means them: an address, however it is written, or a network. An interface behind
 * `%` means the address at this interface alone. Throws WireError as readNetwork does.
 */
export function addressMatcher(text: string): (address: string) => boolean {
  if (text.includes('%') && readAddress(text) !== undefined) {
    const wanted = text.toLowerCase();
    return (address) => address.toLowerCase() === wanted;
  }
  const networks = createNetworks([text]);
  return (address) => networks.has(address);
}
