import { describe, expect, it } from '@jest/globals';
import { bytesOrNothing, isSameBytes, watchUntilSettled } from '../../src/config/file-watch.js';
import { fakeClock } from '../fakes/clock.js';

function bed(first = 'a') {
  const clock = fakeClock();
  const file = { text: first };
  const changes: string[] = [];
  const stop = watchUntilSettled({
    ...{ clock, everyMs: 1000, first, look: () => file.text, isSame: (one: string, other: string) => one === other },
    onChange: (found) => changes.push(found),
  });
  return { clock, file, changes, stop };
}

describe('watching a file', () => {
  it('tells of a change once, when it was there at two looks', () => {
    const { clock, file, changes } = bed();
    clock.advance(5000);
    file.text = 'b';
    clock.advance(1000);
    expect(changes).toEqual([]);
    clock.advance(1000);
    expect(changes).toEqual(['b']);
    clock.advance(60_000);
    expect(changes).toEqual(['b']);
  });

  it('waits for what is still being written', () => {
    const { clock, file, changes } = bed();
    for (const text of ['b', 'bc', 'bcd']) {
      file.text = text;
      clock.advance(1000);
    }
    expect(changes).toEqual([]);
    clock.advance(1000);
    expect(changes).toEqual(['bcd']);
  });

  it('says nothing of a change that was taken back', () => {
    const { clock, file, changes } = bed();
    file.text = 'b';
    clock.advance(1000);
    file.text = 'a';
    clock.advance(5000);
    expect(changes).toEqual([]);
  });

  it('looks no more once it was stopped, also by what it told', () => {
    const { clock, file, changes, stop } = bed();
    file.text = 'b';
    stop();
    stop();
    clock.advance(5000);
    expect(changes).toEqual([]);
    expect(clock.pending).toBe(0);
    let end = (): void => undefined;
    end = watchUntilSettled({
      ...{ clock, everyMs: 1000, first: 1, look: () => 2, isSame: (one: number, other: number) => one === other },
      onChange: () => end(),
    });
    clock.advance(5000);
    expect(clock.pending).toBe(0);
  });

  it('takes a file that cannot be read for one without bytes', () => {
    const missing = bytesOrNothing(() => {
      throw new Error('ENOENT');
    });
    expect(missing).toBeUndefined();
    expect(isSameBytes(missing, undefined)).toBe(true);
    expect(isSameBytes(missing, Buffer.from(''))).toBe(false);
    expect(isSameBytes(Buffer.from('a'), Buffer.from('a'))).toBe(true);
    expect(isSameBytes(Buffer.from('a'), Buffer.from('b'))).toBe(false);
  });
});
