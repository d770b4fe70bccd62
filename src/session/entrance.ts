import type { Identity } from '../model/identity.js';
import { reject, type Rejection } from '../model/rejection.js';
import type { Entrant, Quota } from './quota.js';

/** What is known of tokens beyond what stands in them. */
export interface TokenMemory {
  /** Why a token is revoked; undefined when it is not. */
  readonly whyRevoked: (identity: Identity) => string | undefined;
  /** Marks a token as used; false when it was already. */
  readonly take: (key: string, expiresAtS: number) => boolean;
  /** The use came to nothing. */
  readonly giveBack: (key: string) => void;
}

/** Where nothing is known of any token. */
export const NO_MEMORY: TokenMemory = {
  whyRevoked: () => undefined,
  take: () => true,
  giveBack: () => undefined,
};

/** What an entrance is kept by. */
export interface EntranceDeps {
  readonly quota: Quota;
  readonly tokens: TokenMemory;
  /** A token opens one stream only. */
  readonly isOneTime: () => boolean;
}

/** Someone who was let in. */
export interface Entry {
  /** Gives back what was counted; idempotent. `hasRun`: a one-time token is used up. */
  readonly leave: (hasRun: boolean) => void;
}

/**
 * Whether the gateway's own memory lets someone in whom the law has let in. Codes: `token-revoked` (revoked while it was being
 * decided, or used before) and `limit-connections`. `leaving` makes room.
 */
export function enter(
  { quota, tokens, isOneTime }: EntranceDeps,
  who: Entrant,
  identity: Identity | undefined,
  leaving?: Entrant,
): Entry | Rejection {
  // What a hook says of a client without a token is no token's to revoke or to use up.
  const shown = who.request.credential === undefined ? undefined : identity;
  const why = shown && tokens.whyRevoked(shown);
  if (why !== undefined) return reject('token-revoked', why);
  const exit = quota.enter(who, leaving);
  if (typeof exit !== 'function') return exit;
  const use = isOneTime() && shown !== undefined ? takeOnce(tokens, shown) : undefined;
  if (use !== undefined && typeof use !== 'function') {
    exit();
    return use;
  }
  return {
    leave: (hasRun) => {
      exit();
      if (!hasRun) use?.();
    },
  };
}

/** What gives the use back, or `token-revoked`. */
function takeOnce(tokens: TokenMemory, { issuer = '', tokenId, expiresAtS }: Identity): (() => void) | Rejection {
  if (tokenId === undefined)
    return reject('token-revoked', 'tokens open one stream only, and this one has no jti to know it by');
  const key = JSON.stringify([issuer, tokenId]);
  if (!tokens.take(key, expiresAtS))
    return reject('token-revoked', 'the token has opened a stream before, and opens only one');
  let isGivenBack = false;
  return () => {
    if (!isGivenBack) tokens.giveBack(key);
    isGivenBack = true;
  };
}
