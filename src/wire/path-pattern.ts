/** Longest pattern, in characters. */
export const MAX_PATTERN_LENGTH = 512;

/** Whether a text is a pattern: segments joined by `/`, `**` only as a whole segment, nothing that no path may hold. */
export function isPathPattern(text: string): boolean {
  if (text.length > MAX_PATTERN_LENGTH || /[\s\\?#;%]/.test(text)) return false;
  return text.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && isSegment(part));
}

function isSegment(part: string): boolean {
  return part === '**' || !part.includes('**');
}

/**
 * Whether a canonical stream path, `app[/room…]/name`, fits a pattern. `*` stands for any characters within a segment, also
 * none; the segment `**` for any number of segments, also none. All else is compared exactly. Takes time that grows with the
 * product of both lengths at most.
 */
export function matchesPath(pattern: string, path: string): boolean {
  return matchesAll(pattern.split('/'), path.split('/'), '**', matchesSegment);
}

/** How particular a pattern is: of two that fit, the one with more characters that stand for themselves. */
export function weightOfPattern(pattern: string): number {
  return pattern.replace(/\*/g, '').length;
}

function matchesSegment(pattern: string, segment: string): boolean {
  if (!pattern.includes('*')) return pattern === segment;
  return matchesAll(pattern.split(''), segment.split(''), '*', (one, other) => one === other);
}

/** The classical way: on a mismatch, the last star takes one more. Stars before the last never have to be tried again. */
function matchesAll(
  pattern: readonly string[],
  text: readonly string[],
  star: string,
  matches: (one: string, other: string) => boolean,
): boolean {
  let [at, pos] = [0, 0];
  let [starAt, starPos] = [-1, 0];
  while (pos < text.length) {
    const wanted = pattern[at];
    const found = text[pos] ?? '';
    if (wanted === star) {
      [starAt, starPos] = [at, pos];
      at += 1;
    } else if (wanted !== undefined && matches(wanted, found)) {
      at += 1;
      pos += 1;
    } else {
      if (starAt === -1) return false;
      starPos += 1;
      [at, pos] = [starAt + 1, starPos];
    }
  }
  return pattern.slice(at).every((rest) => rest === star);
}
