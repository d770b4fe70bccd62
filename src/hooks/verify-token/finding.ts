import type { RejectionCode } from '../../model/rejection.js';

/** One rung of the ladder a token climbs: what was looked at, how it went, and by how much. */
export type Finding =
  | { readonly outcome: 'ok' | 'skipped'; readonly text: string }
  | { readonly outcome: 'failed'; readonly code: RejectionCode; readonly text: string };

/** A rung that held. */
export function passed(text: string): Finding {
  return { outcome: 'ok', text };
}

/** A rung that had nothing to look at. */
export function skipped(text: string): Finding {
  return { outcome: 'skipped', text };
}

/** A rung that broke, and the code it breaks with. */
export function failed(code: RejectionCode, text: string): Finding {
  return { outcome: 'failed', code, text };
}

/** Longest piece of a claim that a text shows, in UTF-16 units. */
const MAX_QUOTED = 64;

/** A claim's or header's value for a text: printable ASCII in quotes, cut; of anything but a string only its type. */
export function quote(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return `of type ${typeof value}`;
  const shown = value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value;
  return JSON.stringify(shown).replace(
    /[^\x20-\x7e…]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A span of seconds for a text, to the millisecond. */
export function span(seconds: number): string {
  return `${Math.round(seconds * 1000) / 1000} s`;
}
