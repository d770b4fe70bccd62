import { createContext, Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { dashboardFile } from '../../src/admin/pages/index.js';
import { fakeClock } from '../fakes/clock.js';

interface Rhythm {
  readonly now: () => Promise<void>;
  readonly soon: () => void;
  readonly stop: () => void;
}
type CreateRhythm = (look: (isWanted: () => boolean) => Promise<void>, everyMs: number, soonMs: number) => Rhythm;

const EVERY_MS = 2000;
const SOON_MS = 200;

/** The rhythm of the page with looks that end when the test says so. */
function rhythm() {
  const clock = fakeClock();
  const text = String(dashboardFile('/connection.js', 'GET', () => undefined)?.body).replace(/^export /gm, '');
  const globals = {
    setTimeout: (call: () => void, ms: number) => clock.after(ms, call),
    clearTimeout: (cancel?: () => void) => cancel?.(),
  };
  const make = new Script(`${text}\n;createRhythm`).runInContext(createContext(globals)) as CreateRhythm;
  const looks: { readonly isWanted: () => boolean; readonly end: () => void }[] = [];
  const made = make((isWanted) => new Promise((end) => looks.push({ isWanted, end })), EVERY_MS, SOON_MS);
  const settle = () => new Promise((done) => setImmediate(done));
  return {
    ...made,
    looks,
    /** Ends the last look. */
    end: async () => {
      looks.at(-1)?.end();
      await settle();
    },
    pass: async (ms: number) => {
      clock.advance(ms);
      await settle();
    },
  };
}

describe('the dashboard looks', () => {
  it('again and again, each time from the end of the last', async () => {
    const one = rhythm();
    void one.now();
    await one.pass(60_000);
    expect(one.looks).toHaveLength(1);
    await one.end();
    await one.pass(EVERY_MS - 1);
    expect(one.looks).toHaveLength(1);
    await one.pass(1);
    expect(one.looks).toHaveLength(2);
  });

  it('soon after something has happened, also where something happens all the time', async () => {
    const one = rhythm();
    void one.now();
    await one.end();
    for (let atMs = 0; atMs < 2 * SOON_MS; atMs += 50) {
      one.soon();
      await one.pass(50);
    }
    expect(one.looks).toHaveLength(2);
    one.soon();
    await one.pass(60_000);
    expect(one.looks).toHaveLength(2);
    expect(one.looks[1]?.isWanted()).toBe(true);
    await one.end();
    await one.pass(SOON_MS);
    expect(one.looks).toHaveLength(3);
  });

  it('at once when it is told to, and takes no answer that came to an older question', async () => {
    const one = rhythm();
    void one.now();
    void one.now();
    expect(one.looks.map(({ isWanted }) => isWanted())).toEqual([false, true]);
    one.looks[0]?.end();
    await one.end();
    await one.pass(EVERY_MS);
    expect(one.looks).toHaveLength(3);
  });

  it('no more after the end, nor takes the answer that was on its way', async () => {
    const one = rhythm();
    void one.now();
    one.stop();
    one.soon();
    expect(one.looks[0]?.isWanted()).toBe(false);
    await one.end();
    await one.pass(60_000);
    expect(one.looks).toHaveLength(1);
    void one.now();
    await one.end();
    await one.pass(EVERY_MS);
    expect(one.looks).toHaveLength(3);
  });
});
