import { dirname } from 'node:path';
import type { Config } from './config.js';
import { applyEnvironment, PREFIX } from './environment.js';
import type { Fault, PathStep } from './fault.js';
import { faultLine, pathText } from './fault.js';
import { importRed5 } from './import-red5.js';
import type { Foreign } from './import-red5.js';
import type { Finding } from './issues.js';
import { findingsOf } from './issues.js';
import type { CheckKeys } from './resolve-auth.js';
import { resolveConfig } from './resolve.js';
import type { ReadFile } from './resolving.js';
import { decodeUtf8, readFailure, Resolving } from './resolving.js';
import { configSchema } from './schema.js';
import { MAX_CONFIG_BYTES, parseSource } from './source.js';
import type { Source } from './source.js';

/** Where the config comes from. `text` is read in place of the file; with neither, the environment says all. */
export interface LoadInput {
  readonly file?: string;
  readonly text?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  /** What the hook that will use the keys thinks of them; rooms do not know each other. */
  readonly checkKeys?: CheckKeys;
}

/** The config, or all that is wrong with it. Warnings are whole lines, to be shown at every start. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly warnings: readonly string[] };

/** Reads, overlays, checks and completes the config. Never throws; no message holds a secret. */
export function loadConfig(input: LoadInput): LoadResult {
  const file = input.file ?? (input.text === undefined ? 'environment' : 'config');
  const text = readText(input);
  if ('problem' in text) {
    return failed([
      { source: file, path: '', problem: text.problem, expected: 'expected a readable file in YAML or JSON' },
    ]);
  }
  const { source, faults } = parseSource(text.text, file);
  return source === undefined ? failed(faults) : loadSource(input, file, source);
}

function loadSource(input: LoadInput, file: string, source: Source): LoadResult {
  const to = new Resolving(input.env, input.readFile, input.file === undefined ? '' : dirname(input.file));
  const overlay = applyEnvironment(source.value, input.env, namedVariables(source.value, input.env));
  const imported = importRed5(overlay.value, to);
  const variables = overlay.overrides.map(({ path, variable }): Foreign => ({ path, source: variable }));
  const placed = (finding: Finding) => place(finding, file, source, [...variables, ...imported.foreign]);
  const checked = configSchema.safeParse(imported.value);
  const config = checked.success
    ? resolveConfig(checked.data, to, input.checkKeys ?? (() => ({ faults: [], warnings: [] })))
    : undefined;
  const found = checked.success ? to.findings : [...findingsOf(checked.error.issues, imported.value), ...to.findings];
  const faults = [...overlay.faults, ...found.map(placed)];
  const warnings = [...imported.warnings, ...to.warnings.map((warning) => faultLine(placed(warning)))];
  return config === undefined || faults.length > 0 ? failed(inOrder(faults), warnings) : { ok: true, config, warnings };
}

function failed(faults: readonly Fault[], warnings: readonly string[] = []): LoadResult {
  return { ok: false, faults, warnings };
}

function readText({ file, text, readFile }: LoadInput): { readonly text: string } | { readonly problem: string } {
  if (text !== undefined) return { text };
  if (file === undefined) return { text: '' };
  try {
    const bytes = readFile(file);
    if (bytes.length > MAX_CONFIG_BYTES) return { problem: `is larger than ${MAX_CONFIG_BYTES} bytes` };
    const decoded = decodeUtf8(bytes);
    return decoded === undefined ? { problem: 'is not UTF-8 text' } : { text: decoded };
  } catch (error) {
    return { problem: readFailure(error) };
  }
}

/** A fault stands where its key was set: a variable, an imported file, or a line of the config file. */
function place({ path, problem, expected }: Finding, file: string, source: Source, foreign: readonly Foreign[]): Fault {
  const setBy = foreign
    .filter((one) => one.path.every((step, depth) => step === path[depth]))
    .sort((a, b) => b.path.length - a.path.length)[0];
  const words = { path: pathText(path), problem, expected };
  if (setBy === undefined) return { source: file, line: source.lineOf(path), ...words };
  return { source: setBy.source, ...(setBy.line === undefined ? {} : { line: setBy.line }), ...words };
}

/** Sorted as one reads the file; the rest after it. */
function inOrder(faults: readonly Fault[]): readonly Fault[] {
  const last = Number.MAX_SAFE_INTEGER;
  return [...faults].sort((a, b) => (a.line ?? last) - (b.line ?? last));
}

/** Variables that the config names as sources of secrets: they may start with our prefix without being keys. */
function namedVariables(value: unknown, env: LoadInput['env']): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (node: unknown, key: PathStep): void => {
    if (typeof node === 'string' && key === 'env') names.add(node);
    if (typeof node === 'object' && node !== null) {
      for (const [child, inner] of Object.entries(node)) collect(inner, child);
    }
  };
  collect(value, '');
  for (const [variable, text] of Object.entries(env)) {
    if (text !== undefined && variable.startsWith(PREFIX) && /__ENV$/i.test(variable)) names.add(text);
  }
  return names;
}
