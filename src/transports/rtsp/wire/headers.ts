/** One header as it stands in a message. The value may be a credential: never print it. */
export type HeaderEntry = readonly [name: string, value: string];

/**
 * The headers of one message: names are found in any case, order and repetitions stay. It never changes; `with` and
 * `without` give new ones. Printed (JSON, inspect) it shows its names only, since values may be credentials.
 * @see RFC 2326 §4.2, RFC 9110 §5
 */
export class HeaderMap {
  readonly #entries: readonly HeaderEntry[];

  constructor(entries: Iterable<HeaderEntry> = []) {
    this.#entries = [...entries];
  }

  /** How many header lines there are. */
  get size(): number {
    return this.#entries.length;
  }

  /** The first value under this name. */
  get(name: string): string | undefined {
    return this.#entries.find(named(name))?.[1];
  }

  /** All values under this name, in their order. */
  all(name: string): string[] {
    return this.#entries.filter(named(name)).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#entries.some(named(name));
  }

  /** The same headers, and this one set to one value: where its first one stood, or at the end. */
  with(name: string, value: string): HeaderMap {
    const at = this.#entries.findIndex(named(name));
    if (at < 0) return new HeaderMap([...this.#entries, [name, value]]);
    const others = this.#entries.slice(at + 1).filter((entry) => !named(name)(entry));
    return new HeaderMap([...this.#entries.slice(0, at), [name, value], ...others]);
  }

  /** The same headers without those of these names. */
  without(...names: readonly string[]): HeaderMap {
    return new HeaderMap(this.#entries.filter((entry) => !names.some((name) => named(name)(entry))));
  }

  [Symbol.iterator](): Iterator<HeaderEntry> {
    return this.#entries[Symbol.iterator]();
  }

  toJSON(): string[] {
    return this.#entries.map(([name]) => name);
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `HeaderMap(${this.toJSON().join(', ')})`;
  }
}

function named(name: string): (entry: HeaderEntry) => boolean {
  const wanted = name.toLowerCase();
  return ([other]) => other.toLowerCase() === wanted;
}
