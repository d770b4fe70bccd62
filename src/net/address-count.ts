import { networkOf } from '../wire/cidr.js';

/** Counts what is here at once from each address; an IPv6 /64 counts as one, since one client owns all of it. */
export interface AddressCount {
  /** What to call, once, when it is gone; undefined when `most` from there are here already. 0 is no limit. */
  enter(address: string, most: number): (() => void) | undefined;
}

/** Makes a count of nothing. */
export function createAddressCount(): AddressCount {
  const counts = new Map<string, number>();
  return {
    enter(address, most) {
      const key = networkOf(address);
      const here = counts.get(key) ?? 0;
      if (most > 0 && here >= most) return undefined;
      counts.set(key, here + 1);
      return () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      };
    },
  };
}
