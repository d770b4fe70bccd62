import { describe, expect, it } from '@jest/globals';
import { createReloading, type ReloadingParts } from '../../src/cli/reloading.js';
import type { Config } from '../../src/config/config.js';
import type { LoadResult } from '../../src/config/load.js';
import { fakeClock } from '../fakes/clock.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const GOOD: LoadResult = { ok: true, config: { version: 2 } as unknown as Config, warnings: [] };
const BAD: LoadResult = {
  ok: false,
  faults: [{ source: 'g.yaml', line: 3, path: 'listen', problem: 'is wrong', expected: 'expected right' }],
  warnings: [],
};

/** Everything around a reload, with what happened. */
function bed(parts: Partial<ReloadingParts> = {}) {
  const clock = fakeClock();
  const lines: unknown[] = [];
  const counts: string[] = [];
  const gauges: (number | undefined)[] = [];
  const file = { text: 'one' as string | undefined };
  const applied: Config[] = [];
  const reloading = createReloading({
    load: () => GOOD,
    apply: (config) => {
      applied.push(config);
      return Promise.resolve([]);
    },
    log: { write: (level, event, fields) => lines.push({ level, event, ...fields }), enabled: () => true },
    metrics: {
      count: (name, labels) => counts.push(`${name} ${labels?.['outcome'] ?? ''}`),
      gauge: (_name, _labels, value) => gauges.push(value),
      observe: () => undefined,
    },
    clock,
    readFile: () => {
      if (file.text === undefined) throw new Error('ENOENT');
      return Buffer.from(file.text);
    },
    ...parts,
  });
  return { clock, lines, counts, gauges, file, applied, reloading };
}

describe('reloading the config', () => {
  it('applies a good config and says so', async () => {
    const { reloading, applied, lines, counts, gauges } = bed();
    expect(await reloading.now('signal')).toEqual({ ok: true, notes: [] });
    expect(applied).toEqual([{ version: 2 }]);
    expect(lines).toEqual([
      { level: 'info', event: 'config.reload', trigger: 'signal', outcome: 'applied', notes: [] },
    ]);
    expect(counts).toEqual(['config_reloads_total applied']);
    expect(gauges).toEqual([1, 1]);
  });

  it('tells what waits for a restart', async () => {
    const { reloading, lines } = bed({ apply: () => Promise.resolve(['listen.media.port waits for a restart']) });
    expect(await reloading.now('api')).toEqual({ ok: true, notes: ['listen.media.port waits for a restart'] });
    expect(lines).toEqual([
      {
        level: 'info',
        event: 'config.reload',
        trigger: 'api',
        outcome: 'applied',
        notes: ['listen.media.port waits for a restart'],
      },
    ]);
  });

  it('keeps the old config when the new one is wrong, and names file, line and key', async () => {
    const { reloading, applied, lines, counts, gauges } = bed({ load: () => BAD });
    const outcome = await reloading.now('signal');
    expect(outcome).toEqual({ ok: false, faults: [expect.stringContaining('g.yaml:3')] });
    expect(applied).toEqual([]);
    expect(counts).toEqual(['config_reloads_total kept-old']);
    expect(gauges).toEqual([1, 0]);
    expect(lines).toMatchObject([{ level: 'error', outcome: 'kept-old', trigger: 'signal' }]);
  });

  it('keeps the old config when the gateway cannot apply the new one', async () => {
    const { reloading } = bed({ apply: () => Promise.reject(new Error('cannot listen on 0.0.0.0:1: EACCES')) });
    expect(await reloading.now('signal')).toEqual({ ok: false, faults: ['cannot listen on 0.0.0.0:1: EACCES'] });
  });

  it('runs one at a time, and everybody who asks meanwhile gets the one after it', async () => {
    let done: (notes: readonly string[]) => void = () => undefined;
    let calls = 0;
    const { reloading } = bed({
      apply: () => {
        calls += 1;
        return new Promise((resolve) => (done = resolve));
      },
    });
    const first = reloading.now('signal');
    await turn();
    const others = [reloading.now('api'), reloading.now('signal'), reloading.now('file')];
    await turn();
    expect(calls).toBe(1);
    done(['first']);
    expect(await first).toEqual({ ok: true, notes: ['first'] });
    await turn();
    expect(calls).toBe(2);
    done(['second']);
    expect(await Promise.all(others)).toEqual(others.map(() => ({ ok: true, notes: ['second'] })));
    expect(calls).toBe(2);
  });

  it('reloads when the file has changed and settled', async () => {
    const { clock, file, applied, lines } = bed();
    clock.advance(10_000);
    await turn();
    expect(applied).toHaveLength(0);
    file.text = 'half';
    clock.advance(2_000);
    file.text = 'whole';
    clock.advance(2_000);
    await turn();
    expect(applied).toHaveLength(0);
    clock.advance(2_000);
    await turn();
    expect(applied).toHaveLength(1);
    expect(lines).toMatchObject([{ trigger: 'file', outcome: 'applied' }]);
    clock.advance(20_000);
    await turn();
    expect(applied).toHaveLength(1);
  });

  it('does not reload for a change of the file that a signal has brought in already', async () => {
    const { clock, file, applied, reloading } = bed();
    file.text = 'two';
    await reloading.now('signal');
    clock.advance(10_000);
    await turn();
    expect(applied).toHaveLength(1);
    file.text = 'half';
    await reloading.now('signal');
    file.text = 'whole';
    clock.advance(10_000);
    await turn();
    expect(applied).toHaveLength(3);
  });

  it('does nothing while the file is gone, nor when it comes back as it was', async () => {
    const { clock, file, applied } = bed();
    file.text = undefined;
    clock.advance(6_000);
    file.text = 'one';
    clock.advance(6_000);
    await turn();
    expect(applied).toHaveLength(0);
  });

  it('tries a bad file once, not at every look', async () => {
    const { clock, file, lines } = bed({ load: () => BAD });
    file.text = 'two';
    clock.advance(60_000);
    await turn();
    expect(lines).toHaveLength(1);
  });

  it('leaves no timer behind', () => {
    const { clock, reloading } = bed();
    reloading.stop();
    expect(clock.pending).toBe(0);
  });
});
