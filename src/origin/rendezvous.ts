import { createHash } from 'node:crypto';

/**
 * Sorts by rendezvous hashing, the best first: the same order for a key wherever it is asked, and who is lost moves only its
 * own keys. `nameOf` must tell all apart.
 */
export function byRendezvous<T>(all: readonly T[], nameOf: (one: T) => string, key: string): readonly T[] {
  if (all.length < 2) return all;
  const weighed = all.map((one) => ({ one, name: nameOf(one), weight: hashOf(nameOf(one), key) }));
  weighed.sort((a, b) => compare(b.weight, a.weight) || compare(a.name, b.name));
  return weighed.map(({ one }) => one);
}

/** A number from 0 up to, but not, 1 that looks random and is always the same for a name and a key. */
export function shareOf(name: string, key: string): number {
  return Number(hashOf(name, key) >> 11n) / 2 ** 53;
}

function hashOf(name: string, key: string): bigint {
  return createHash('sha256').update(`${name}\0${key}`).digest().readBigUInt64BE();
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
