import type { ConnectionRequest } from '../model/request.js';

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
  /** Exact, without brackets. */
  readonly address?: string | undefined;
}

/** Whether a session is meant. An IPv4 address is the same when it is written as a mapped IPv6 one. */
export function isMeant(info: SessionInfo, filter: SessionFilter): boolean {
  const wanted = (['id', 'subject', 'tokenId', 'path', 'address'] as const).filter((key) => filter[key] !== undefined);
  return (
    wanted.length > 0 &&
    wanted.every((key) =>
      key === 'address' ? plainAddress(info.address) === plainAddress(filter.address ?? '') : info[key] === filter[key],
    )
  );
}

function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
}
