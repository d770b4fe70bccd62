/** How something is: `skipped` could not be looked at. */
export type Verdict = 'fine' | 'skipped' | 'warning' | 'fault';

/** One thing that was looked at. No secret is in it. */
export interface Finding {
  /** What sort of thing. */
  readonly check:
    | 'node'
    | 'descriptors'
    | 'clock'
    | 'config'
    | 'secret'
    | 'certificate'
    | 'port'
    | 'udp'
    | 'origin'
    | 'server'
    | 'traces';
  /** Which one, empty where there is only one. */
  readonly about: string;
  readonly verdict: Verdict;
  /** What was seen. */
  readonly text: string;
  /** What to do; for whatever is not fine. */
  readonly advice?: string;
}

/** Makes the findings of one check about one thing. */
export function findingsOf(check: Finding['check'], about: string) {
  const of =
    (verdict: Verdict) =>
    (text: string, advice?: string): Finding => ({
      check,
      about,
      verdict,
      text,
      ...(advice !== undefined && { advice }),
    });
  return { fine: of('fine'), skipped: of('skipped'), warning: of('warning'), fault: of('fault') };
}

/** The code of a system's error, or of its causes; undefined if there is none. */
export function systemCodeOf(error: unknown): string | undefined {
  let one = error;
  let found: string | undefined;
  for (let depth = 0; depth < 5 && typeof one === 'object' && one !== null; depth += 1) {
    const { code, cause } = one as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) found = code;
    one = cause;
  }
  return found;
}
