import type { Clock } from '../model/clock.js';

/** What is looked at again and again. */
export interface Settling<T> {
  readonly clock: Clock;
  readonly everyMs: number;
  /** What is there now. Never throws: what cannot be read is a value too. */
  readonly look: () => T;
  /** Whether two looks saw the same. */
  readonly isSame: (one: T, other: T) => boolean;
  /** What is known of at first. */
  readonly first: T;
  /** Something new was there at two looks in a row: files are seldom written at one blow. */
  readonly onChange: (found: T) => void;
}

/** Looks until it is stopped, and tells of each change once. The function that comes back stops it; idempotent. */
export function watchUntilSettled<T>({ clock, everyMs, look, isSame, first, onChange }: Settling<T>): () => void {
  let known = first;
  let seen = first;
  let isStopped = false;
  let cancel = (): void => undefined;
  const again = (): void => {
    const found = look();
    const isSettled = isSame(seen, found);
    seen = found;
    if (isSettled && !isSame(known, found)) {
      known = found;
      onChange(found);
    }
    if (!isStopped) cancel = clock.after(everyMs, again);
  };
  cancel = clock.after(everyMs, again);
  return () => {
    isStopped = true;
    cancel();
  };
}

/** The bytes of a file; undefined when it cannot be read, as for a moment while it is replaced. */
export function bytesOrNothing(read: () => Buffer): Buffer | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Whether two looks at a file saw the same bytes, or both times none. */
export function isSameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
