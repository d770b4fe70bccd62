import type { RejectionCode } from '../model/rejection.js';
import type { Secret } from '../model/secret.js';
import type { Action, TransportName } from '../model/transport.js';

/** One session as the operator sees it. */
export interface SessionView {
  readonly id: string;
  readonly transport: TransportName;
  readonly secure: boolean;
  readonly action: Action;
  readonly path: string;
  readonly address: string;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
  readonly tokenId?: string | undefined;
  /** The token's fingerprint. */
  readonly token?: string | undefined;
  /** Seconds since 1970. */
  readonly expiresAtS?: number | undefined;
  readonly origin?: string | undefined;
  readonly isRunning: boolean;
  /** Milliseconds since 1970. */
  readonly askedAtMs: number;
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  readonly clientBytes: number;
  readonly originBytes: number;
}

/** Which sessions are meant: those that fit all that is named; nothing named means none. */
export interface SessionWish {
  readonly id?: string;
  readonly subject?: string;
  readonly tokenId?: string;
  readonly path?: string;
  /** An address, or a network such as `203.0.113.0/24`. */
  readonly address?: string;
}

/** One origin as the operator sees it. */
export interface OriginView {
  readonly name: string;
  readonly state: 'unknown' | 'up' | 'down';
  readonly isDrained: boolean;
  /** In a row. */
  readonly failures: number;
  readonly detail?: string | undefined;
  /** Viewers can ask it by WHEP. */
  readonly offersWhep: boolean;
}

/** What the page needs to show pictures of streams. */
export interface WallView {
  /** The watch page for a frame; a host of 0.0.0.0 or [::] means that of the dashboard. Absent: there is none. */
  readonly tileUrl?: string;
  /** Origins that may frame it. */
  readonly framedBy: readonly string[];
  /** How long the tokens it needs shall live; absent: the law reads none. */
  readonly tokenTtlSeconds?: number;
  /** Why there can be no pictures, in words for an operator. */
  readonly problem?: { readonly code: string; readonly text: string };
}

/** What is to be revoked; all that is named must fit a token. */
export interface RevocationWish {
  readonly tokenId?: string;
  readonly subject?: string;
  /** Seconds since 1970. */
  readonly issuedBeforeS?: number;
}

/** One revocation that holds. */
export interface RevocationView extends RevocationWish {
  readonly id: string;
  readonly source: 'file' | 'call';
  /** Seconds since 1970. */
  readonly addedAtS: number;
}

/** What became of a reload; lines are whole and without secrets. */
export type ReloadView =
  { readonly ok: true; readonly notes: readonly string[] } | { readonly ok: false; readonly faults: readonly string[] };

/** What a token shall say; an absent list is no limit in profile `red5`. */
export interface MintWish {
  readonly subject?: string;
  readonly roles?: readonly ('publisher' | 'subscriber')[];
  readonly transports?: readonly TransportName[];
  readonly rooms?: readonly string[];
  readonly ttlSeconds?: number;
  readonly tokenId?: string;
  /** Id of the key to sign with. */
  readonly key?: string;
}

/** A token, or why there is none. */
export type MintView =
  | { readonly ok: true; readonly token: Secret; readonly expiresAtS: number }
  | { readonly ok: false; readonly problem: string };

/** What is asked about a token. */
export interface WhyWish {
  readonly token: Secret;
  readonly action: Action;
  readonly transport: TransportName;
  readonly path: string;
}

/** What the gateway would answer to a token, rung by rung; or what is wrong with the question. */
export type WhyView =
  | {
      readonly ok: boolean;
      readonly code?: RejectionCode | undefined;
      readonly detail?: string | undefined;
      readonly steps: readonly { readonly name: string; readonly outcome: string; readonly text: string }[];
      readonly mistakes: readonly string[];
    }
  | { readonly problem: string };

/** What the windows look at and act on; the roof knows how. What is absent has no route. */
export interface AdminPorts {
  /** All metrics as text. */
  readonly render: () => string;
  /** Why the gateway takes no streams now, in a few words; undefined when it does. */
  readonly notReady: () => string | undefined;
  readonly sessions: () => readonly SessionView[];
  /** How many were meant. */
  readonly kick: (wish: SessionWish) => number;
  readonly origins: () => readonly OriginView[];
  /** False when there is none of that name. */
  readonly drainOrigin: (name: string, isDrained: boolean) => boolean;
  readonly revocations: {
    readonly list: () => readonly RevocationView[];
    /** With how many sessions it has ended. Undefined when the list is full. */
    readonly add: (wish: RevocationWish) => { readonly revocation: RevocationView; readonly ended: number } | undefined;
    /** False when no call added one of that id. */
    readonly remove: (id: string) => boolean;
  };
  /** The config that holds, secrets as fingerprints. */
  readonly config: () => unknown;
  readonly mint: (wish: MintWish) => MintView;
  readonly why: (wish: WhyWish) => WhyView;
  readonly reload?: (() => Promise<ReloadView>) | undefined;
  /** Begins to drain. */
  readonly drain?: (() => void) | undefined;
  /** Where the watch page of this gateway is; undefined: there is none. */
  readonly watchUrl: () => string | undefined;
  readonly wall: () => WallView;
}
