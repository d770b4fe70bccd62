import { decodeUtf8 } from './resolving.js';

/** Largest file of revocations, in bytes. */
export const MAX_REVOCATION_BYTES = 16_777_216;
/** Most entries of one file. */
export const MAX_FILED_REVOCATIONS = 100_000;
const MAX_TEXT = 512;

/** One line of the file: a token, a subject, or all that was issued before a moment. All that is named must fit. */
export interface FiledRevocation {
  readonly tokenId?: string;
  readonly subject?: string;
  /** Seconds since 1970. */
  readonly issuedBeforeS?: number;
}

/** What the file says, or the first thing that is wrong with it, as the end of a sentence. */
export type RevocationFile =
  | { readonly ok: true; readonly revocations: readonly FiledRevocation[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a file of revocations: one JSON object a line, `{"jti": "…"}`, `{"sub": "…"}`, `{"before": "2026-11-25T08:00:00Z"}` or
 * several of these keys together; `before` may be seconds since 1970. Empty lines and lines that begin with # are read over.
 */
export function readRevocations(bytes: Buffer): RevocationFile {
  if (bytes.length > MAX_REVOCATION_BYTES) return failed(`is larger than ${MAX_REVOCATION_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) return failed('is not UTF-8 text');
  const revocations: FiledRevocation[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim();
    if (words === '' || words.startsWith('#')) continue;
    if (revocations.length === MAX_FILED_REVOCATIONS) return failed(`has more than ${MAX_FILED_REVOCATIONS} entries`);
    const read = readLine(words);
    if (typeof read === 'string') return failed(`${read} (line ${index + 1})`);
    revocations.push(read);
  }
  return { ok: true, revocations };
}

function readLine(line: string): FiledRevocation | string {
  const value = parse(line);
  return value === undefined ? 'has a line that is no JSON object' : readRevocation(value);
}

/** One entry out of a value with the keys `jti`, `sub` and `before`; else what is wrong, as the end of a sentence. */
export function readRevocation(value: Readonly<Record<string, unknown>>): FiledRevocation | string {
  const stranger = Object.keys(value).find((key) => !['jti', 'sub', 'before'].includes(key));
  if (stranger !== undefined) return 'has a key that is none of jti, sub and before';
  const { jti, sub, before } = value;
  const tokenId = textOf(jti);
  const subject = textOf(sub);
  const issuedBeforeS = momentOf(before);
  if (tokenId === null || subject === null) return `has a jti or sub that is no text of 1 to ${MAX_TEXT} characters`;
  if (issuedBeforeS === null)
    return 'has a before that is neither a date as in 2026-11-25T08:00:00Z nor seconds since 1970';
  const entry = {
    ...(tokenId !== undefined && { tokenId }),
    ...(subject !== undefined && { subject }),
    ...(issuedBeforeS !== undefined && { issuedBeforeS }),
  };
  return Object.keys(entry).length > 0 ? entry : 'has an entry that names none of jti, sub and before';
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** Null is what cannot be. */
function textOf(value: unknown): string | null | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT ? value : null;
}

/** Dates need their zone, or they would mean another moment on another machine. */
function momentOf(value: unknown): number | null | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return value > 0 && value < 1e11 ? value : null;
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(value))
    return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms / 1000;
}

function failed(problem: string): RevocationFile {
  return { ok: false, problem };
}
