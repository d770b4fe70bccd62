import { describe, expect, it } from '@jest/globals';
import { crashText, createLastWords, warningText } from '../../src/cli/crash.js';
import { Secret } from '../../src/model/secret.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5Q2FuYXJ5';

describe('the last words of a process', () => {
  it('tell what happened, why, and where, without a token', () => {
    const error = new Error(`bad ${TOKEN}\n and more ${TOKEN}`, { cause: new Error(`because of token=${TOKEN}`) });
    const text = crashText(error);
    expect(text).toMatch(/^portcullis: unexpected: bad \[token\] and more \[token\]\n {4}at /);
    expect(text).toMatch(/\n {2}because of: because of token=\[token\]\n {4}at /);
    expect(text).not.toContain(TOKEN.split('.')[2]);
  });

  it('hold no line that the message has forged as a frame with a token', () => {
    const text = crashText(new Error(`x\n    at evil (${TOKEN})`));
    expect(text).not.toContain('Q2FuYXJ5');
  });

  const cycle: { cause?: unknown; message: string } = { message: 'round' };
  cycle.cause = cycle;
  const hostile = {
    get message(): string {
      throw new Error('no');
    },
    get stack(): string {
      throw new Error('no');
    },
    toString: () => {
      throw new Error('no');
    },
  };
  it.each<[string, unknown, string]>([
    ['a text', `boom ${TOKEN}`, 'unexpected: boom [token]'],
    ['nothing', undefined, 'unexpected: undefined'],
    ['null', null, 'no error was thrown'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['an object without a prototype', Object.create(null), 'no error was thrown'],
    ['getters that throw', hostile, 'no error was thrown'],
    ['a cycle', cycle, 'because of: round'],
  ])('come out for %s', (_, thrown, words) => {
    expect(crashText(thrown)).toContain(words);
  });

  it('keep a warning to one line', () => {
    const warning = Object.assign(new Error(`bad ${TOKEN}\n x`), { name: 'DeprecationWarning' });
    expect(warningText(warning)).toBe('portcullis: DeprecationWarning: bad [token] x\n');
    expect(warningText('plain')).toBe('portcullis: Warning: plain\n');
  });

  it('hold none of the secrets that are kept out of it, in the message, its causes and the frames', () => {
    const words = createLastWords();
    const error = () => new Error('old-canary', { cause: new Error('GET /?k=canary%2B7%26 with canary+7&') });
    expect(words.crash(error())).toContain('old-canary');
    words.hide([new Secret('old-canary')]);
    words.hide([new Secret('canary+7&'), new Secret('crash.test')]);
    expect(words.crash(error())).toContain('old-canary');
    expect(words.crash(error())).toMatch(/GET \/\?k=secret:\w{8} with secret:\w{8}\n/);
    expect(words.crash(error())).not.toMatch(/canary(\+|%2B)7|crash\.test/);
    expect(words.warning(error().cause)).not.toContain('canary');
  });
});
