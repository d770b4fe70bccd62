import type { PathStep } from './fault.js';
import { parseProperties } from './properties.js';
import { mapRed5Properties } from './red5-properties.js';
import type { Imported } from './red5-properties.js';
import type { Resolving } from './resolving.js';

/** A key that does not stand in the config file, and where it does. */
export interface Foreign {
  readonly path: readonly PathStep[];
  readonly source: string;
  readonly line?: number;
}

/** What came out of an import. */
export interface ImportResult {
  readonly value: unknown;
  readonly foreign: readonly Foreign[];
  /** Whole lines, with file and line. */
  readonly warnings: readonly string[];
}

const PATH = ['auth', 'red5Properties'];

/**
 * Lays what `auth.red5Properties` names under `value`, which is not changed: keys that the config sets itself win,
 * and a difference is a warning.
 */
export function importRed5(value: unknown, to: Resolving): ImportResult {
  const file = red5File(value);
  const bytes = file === undefined ? null : to.bytes(PATH, file);
  if (file === undefined || bytes === null) return { value, foreign: [], warnings: [] };
  const read = parseProperties(bytes);
  if (read.fault !== undefined) {
    to.fault(PATH, `names the file ${file}, whose line ${read.fault.line} ${read.fault.problem}`);
    return { value, foreign: [], warnings: [] };
  }
  const { imported, remarks } = mapRed5Properties(read.properties);
  const auth: Record<string, unknown> = { ...(value as { readonly auth: object }).auth };
  const warnings = remarks.map(({ line, property, text }) => `${file}:${line}: ${property}: ${text}`);
  const foreign: Foreign[] = [];
  for (const one of imported) {
    const key = String(one.path[1]);
    if (!Object.hasOwn(auth, key)) {
      auth[key] = one.value;
      foreign.push({ path: one.path, source: file, line: one.line });
    } else if (differs(auth[key], one)) {
      warnings.push(`${file}:${one.line}: ${one.property}: is not used, because the config sets auth.${key}`);
    }
  }
  return { value: { ...(value as object), auth }, foreign, warnings };
}

function red5File(value: unknown): string | undefined {
  const file = (value as { readonly auth?: { readonly red5Properties?: unknown } | null } | null)?.auth?.red5Properties;
  return typeof file === 'string' && file !== '' ? file : undefined;
}

function differs(ours: unknown, one: Imported): boolean {
  return JSON.stringify(ours) !== JSON.stringify(one.value);
}
