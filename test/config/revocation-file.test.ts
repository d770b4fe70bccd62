import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_FILED_REVOCATIONS, MAX_REVOCATION_BYTES, readRevocations } from '../../src/config/revocation-file.js';
import { loadConfig } from '../../src/config/load.js';

const read = (text: string) => readRevocations(Buffer.from(text));
const problemOf = (text: string): string => {
  const result = read(text);
  return result.ok ? '' : result.problem;
};

describe('a file of revocations', () => {
  it('names tokens, subjects and moments, one a line, with remarks between', () => {
    const text = [
      ...['# stolen', '{"jti": "t1"}', '', '  {"sub": "sam"}\r', '{"before": "2026-11-25T08:00:00Z"}'],
      ...['{"sub": "ann", "before": 1795593600}', '{"before": "2026-11-25T10:00:00+02:00"}'],
    ].join('\n');
    expect(read(text)).toEqual({
      ok: true,
      revocations: [
        { tokenId: 't1' },
        { subject: 'sam' },
        { issuedBeforeS: 1_795_593_600 },
        { subject: 'ann', issuedBeforeS: 1_795_593_600 },
        { issuedBeforeS: 1_795_593_600 },
      ],
    });
  });

  it('may be empty: nothing is revoked', () => {
    expect(read('')).toEqual({ ok: true, revocations: [] });
  });

  it.each([
    ['{"jti": "a"}\nnot json', 'has a line that is no JSON object (line 2)'],
    ['["a"]', 'has a line that is no JSON object (line 1)'],
    ['null', 'has a line that is no JSON object (line 1)'],
    ['{}', 'has an entry that names none of jti, sub and before (line 1)'],
    ['{"jti": ""}', 'has a jti or sub that is no text of 1 to 512 characters (line 1)'],
    ['{"sub": 5}', 'has a jti or sub that is no text of 1 to 512 characters (line 1)'],
    ['{"sub": null}', 'has a jti or sub that is no text of 1 to 512 characters (line 1)'],
    ['{"jit": "a"}', 'has a key that is none of jti, sub and before (line 1)'],
    ['{"before": "2026-11-25"}', expect.stringContaining('has a before that is neither')],
    ['{"before": "2026-11-25T08:00:00"}', expect.stringContaining('has a before that is neither')],
    ['{"before": "2026-99-25T08:00:00Z"}', expect.stringContaining('has a before that is neither')],
    ['{"before": 1795593600000}', expect.stringContaining('has a before that is neither')],
    ['{"before": 1e999}', expect.stringContaining('has a before that is neither')],
  ])('is refused whole when it says %j', (text, problem) => {
    expect(problemOf(text)).toEqual(problem);
  });

  it('has bounds', () => {
    expect(readRevocations(Buffer.alloc(MAX_REVOCATION_BYTES + 1, ' ')).ok).toBe(false);
    expect(problemOf('{"jti":"a"}\n'.repeat(MAX_FILED_REVOCATIONS + 1))).toContain('more than 100000 entries');
    expect(readRevocations(Buffer.from([0xff])).ok).toBe(false);
  });

  it('is read or refused, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const result = readRevocations(Buffer.from(bytes));
          expect(typeof result.ok).toBe('boolean');
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['{"jti": 1}', 'names a file that has a jti'],
    [undefined, 'does not exist'],
  ])('is looked at with the config: %j', (content, problem) => {
    const loaded = loadConfig({
      text: 'auth: { revocations: { file: revoked.jsonl } }',
      env: {},
      readFile: () => {
        if (content === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
        return Buffer.from(content);
      },
    });
    expect(loaded.ok ? [] : loaded.faults).toContainEqual(
      expect.objectContaining({ path: 'auth.revocations.file', problem: expect.stringContaining(problem) }),
    );
  });
});
