import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { faultLine } from '../../src/config/fault.js';
import { load, SECRET } from './loading.js';

const folder = join(__dirname, '..', '..', 'config');
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(folder, name), 'utf8'));

/** What breaks parsers: pieces of YAML that mean something in odd places. */
const piece = fc.constantFrom(
  ...[
    '*',
    '&x ',
    '*x',
    '!',
    '!!map ',
    '|',
    '>',
    '{',
    '}',
    '[',
    ']',
    ',',
    ': ',
    '? ',
    '- ',
    '\n',
    '\n  ',
    '\t',
    '"',
    "'",
    '#',
  ],
  ...[
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '<<: ',
    '__proto__: ',
    'constructor: ',
    'null',
    '~',
    '.nan',
    '-.inf',
    '1e999',
    '\u0000',
    '\ufeff',
  ],
);

/** Every line is one line, and none repeats the secret. */
function expectClean(text: string): void {
  const env = { MEDIA_SECRET: SECRET, MEDIA_SECRET_OLD: SECRET, MEDIA_SECRET_NEW: SECRET, RED5_SECRET: SECRET };
  const result = load(text, { env });
  const lines = [...(result.ok ? [] : result.faults.map(faultLine)), ...result.warnings];
  for (const line of lines) {
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line).not.toContain(SECRET);
  }
  if (result.ok) expect(JSON.stringify(result.config)).not.toContain(SECRET);
}

describe('the loader', () => {
  it('never throws and never repeats a secret, whatever is put into a config', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(fc.tuple(fc.nat(2000), piece), { maxLength: 4 }),
        (example, cuts) => {
          let text = example.replace(/\{ env: [A-Z_]+ \}/, `{ value: ${SECRET} }`);
          for (const [at, inserted] of cuts)
            text = text.slice(0, at % text.length) + inserted + text.slice(at % text.length);
          expectClean(text);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('never throws on values of any shape at any key', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('listen', 'tls', 'auth', 'hooks', 'origins', 'limits', 'relay', 'log'),
        (value, key) => {
          expectClean(JSON.stringify({ [key]: value }));
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['a circle', 'auth: &x { keys: *x }'],
    ['a circle in a list', 'hooks: &x [*x]'],
    ['a circle that is used', 'a: &x { b: *x }\nauth: *x'],
    ['a key of every kind', '1: a\ntrue: b\nnull: c\n1.5: d'],
    ['a very long key', `${'k'.repeat(100_000)}: 1`],
    ['very many keys', Array.from({ length: 1000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['a key with control characters', '"a\\nb\\u0000\\u202e": 1'],
  ])('lives through %s', (_, text) => {
    expectClean(text);
    expect(load(text).ok).toBe(false);
  });
});
