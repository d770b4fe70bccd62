import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { KeyNode } from '../../src/config/key-tree.js';
import { keyTree } from '../../src/config/key-tree.js';
import { configJsonSchema } from '../../src/config/schema.js';
import { configurationPage } from './configuration-page.js';

const root = join(__dirname, '..', '..');

/** Compares a file with what it should be; `UPDATE_SCHEMA=1` writes it. */
function expectInStep(path: string, text: string): void {
  const file = join(root, path);
  if (process.env['UPDATE_SCHEMA'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
}

function undescribed(node: KeyNode, path: string): readonly string[] {
  const own = node.description === '' && path !== '' && !path.endsWith('[]') ? [path] : [];
  const keys = [...node.keys].flatMap(([key, child]) => undescribed(child, `${path}.${key}`));
  return [...own, ...keys, ...(node.item === undefined ? [] : undescribed(node.item, `${path}[]`))];
}

describe('the published schema', () => {
  it('is in step with the one the gateway checks with (UPDATE_SCHEMA=1 writes it)', () => {
    expectInStep('config/portcullis.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });

  it('describes every key', () => {
    expect(undescribed(keyTree(), '')).toEqual([]);
  });

  it('tells keys apart even when case does not count', () => {
    const twins = (node: KeyNode): boolean => {
      const plain = [...node.keys.keys()].map((key) => key.toLowerCase());
      return new Set(plain).size !== plain.length || [...node.keys.values()].some(twins);
    };
    expect(twins(keyTree())).toBe(false);
  });
});

/** The schema for Helm, whose regular expressions are Go's: it would refuse the whole for one that it cannot read. */
function withoutPatterns(node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map(withoutPatterns);
  const kept = Object.entries(node).filter(([key, value]) => key !== '$schema' && !isPattern(key, value));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutPatterns(value)]));
}

/** Not a key of the config that happens to be called so: that one has a schema. */
const isPattern = (key: string, value: unknown): boolean => key === 'pattern' && typeof value === 'string';

describe('the schema of the Helm chart', () => {
  it('holds the published one for `config` (UPDATE_SCHEMA=1 writes it)', () => {
    const path = 'config/helm/portcullis/values.schema.json';
    const own = JSON.parse(readFileSync(join(root, path), 'utf8')) as Readonly<Record<string, unknown>>;
    const whole = { ...own, $defs: { gateway: withoutPatterns(configJsonSchema()) } };
    expectInStep(path, `${JSON.stringify(whole, null, 2)}\n`);
  });
});

describe('docs/configuration.md', () => {
  it('is in step with the schema (UPDATE_SCHEMA=1 writes it)', () => {
    expectInStep('docs/configuration.md', configurationPage());
  });
});
