import type { Clock } from '../model/clock.js';

/** Most tokens that are remembered; beyond, one-time tokens are refused rather than let in twice. */
export const MAX_USED_TOKENS = 1_000_000;

/** Which one-time tokens have been used. */
export interface UsedTokens {
  /** Marks a token as used; false when it was already. `key` names issuer and id; `expiresAtS` is seconds since 1970. */
  readonly take: (key: string, expiresAtS: number) => boolean;
  /** It came to nothing: the token may be used again. */
  readonly giveBack: (key: string) => void;
}

/** Expired ones are looked for at most this often. */
const TIDY_MS = 60_000;

/**
 * Makes the memory of one-time tokens, for this node and this run. A token is remembered until it has expired everywhere:
 * `leewayS` (seconds) after its `exp`.
 */
export function createUsedTokens(clock: Clock, leewayS: () => number): UsedTokens {
  const until = new Map<string, number>();
  let tidiedAtMs = 0;
  const tidy = (): void => {
    const nowMs = clock.now();
    if (nowMs - tidiedAtMs < TIDY_MS && nowMs >= tidiedAtMs) return;
    tidiedAtMs = nowMs;
    for (const [key, untilMs] of until) if (untilMs < nowMs) until.delete(key);
  };
  return {
    take(key, expiresAtS) {
      tidy();
      if (until.has(key) || until.size >= MAX_USED_TOKENS) return false;
      until.set(key, (expiresAtS + leewayS()) * 1000);
      return true;
    },
    giveBack(key) {
      until.delete(key);
    },
  };
}
