import { describe, expect, it } from '@jest/globals';
import { createLineCutter, readOutputLine } from '../../src/embedded-origin/output.js';

describe('what the embedded origin says', () => {
  const table: readonly [string, 'stdout' | 'stderr', string, string][] = [
    [
      '[11/25/2026, 3:50:49 AM] [INFO] RTMP session a start push /live/cam',
      'stdout',
      'debug',
      'RTMP session a start push /live/cam',
    ],
    [
      '[x] [ERROR] RTMP session a push /live/cam error, taken',
      'stdout',
      'warn',
      'RTMP session a push /live/cam error, taken',
    ],
    ['[x] [WARN] slow', 'stdout', 'warn', 'slow'],
    ['some chatter', 'stdout', 'debug', 'some chatter'],
    ['TypeError: Invalid URL', 'stderr', 'warn', 'TypeError: Invalid URL'],
    ['[x] [INFO] play /live/cam?token=abc now', 'stdout', 'debug', 'play /live/cam?… now'],
    ['\u001b[31mred\u0007', 'stderr', 'warn', ' [31mred '],
  ];
  it.each(table)('reads %j from %s as %s', (line, source, level, message) => {
    expect(readOutputLine(line, source)).toEqual({ level, message });
  });

  it('keeps a message short', () => {
    expect(readOutputLine('x'.repeat(5000), 'stdout').message).toHaveLength(300);
  });
});

describe('the line cutter', () => {
  const text = 'one\ntwo\r\n\nthree\n';

  it.each(Array.from({ length: text.length }, (_, at) => [at]))('finds the same lines when cut at %i', (at) => {
    const lines: string[] = [];
    const cut = createLineCutter((line) => lines.push(line));
    cut(text.slice(0, at));
    cut(text.slice(at));
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('drops the rest of an endless line', () => {
    const lines: string[] = [];
    const cut = createLineCutter((line) => lines.push(line));
    for (let index = 0; index < 100; index += 1) cut('x'.repeat(1000));
    cut('\nnext\n');
    expect(lines.map((line) => line.length)).toEqual([2000, 4]);
  });
});
