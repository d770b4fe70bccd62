import { WireError } from '../../../model/errors.js';
import { hasControl } from './head.js';

/**
 * Cuts a header's value at every `separator` that stands outside of quotes, and trims the pieces; empty ones are left out.
 * A quote that is never closed reaches to the end. Throws WireError `too-many-parts`.
 */
export function splitOutsideQuotes(text: string, separator: ',' | ';', maxParts: number): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= text.length; at += 1) {
    const letter = text[at];
    if (quoted && letter === '\\') at += 1;
    else if (letter === '"') quoted = !quoted;
    if (at < text.length && (quoted || letter !== separator)) continue;
    const part = text.slice(start, at).trim();
    start = at + 1;
    if (part === '') continue;
    if (parts.length === maxParts) throw new WireError('too-many-parts', `at most ${maxParts} parts in a header`);
    parts.push(part);
  }
  return parts;
}

/** `name=value` cut at its first `=`, blanks around both left out, the value without its quotes; undefined for a bare word. */
export function readParameter(part: string): { readonly name: string; readonly value: string | undefined } {
  const equals = part.indexOf('=');
  if (equals < 0) return { name: part, value: undefined };
  return { name: part.slice(0, equals).trimEnd(), value: unquote(part.slice(equals + 1).trim()) };
}

/** A quoted string's text; anything else as it is. @see RFC 9110 §5.6.4 */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const inside = text.length > 1 && text.endsWith('"') ? text.slice(1, -1) : text.slice(1);
  return inside.replace(/\\(.)/g, '$1');
}

/** `text` as a quoted string. Throws WireError `unwritable-header` for control characters. */
export function quote(text: string): string {
  if (hasControl(text)) throw new WireError('unwritable-header', 'no control characters in quotes');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
