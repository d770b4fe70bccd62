import type { z } from 'zod';
import type { PathStep } from './fault.js';
import { quoted } from './fault.js';
import { laterKey, laterWord } from './later.js';
import { didYouMean } from './nearest.js';
import { nodeAt } from './key-tree.js';

/** Unknown keys of one group that are told; a file with more is no config. */
const MAX_UNKNOWN_KEYS = 20;

/** A fault before it is known which line it stands on. */
export interface Finding {
  readonly path: readonly PathStep[];
  readonly problem: string;
  readonly expected: string;
}

/** Puts what the schema found into words: what is wrong, what is expected. Repeats no value but short words. */
export function findingsOf(issues: readonly z.core.$ZodIssue[], root: unknown): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    if (issue.code === 'invalid_union') return findingsOf(issuesOfUnion(issue, valueAt(root, path)), root);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.slice(0, MAX_UNKNOWN_KEYS).map((key) => unknownKey(path, key));
    return [{ path, ...wordsOf(issue, path, valueAt(root, path)) }];
  });
}

/** Of a word or a group of keys: what is wrong with the one that was meant. */
function issuesOfUnion({ errors, path }: z.core.$ZodIssueInvalidUnion, value: unknown): readonly z.core.$ZodIssue[] {
  const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value);
  const meant = errors[isGroup ? errors.length - 1 : 0] ?? [];
  return meant.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

function unknownKey(parent: readonly PathStep[], key: string): Finding {
  const node = nodeAt(parent);
  const known = [...(node?.keys.keys() ?? [])];
  const later = laterKey([...parent, key]);
  if (later !== undefined) return { path: [...parent, key], problem: later, expected: '' };
  const hint = didYouMean(key, known);
  const expected = hint === '' ? `expected one of ${known.join(', ')}` : hint;
  // `{ value:TEXT }` and `{ TEXT }` make the secret itself a key.
  const isRef = known.length > 0 && known.every((name) => name === 'file' || name === 'env' || name === 'value');
  const isSafe = WORD.test(key) && (hint !== '' || !isRef);
  if (isSafe) return { path: [...parent, key], problem: 'is not a known key', expected };
  const glued = known.find((name) => key.startsWith(`${name}:`));
  return {
    path: parent,
    problem: 'has a key that is not known and is not repeated here',
    expected: glued === undefined ? expected : `expected a space behind "${glued}:"`,
  };
}

/** What may be repeated of a key that nobody knows. */
const WORD = /^[A-Za-z_][A-Za-z0-9_-]{0,29}$/;

type Words = Pick<Finding, 'problem' | 'expected'>;

function wordsOf(issue: z.core.$ZodIssue, path: readonly PathStep[], value: unknown): Words {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(path, value);
    case 'too_big':
      return {
        problem: measure(value, 'much', 'long', 'many'),
        expected: `expected at most ${issue.maximum}${unit(value)}`,
      };
    case 'too_small': {
      const least = issue.inclusive === false ? 'more than' : 'at least';
      return {
        problem: measure(value, 'little', 'short', 'few'),
        expected: `expected ${least} ${issue.minimum}${unit(value)}`,
      };
    }
    case 'invalid_value':
      return wrongWord(path, value, issue.values.map(String));
    default:
      return customWords(issue.message);
  }
}

/** Messages of our own hold both halves, joined by `; `. */
function customWords(message: string): Words {
  const cut = message.indexOf('; ');
  return cut === -1
    ? { problem: message, expected: '' }
    : { problem: message.slice(0, cut), expected: message.slice(cut + 2) };
}

function wrongType(path: readonly PathStep[], value: unknown): Words {
  const node = nodeAt(path);
  const wanted = node === undefined ? 'something else' : wantedWord(node.kind, node.type);
  if (node?.kind === 'group' && value === null) {
    return { problem: 'is empty', expected: 'expected keys below it, or {} for all defaults' };
  }
  if (node?.type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return { problem: `is ${kindOf(value)}`, expected: 'expected text: put it in quotes' };
  }
  const isRef = node?.keys.has('file') === true && typeof value === 'string';
  const keys = [...(node?.keys.keys() ?? [])].map((key) => `{${key}: …}`).join(' or ');
  return { problem: `is ${kindOf(value)}`, expected: isRef ? `expected ${keys}` : `expected ${wanted}` };
}

function wantedWord(kind: 'group' | 'list' | 'value', type: string | undefined): string {
  if (kind === 'group') return 'a group of keys';
  if (kind === 'list') return 'a list';
  const words: Readonly<Record<string, string>> = {
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    string: 'text',
  };
  return words[type ?? ''] ?? 'another value';
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isFinite(value) ? `the number ${value}` : 'no number';
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? 'text' : 'a group of keys';
}

function wrongWord(path: readonly PathStep[], value: unknown, known: readonly string[]): Words {
  if (typeof value !== 'string')
    return { problem: `is ${kindOf(value)}`, expected: `expected one of ${known.join(', ')}` };
  const later = laterWord(path, value);
  if (later !== undefined) return { problem: later, expected: `expected one of ${known.join(', ')}` };
  const hint = didYouMean(value, known);
  const choice = `expected one of ${known.join(', ')}`;
  return { problem: `${quoted(value)} is not known here`, expected: hint === '' ? choice : `${choice}; ${hint}` };
}

function measure(value: unknown, forNumber: string, forText: string, forList: string): string {
  if (typeof value === 'number') return `is ${value}, too ${forNumber}`;
  if (Array.isArray(value)) return `has ${value.length} entries, too ${forList}`;
  return typeof value === 'string' && value === '' ? 'is empty' : `is too ${forText}`;
}

function unit(value: unknown): string {
  return Array.isArray(value) ? ' entries' : typeof value === 'string' ? ' characters' : '';
}

function valueAt(root: unknown, path: readonly PathStep[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<PathStep, unknown>>)[step];
  }
  return value;
}
