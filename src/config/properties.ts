/** Largest property file, in bytes. */
export const MAX_PROPERTIES_BYTES = 1_048_576;

/** One key of a property file; the line (from 1) on which it starts. */
export interface Property {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** What is wrong with a property file. */
export interface PropertiesFault {
  readonly line: number;
  readonly problem: string;
}

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

/**
 * Reads a Java property file exactly as Java does: ISO 8859-1, comments with `#` or `!`, separators `=`, `:` or white
 * space, escapes, continued lines, white space at the end of a value kept, the last of several equal keys wins.
 * @see java.util.Properties.load
 */
export function parseProperties(
  bytes: Buffer,
): { readonly properties: readonly Property[]; readonly fault?: undefined } | { readonly fault: PropertiesFault } {
  if (bytes.length > MAX_PROPERTIES_BYTES) return { fault: { line: 1, problem: 'is too large' } };
  const found = new Map<string, Property>();
  for (const { text, line } of logicalLines(bytes.toString('latin1'))) {
    const [rawKey, rawValue] = split(text);
    const key = unescape(rawKey);
    const value = unescape(rawValue);
    if (key === undefined || value === undefined) {
      return { fault: { line, problem: 'has a \\u escape without four hex digits' } };
    }
    found.delete(key);
    found.set(key, { key, value, line });
  }
  return { properties: [...found.values()] };
}

function* logicalLines(text: string): Generator<LogicalLine> {
  const natural = text.split(/\r\n|\r|\n/);
  for (let index = 0; index < natural.length; index += 1) {
    let line = withoutIndent(natural[index]);
    const start = index + 1;
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    const parts: string[] = [];
    while (isContinued(line)) {
      parts.push(line.slice(0, -1));
      index += 1;
      line = withoutIndent(natural[index]);
    }
    parts.push(line);
    yield { text: parts.join(''), line: start };
  }
}

function withoutIndent(line: string | undefined): string {
  return (line ?? '').replace(/^[ \t\f]+/, '');
}

function isContinued(line: string): boolean {
  let end = line.length;
  while (line[end - 1] === '\\') end -= 1;
  return (line.length - end) % 2 === 1;
}

function split(text: string): readonly [key: string, value: string] {
  let end = 0;
  while (end < text.length && !' \t\f=:'.includes(text.charAt(end))) end += text[end] === '\\' ? 2 : 1;
  const rest = text.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return [text.slice(0, end), rest];
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*\\u(?![0-9A-Fa-f]{4})/.test(text)) return undefined;
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|([^]?))/g, (_, hex: string | undefined, other: string | undefined) =>
    hex === undefined ? (ESCAPES[other ?? ''] ?? other ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
