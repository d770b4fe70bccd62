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

describe('docs/configuration.md', () => {
  it('is in step with the schema (UPDATE_SCHEMA=1 writes it)', () => {
    expectInStep('docs/configuration.md', configurationPage());
  });
});
