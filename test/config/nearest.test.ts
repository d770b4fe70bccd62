import { describe, expect, it } from '@jest/globals';
import { didYouMean, nearest } from '../../src/config/nearest.js';

const known = ['serve', 'check', 'token', 'dev', 'perAddress'];

describe('the nearest word', () => {
  it.each([
    ['sevre', 'serve'],
    ['serv', 'serve'],
    ['SERVE', 'serve'],
    ['per_address', 'perAddress'],
    ['per-adress', 'perAddress'],
    ['chekc', 'check'],
    ['dev', 'dev'],
    ['de', 'dev'],
    ['banana', undefined],
    ['', undefined],
    ['x'.repeat(81), undefined],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  it('is put as a question, or not at all', () => {
    expect(didYouMean('tokne', known)).toBe('did you mean "token"?');
    expect(didYouMean('banana', known)).toBe('');
  });
});
