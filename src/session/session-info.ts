import { WireError } from '../model/errors.js';
import type { ConnectionRequest } from '../model/request.js';
import { addressMatcher } from '../wire/cidr.js';

/** One session, for lists. */
export interface SessionInfo {
  readonly id: string;
  readonly transport: ConnectionRequest['transport'];
  readonly secure: boolean;
  readonly action: ConnectionRequest['action'];
  readonly path: string;
  readonly address: string;
  readonly subject: string | undefined;
  readonly issuer: string | undefined;
  readonly tokenId: string | undefined;
  /** The token's fingerprint; undefined where none was shown. */
  readonly token: string | undefined;
  /** Seconds since 1970; undefined where there is no token. */
  readonly expiresAtS: number | undefined;
  /** Name of the origin; undefined until one has been chosen. */
  readonly origin: string | undefined;
  readonly isRunning: boolean;
  /** Since 1970. */
  readonly askedAtMs: number;
  /** When it was confirmed, since 1970; undefined before. */
  readonly sinceMs: number | undefined;
  readonly clientBytes: number;
  readonly originBytes: number;
}

/** Which sessions are meant: those that fit all that is named. One that names nothing means none. */
export interface SessionFilter {
  readonly id?: string | undefined;
  readonly subject?: string | undefined;
  readonly tokenId?: string | undefined;
  /** `app[/room…]/name`, exact. */
  readonly path?: string | undefined;
  /** An address, or a network such as `203.0.113.0/24`. */
  readonly address?: string | undefined;
}

/** Makes what says of sessions whether they are meant. Nobody is by an address or network that is none. */
export function sessionsMeant(filter: SessionFilter): (info: SessionInfo) => boolean {
  const wanted = (['id', 'subject', 'tokenId', 'path'] as const).filter((key) => filter[key] !== undefined);
  const isFrom = filter.address === undefined ? undefined : matcherOf(filter.address);
  if (wanted.length === 0 && isFrom === undefined) return () => false;
  return (info) => wanted.every((key) => info[key] === filter[key]) && (isFrom?.(info.address) ?? true);
}

function matcherOf(address: string): (address: string) => boolean {
  try {
    return addressMatcher(address);
  } catch (error) {
    if (error instanceof WireError) return () => false;
    throw error;
  }
}
