import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * A text that must not be seen: a token, a password, a key.
 *
 * Whatever prints it (template, JSON, inspect, console) gets `secret:` and a fingerprint of eight hex digits;
 * only `reveal()` gives the text, and it is called where a signature is checked or an origin must be told.
 */
export class Secret {
  readonly #text: string;

  /** Wraps `text`; do it on the line on which the text is cut out of bytes. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. Never pass it to a log, an error or a metric. */
  reveal(): string {
    return this.#text;
  }

  /** Length of the text in UTF-16 units; safe to log. */
  get length(): number {
    return this.#text.length;
  }

  /** Eight hex digits of SHA-256, to find one token again in a log without knowing it. */
  fingerprint(): string {
    return createHash('sha256').update(this.#text).digest('hex').slice(0, 8);
  }

  /** Compares in constant time (for texts of any length). */
  equals(other: Secret): boolean {
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(this.#text), digest(other.#text));
  }

  toString(): string {
    return `secret:${this.fingerprint()}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
