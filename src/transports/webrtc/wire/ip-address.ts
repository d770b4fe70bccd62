import { isIPv4, isIPv6 } from 'node:net';

/**
 * The 4 or 16 bytes of an IP address; undefined for a text that is none. A zone (`fe80::1%eth0`) is left out.
 * `::ffff:192.0.2.1` gives 16 bytes.
 */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address)) return undefined;
  const [withoutZone = ''] = address.split('%');
  const [head = '', tail] = withoutZone.split('::');
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(16 - before.length - after.length).fill(0);
  return Buffer.from([...before, ...zeros, ...after]);
}

/** An address of 4 or 16 bytes as text, in the one form that the system gives too. @see RFC 5952 §4 */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const parts = Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  const text = parts.join(':');
  const runs = text.match(/(?<![^:])0(?::0)+(?![^:])/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const at = text.search(new RegExp(`(?<![^:])${longest}(?![^:])`));
  const head = text.slice(0, at).replace(/:$/, '');
  const tail = text.slice(at + longest.length).replace(/^:/, '');
  return `${head}::${tail}`;
}

/** The bytes of `2001:db8` or `ffff:192.0.2.1`. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
