import type { TransportName } from './transport.js';

/** Who a verified token says the client is, and what it may do. An absent set is no limit (profile `red5`). */
export interface Identity {
  readonly subject?: string;
  readonly issuer?: string;
  readonly tokenId?: string;
  /** Seconds since 1970. */
  readonly expiresAtS: number;
  /** Seconds since 1970; absent where the token does not say. */
  readonly issuedAtS?: number;
  /** Highest bit rate it may publish with, kbit/s. */
  readonly maxKbps?: number;
  readonly roles?: ReadonlySet<Role>;
  readonly transports?: ReadonlySet<TransportName>;
  readonly rooms?: ReadonlySet<string>;
}

/** The two roles of the `roles` claim; other words in the claim are ignored. */
export type Role = 'red5-publisher' | 'red5-subscriber';
