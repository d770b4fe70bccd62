import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, ParsedNode } from 'yaml';
import type { Fault, PathStep } from './fault.js';

/** Largest config file, in bytes. */
export const MAX_CONFIG_BYTES = 1_048_576;
/** How often anchors may be used, counted through nesting; keeps a small file from becoming a huge value. */
const MAX_ALIASES = 100;
/** Deepest nesting; the schema needs 6. */
const MAX_DEPTH = 32;

/** A file read as a plain value, and where in it each key stands. */
export interface Source {
  readonly value: unknown;
  /** Line of the key or list entry at a path, or of the nearest one above it. */
  lineOf(path: readonly PathStep[]): number;
}

/**
 * Reads YAML 1.2 or JSON: one document, core types only, no tags, bounded size, depth and aliases.
 * Messages tell the line but repeat nothing of the text, which may hold secrets.
 */
export function parseSource(
  text: string,
  file: string,
): { readonly source?: Source; readonly faults: readonly Fault[] } {
  const fault = (line: number, problem: string, expected = ''): Fault => ({
    source: file,
    line,
    path: '',
    problem,
    expected,
  });
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    return { faults: [fault(1, `is larger than ${MAX_CONFIG_BYTES} bytes`)] };
  }
  try {
    const lines = new LineCounter();
    const options = { lineCounter: lines, prettyErrors: false, schema: 'core', logLevel: 'error' } as const;
    const document = parseDocument(text, options);
    const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
    const errors = document.errors.map((error) => fault(lineAt(error.pos[0]), problemOf(error.message)));
    // One mistake in YAML makes many errors; the first is the one to mend.
    if (errors[0] !== undefined) return { faults: [errors[0]] };
    const foreign = findForeign(document);
    if (foreign !== undefined) return { faults: [fault(lineAt(foreign.offset), foreign.problem)] };
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    // Throws on a circle, which an anchor inside its own value makes.
    JSON.stringify(value);
    return { source: { value, lineOf: (path) => lineAt(offsetOf(document, path)) }, faults: [] };
  } catch {
    // Unset anchors and too many aliases are thrown by toJS, too deep nesting as a RangeError, a circle as a TypeError.
    return {
      faults: [fault(1, 'uses an anchor that is not set or holds itself, or anchors or nesting beyond all measure')],
    };
  }
}

function problemOf(message: string): string {
  // After the first colon the library may repeat the source.
  return `is not valid YAML or JSON: ${(message.split(':')[0] ?? '').toLowerCase()}`;
}

function findForeign(document: Document.Parsed): { readonly offset: number; readonly problem: string } | undefined {
  let found: { readonly offset: number; readonly problem: string } | undefined;
  const stop = (node: { readonly range?: unknown }, problem: string) => {
    found = { offset: startOf(node), problem };
    return visit.BREAK;
  };
  visit(document, {
    Node: (_, node, path) => {
      if (!isAlias(node) && node.tag !== undefined && node.tag !== implied(node))
        return stop(node, 'uses a YAML tag (!); plain values only');
      if (path.filter(isCollection).length > MAX_DEPTH) return stop(node, `is nested deeper than ${MAX_DEPTH} levels`);
      return undefined;
    },
    Pair: (_, pair) => (isScalar(pair.key) ? undefined : stop(pair.key as Node, 'has a key that is not a plain word')),
  });
  return found;
}

/** The parser puts these tags on collections itself when none was written. */
function implied(node: Node): string | undefined {
  return isMap(node) ? 'tag:yaml.org,2002:map' : isSeq(node) ? 'tag:yaml.org,2002:seq' : undefined;
}

function offsetOf(document: Document.Parsed, path: readonly PathStep[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const step of path) {
    const container: unknown = isAlias(node) ? node.resolve(document) : node;
    const next = isCollection(container) ? entryOf(container.items, step) : undefined;
    if (next === undefined) return offset;
    node = next.value;
    offset = startOf(next.at);
  }
  return offset;
}

function entryOf(
  items: readonly unknown[],
  step: PathStep,
): { readonly at: unknown; readonly value: unknown } | undefined {
  if (typeof step === 'number') {
    const item = items[step];
    return item === undefined ? undefined : { at: item, value: item };
  }
  const pair = (items as readonly { readonly key?: unknown; readonly value?: unknown }[]).find(
    ({ key }) => isScalar(key) && String(key.value) === step,
  );
  return pair === undefined ? undefined : { at: pair.key, value: pair.value };
}

function startOf(node: unknown): number {
  return (node as Partial<ParsedNode> | null | undefined)?.range?.[0] ?? 0;
}
