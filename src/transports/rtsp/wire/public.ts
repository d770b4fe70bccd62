import { splitOutsideQuotes } from './quoted.js';

/** Words of one list of methods or options. */
export const MAX_LIST_WORDS = 64;

/**
 * Reads the words of Public, Allow, Require, Supported or Unsupported, given once or several times, in their order and case.
 * What is no word is left out. Throws WireError `too-many-parts`.
 * @see RFC 2326 §12.28, §12.32
 */
export function readWords(values: readonly string[]): string[] {
  return splitOutsideQuotes(values.join(','), ',', MAX_LIST_WORDS).filter((word) => WORD.test(word));
}

/** A token, or the address-like name of an option (`www.onvif.org/ver20/backchannel`). */
const WORD = /^[!#$%&'*+./:^_`|~0-9A-Za-z-]+$/;

/** The words of `ours` that stand in `theirs` too, in our order: what a proxy may promise. */
export function commonWords(ours: readonly string[], theirs: readonly string[]): string[] {
  return ours.filter((word) => theirs.includes(word));
}
