import { isIP } from 'node:net';
import { ipBytes, ipText } from './ip-address.js';

/** A candidate that can be used from here: UDP, component 1 (RTCP is muxed), an address rather than a name. */
export interface IceCandidate {
  /** In the form in which the system names senders. */
  readonly host: string;
  readonly port: number;
  /** Higher is better, unsigned 32 bit. */
  readonly priority: number;
}

const CANDIDATE = /^(?:candidate:)?\S+ (\d{1,3}) (\S+) (\d{1,10}) (\S+) (\d{1,5}) typ \S+/i;

/**
 * Reads the value of `a=candidate`. Undefined for what cannot be used: TCP, another component, names (`….local` is never
 * looked up), addresses that are nobody's, and what is no candidate at all. @see RFC 8839 §5.1
 */
export function readCandidate(value: string): IceCandidate | undefined {
  const [, component, transport, priority, host, port] = CANDIDATE.exec(value) ?? [];
  if (component === undefined || host === undefined || transport?.toLowerCase() !== 'udp') return undefined;
  const candidate = { host, port: Number(port), priority: Number(priority) };
  const isUsable = Number(component) === 1 && candidate.port > 0 && candidate.port < 65536 && isUnicast(host);
  const bytes = ipBytes(host);
  if (!isUsable || bytes === undefined || candidate.priority >= 2 ** 32) return undefined;
  return { ...candidate, host: ipText(bytes) };
}

/** Type preference of host candidates. @see RFC 8445 §5.1.2.2 */
const HOST_PREFERENCE = 126;

/**
 * Writes the value of `a=candidate` for an address of ours; `rank` counts from 0, the best. The first has priority 2130706431.
 * @see RFC 8445 §5.1.2.1
 */
export function writeHostCandidate(host: string, port: number, rank: number): string {
  const priority = HOST_PREFERENCE * 2 ** 24 + (65535 - rank) * 2 ** 8 + 255;
  return `${rank + 1} 1 udp ${priority} ${host} ${port} typ host`;
}

/** Priority of our checks towards an origin: a peer-reflexive candidate with the best local preference. @see RFC 8445 §7.1.1 */
export const PEER_REFLEXIVE_PRIORITY = 110 * 2 ** 24 + 65535 * 2 ** 8 + 255;

/** Whether a text is an address that one host can have: not `0.0.0.0`, `::`, multicast or broadcast. */
export function isUnicast(host: string): boolean {
  if (isIP(host) === 0 || host.includes('%')) return false;
  const bytes = ipBytes(host);
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return false;
  const first = bytes[0] ?? 0;
  return bytes.length === 4 ? first !== 0 && first < 224 : first !== 0xff;
}
