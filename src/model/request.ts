import type { Secret } from './secret.js';
import type { Action, TransportName } from './transport.js';

/**
 * Which stream is meant, canonical and already checked (see `wire/stream-path`): `app[/room…]/name`.
 * `room` is all between app and name joined by `/`, or null for a stream at the root of its app.
 * At `connect` the name is null, and `room` is only as much as the connection has told so far.
 */
export interface StreamTarget {
  readonly app: string;
  readonly room: string | null;
  readonly name: string | null;
}

/** Where in the client's bytes the token stood. */
export type Carrier = 'amf-arguments' | 'app-query' | 'tcurl-query' | 'name-query' | 'url-query' | 'bearer' | 'basic';

/** What a client has shown to be let in. */
export interface Credential {
  readonly token: Secret;
  readonly carrier: Carrier;
  /** Optional beside the token; Red5 wants it present towards itself. */
  readonly username?: string;
  readonly password?: Secret;
}

/** A login that came without a token; only hooks that ask others look at it. */
export interface Account {
  readonly username?: string;
  readonly password?: Secret;
}

/** One question to the law. Frozen; the same record for all four transports. */
export interface ConnectionRequest {
  readonly sessionId: string;
  readonly action: Action;
  readonly transport: TransportName;
  /** The client's leg is inside TLS. */
  readonly secure: boolean;
  /** IP address of the client, without port. */
  readonly remoteAddress: string;
  readonly target: StreamTarget;
  readonly credential?: Credential;
  /** Only where no token came. */
  readonly account?: Account;
}

/** `app[/room…]/name` of a target; of a connect request what is known of it. */
export function pathOf(target: StreamTarget): string {
  return [target.app, target.room, target.name].filter((part) => part !== null).join('/');
}
