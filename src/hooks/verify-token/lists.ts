/** Most entries of one list claim. */
export const MAX_LIST_ENTRIES = 256;

/** A list claim as it stands in the token. `bad` grants nothing. */
export type ListClaim =
  | { readonly kind: 'absent' }
  | { readonly kind: 'list'; readonly entries: readonly string[] }
  | { readonly kind: 'bad'; readonly why: string };

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\n';
}

/** Cuts ASCII white space from both ends; by hand, since `\s+$` is quadratic on a run of spaces. */
export function trimSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text[from])) from += 1;
  while (to > from && isSpace(text[to - 1])) to -= 1;
  return text.slice(from, to);
}

function toList(items: readonly string[]): ListClaim {
  const entries = items.map(trimSpaces).filter((entry) => entry !== '');
  if (entries.length > MAX_LIST_ENTRIES) {
    return { kind: 'bad', why: `${entries.length} entries, at most ${MAX_LIST_ENTRIES} are read` };
  }
  return { kind: 'list', entries };
}

/**
 * Reads `roles`, `red5-transport` or `red5-room`: one comma-separated string, or as an extension an array of strings.
 *
 * Only a claim that is not there or is the empty string is absent. `" , "` is a list of nothing, so it grants nothing.
 * An array element with a comma is refused, because a reader of the string form would see two grants in it.
 */
export function readList(value: unknown): ListClaim {
  if (value === undefined || value === '') return { kind: 'absent' };
  if (typeof value === 'string') return toList(value.split(','));
  if (!Array.isArray(value)) return { kind: 'bad', why: 'neither a string nor an array of strings' };
  const items = value.filter((item): item is string => typeof item === 'string');
  if (items.length !== value.length) return { kind: 'bad', why: 'an array with something else than strings' };
  if (items.some((item) => item.includes(','))) return { kind: 'bad', why: 'an array element with a comma' };
  return toList(items);
}
