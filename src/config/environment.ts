import { parseDocument } from 'yaml';
import type { Fault, PathStep } from './fault.js';
import { pathText } from './fault.js';
import type { KeyNode } from './key-tree.js';
import { keyTree, valuePaths } from './key-tree.js';
import { nearest } from './nearest.js';

/** All variables that start so belong to the gateway. */
export const PREFIX = 'PORTCULLIS_';

/** One key that a variable sets. */
export interface Override {
  readonly variable: string;
  readonly path: readonly PathStep[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable means: a key with its value, or what is wrong. */
type Reading =
  | { readonly path: readonly PathStep[]; readonly value: unknown }
  | { readonly problem: string; readonly expected: string };

/**
 * Lays `PORTCULLIS_…` variables over `root`, which is not changed: `PORTCULLIS_LISTEN__RTMP__PORT=1936` sets
 * `listen.rtmp.port`. `__` goes a level down, case and single `_` do not count, numbers are list indices, values are
 * YAML scalars (or a flow list for a list of words). Variables in `exempt` are somebody else's (named by `{env: …}`).
 */
export function applyEnvironment(
  root: unknown,
  env: Environment,
  exempt: ReadonlySet<string>,
): { readonly value: unknown; readonly overrides: readonly Override[]; readonly faults: readonly Fault[] } {
  const value = structuredClone(root ?? {});
  const overrides: Override[] = [];
  const faults: Fault[] = [];
  const fault = (source: string, path: readonly PathStep[], problem: string, expected = '') =>
    faults.push({ source, path: pathText(path), problem, expected });
  for (const variable of Object.keys(env).sort()) {
    const text = env[variable];
    if (!variable.startsWith(PREFIX) || text === undefined || exempt.has(variable)) continue;
    const reading = readVariable(variable, text);
    if ('problem' in reading) {
      fault(variable, [], reading.problem, reading.expected);
      continue;
    }
    const twin = overrides.find(({ path }) => pathText(path) === pathText(reading.path));
    const problem =
      twin === undefined ? place(value, reading.path, reading.value) : `${twin.variable} sets the same key`;
    if (problem === undefined) overrides.push({ variable, path: reading.path });
    else fault(variable, reading.path, problem);
  }
  return { value, overrides, faults };
}

/** The variable that sets a path; list indices stay numbers. */
export function variableOf(path: readonly PathStep[]): string {
  return PREFIX + path.map((step) => String(step).toUpperCase()).join('__');
}

function readVariable(variable: string, text: string): Reading {
  const path: PathStep[] = [];
  let node: KeyNode | undefined = keyTree();
  for (const segment of variable.slice(PREFIX.length).split('__')) {
    const step: PathStep | undefined = node.kind === 'list' ? indexOf(segment) : keyOf(node, segment);
    node = typeof step === 'number' ? node.item : step === undefined ? undefined : node.keys.get(step);
    if (step === undefined || node === undefined) return unknownVariable(variable);
    path.push(step);
  }
  return node.kind === 'group' && node.choices === undefined
    ? { problem: 'names a group of keys', expected: `expected one key of it, such as ${example(node, path)}` }
    : { path, value: valueOf(node, text) };
}

function unknownVariable(variable: string): Reading {
  const found = nearest(variable, valuePaths().map(variableOf));
  return {
    problem: 'sets no known key',
    expected: found === undefined ? `see docs/configuration.md` : `did you mean ${found}?`,
  };
}

function example(node: KeyNode, path: readonly PathStep[]): string {
  return variableOf(valuePaths(node, path)[0] ?? path);
}

function indexOf(segment: string): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(segment) ? Number(segment) : undefined;
}

function keyOf(node: KeyNode, segment: string): string | undefined {
  const wanted = segment.toLowerCase().replaceAll('_', '');
  return [...node.keys.keys()].find((key) => key.toLowerCase() === wanted);
}

function valueOf(node: KeyNode, text: string): unknown {
  // A secret or a name that looks like a number is still text.
  if (node.type === 'string') return text;
  const document = parseDocument(text, { schema: 'core', logLevel: 'error', prettyErrors: false });
  const simple = document.errors.length === 0 && document.warnings.length === 0 && text.length <= 4096;
  if (!simple) return text;
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    return text;
  }
}

/** Sets a value, making groups and lists on the way; says what stands in the way. */
function place(root: unknown, path: readonly PathStep[], value: unknown): string | undefined {
  let holder = root;
  for (const [depth, step] of path.entries()) {
    if (typeof holder !== 'object' || holder === null) return 'goes through a key that the file sets to a plain value';
    if (Array.isArray(holder) !== (typeof step === 'number')) return 'goes through a key that the file sets otherwise';
    if (Array.isArray(holder) && typeof step === 'number' && step > holder.length) {
      return `is entry ${step} of a list that has ${holder.length}`;
    }
    const container = holder as Record<PathStep, unknown>;
    if (depth === path.length - 1) container[step] = value;
    else container[step] ??= typeof path[depth + 1] === 'number' ? [] : {};
    holder = container[step];
  }
  return undefined;
}
