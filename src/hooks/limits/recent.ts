/** What is known of those who came last; whoever has not come for longest is forgotten first. */
export interface Recent<Value> {
  readonly size: number;
  get(key: string): Value | undefined;
  /** Makes it the latest. */
  put(key: string, value: Value): void;
  forget(key: string): void;
}

/** Makes a memory of at most `max` keys. */
export function createRecent<Value>(max: number): Recent<Value> {
  // A Map keeps the order in which keys came.
  const values = new Map<string, Value>();
  return {
    get size() {
      return values.size;
    },
    get: (key) => values.get(key),
    put(key, value) {
      values.delete(key);
      values.set(key, value);
      if (values.size <= max) return;
      for (const oldest of values.keys()) {
        values.delete(oldest);
        return;
      }
    },
    forget: (key) => void values.delete(key),
  };
}
