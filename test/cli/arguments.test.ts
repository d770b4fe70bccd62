import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseArguments } from '../../src/cli/arguments.js';

const specs = {
  config: { type: 'text', placeholder: 'FILE', help: '' },
  full: { type: 'switch', help: '' },
} as const;
const TOKEN = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.${'a'.repeat(43)}`;

describe('arguments', () => {
  it.each<[readonly string[], object]>([
    [[], { flags: {}, words: [] }],
    [['--config', 'a.yaml', '--full'], { flags: { config: 'a.yaml', full: true }, words: [] }],
    [['--config=a.yaml'], { flags: { config: 'a.yaml' }, words: [] }],
    [['--config', '-'], { flags: { config: '-' }, words: [] }],
    [['-', '--full'], { flags: { full: true }, words: ['-'] }],
    [['--full', 'word'], { flags: { full: true }, words: ['word'] }],
    [['--', '--full'], { flags: {}, words: ['--full'] }],
  ])('%j are understood', (args, expected) => {
    expect(parseArguments(args, specs, 1)).toEqual({ ok: true, ...expected });
  });

  it.each<[readonly string[], string]>([
    [['--confg', 'a'], 'unknown flag "--confg"; did you mean --config?'],
    [['--banana'], 'unknown flag "--banana"'],
    [['-c'], 'unknown flag "-c"'],
    [['--__proto__'], 'unknown flag "--__proto__"'],
    [['--config'], '--config needs a value: --config FILE'],
    [['--config='], '--config needs a value: --config FILE'],
    [['--config', '--full'], '--config needs a value: --config FILE'],
    [['--full=yes'], '--full takes no value'],
    [['--full', '--full'], '--full is given twice'],
    [['a', 'b'], 'unexpected argument "b"'],
    [['a', TOKEN], 'unexpected argument "[token]"'],
    [[`--${TOKEN}`], 'unknown flag "--[token]"'],
    [Array.from({ length: 65 }, () => 'x'), 'too many arguments'],
  ])('%j are a problem in one line', (args, problem) => {
    expect(parseArguments(args, specs, 1)).toEqual({ ok: false, problem });
  });

  it('never throw', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--config', '--full', '-', '--', '--=', '-x'))),
        (args) => {
          parseArguments(args, specs, 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
