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

/**
 * As byRendezvous, with shares as the weights say; what weighs nothing comes last. One order for a key wherever it is asked.
 */
export function byWeight<T>(
  all: readonly T[],
  describe: (one: T) => { readonly name: string; readonly weight: number },
  key: string,
): readonly T[] {
  if (all.length < 2) return all;
  // The least of exponential times whose rates are the weights: the classical weighted rendezvous.
  const timed = all.map((one) => {
    const { name, weight } = describe(one);
    return { one, name, time: -Math.log(1 - shareOf(name, key)) / Math.max(weight, 1e-9) };
  });
  timed.sort((a, b) => a.time - b.time || compare(a.name, b.name));
  return timed.map(({ one }) => one);
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
