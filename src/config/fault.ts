/** One thing that is wrong with the config; the gateway does not start with any. */
export interface Fault {
  /** The file, or the environment variable, that says it. */
  readonly source: string;
  /** Line in the file, from 1; absent for a variable or when nothing in the file corresponds. */
  readonly line?: number;
  /** Key path as one would write it: `auth.keys[0].secret`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. Never holds a secret. */
  readonly problem: string;
  /** What would be right; may be empty. */
  readonly expected: string;
}

/** A step into the config: a key name or a list index. */
export type PathStep = string | number;

/** The fault as one line: `FILE:LINE: path.to.key: what is wrong; expected …`. */
export function faultLine(fault: Fault): string {
  const place = fault.line === undefined ? fault.source : `${fault.source}:${fault.line}`;
  const path = fault.path === '' ? '' : `${fault.path}: `;
  const expected = fault.expected === '' ? '' : `; ${fault.expected}`;
  return visible(`${place}: ${path}${fault.problem}${expected}`);
}

/** Without what could forge a line or fool a terminal. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
}

/** Writes a path as a person would: `origins[0].rtmp`. */
export function pathText(path: readonly PathStep[]): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

/** Quotes text of the config for a message, cut and without control bytes. */
export function quoted(text: string): string {
  const clean = visible(text);
  return clean.length > 40 ? `"${clean.slice(0, 40)}…"` : `"${clean}"`;
}
