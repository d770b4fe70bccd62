import type { Clock } from '../model/clock.js';
import { networkOf, readAddress } from '../wire/cidr.js';

/** Wrong tokens are counted for so long, from the first of them on. */
export const ATTEMPTS_SPAN_MS = 60_000;

/** Most addresses that are remembered. Whoever has more than that to come from is slowed by nothing that counts addresses. */
export const MAX_ADDRESSES = 10_000;

/** How wrong tokens are counted, as the config in force says. */
export interface AttemptRules {
  /** After how many within a minute an address waits; 0: it never does. */
  readonly failuresPerAddress: number;
  /** Proxies, behind which there are many: one who guesses there must not shut the others out. */
  readonly isShared: (address: string) => boolean;
}

/** Who has shown how many wrong tokens of late. What comes by `isOddName`, a name that is none of ours, is counted apart. */
export interface Attempts {
  /** How long nothing from this address is looked at; 0: it may try. */
  waitMs(address: string, isOddName?: boolean): number;
  failed(address: string, isOddName?: boolean): void;
  readonly size: number;
}

/**
 * Makes the count. An address counts together with what its owner has for the asking: an IPv6 /64, and all of loopback. Loopback
 * is not let off: a page or a program on this machine can guess as well as anybody.
 */
export function createAttempts(clock: Pick<Clock, 'now'>, rules: () => AttemptRules): Attempts {
  // In the order in which their minutes began, so that the first is the oldest.
  const records = new Map<string, { readonly sinceMs: number; count: number }>();
  const find = (key: string, nowMs: number) => {
    const record = records.get(key);
    if (record === undefined) return undefined;
    // A clock that was set back holds nobody for longer.
    if (nowMs >= record.sinceMs && nowMs - record.sinceMs < ATTEMPTS_SPAN_MS) return record;
    records.delete(key);
    return undefined;
  };
  return {
    get size() {
      return records.size;
    },
    waitMs(address, isOddName = false) {
      const { failuresPerAddress, isShared } = rules();
      if (failuresPerAddress === 0 || isShared(address)) return 0;
      const nowMs = clock.now();
      const record = find(keyOf(address, isOddName), nowMs);
      if (record === undefined || record.count < failuresPerAddress) return 0;
      return record.sinceMs + ATTEMPTS_SPAN_MS - nowMs;
    },
    failed(address, isOddName = false) {
      const nowMs = clock.now();
      const key = keyOf(address, isOddName);
      const record = find(key, nowMs);
      if (record !== undefined) record.count += 1;
      else records.set(key, { sinceMs: nowMs, count: 1 });
      if (records.size <= MAX_ADDRESSES) return;
      for (const oldest of records.keys()) {
        records.delete(oldest);
        return;
      }
    },
  };
}

function keyOf(address: string, isOddName: boolean): string {
  return isOddName ? `${ownerOf(address)} by an odd name` : ownerOf(address);
}

function ownerOf(address: string): string {
  const words = readAddress(address);
  const isLoopback =
    words?.length === 1 ? words[0] >>> 24 === 127 : words?.every((word, at) => word === (at === 3 ? 1 : 0)) === true;
  return isLoopback ? 'loopback' : networkOf(address);
}
