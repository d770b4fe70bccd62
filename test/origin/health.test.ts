import { describe, expect, it } from '@jest/globals';
import type { EndpointKind } from '../../src/model/transport.js';
import { createOriginHealth, type HealthOption } from '../../src/origin/health.js';
import { fakeClock } from '../fakes/clock.js';
import { turns } from '../session/door-bed.js';

const OPTION: HealthOption = {
  name: 'a',
  place: 'rtmp://a',
  checks: ['rtmp'],
  intervalMs: 5000,
  timeoutMs: 2000,
  failures: 2,
  successes: 2,
  ejectMs: 1000,
  maxEjectMs: 8000,
  slowStartMs: 10_000,
};
const UNCHECKED: HealthOption = { ...OPTION, checks: [] };

function bed(...options: HealthOption[]) {
  const clock = fakeClock();
  const states: string[] = [];
  const gauges: (number | undefined)[] = [];
  const asked: string[] = [];
  let answer: (name: string, kind: EndpointKind, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  const health = createOriginHealth({
    clock,
    log: { write: (_level, _event, { state }) => void states.push(String(state)), enabled: () => true },
    metrics: {
      count: () => undefined,
      observe: () => undefined,
      gauge: (_name, _labels, value) => void gauges.push(value),
    },
    check: (name, kind, signal) => {
      asked.push(`${name} ${kind}`);
      return answer(name, kind, signal);
    },
  });
  health.use(options);
  return {
    ...{ clock, states, gauges, asked, health },
    answers: (next: typeof answer) => (answer = next),
    standing: (path = 'live/cam') => health.standingOf('a', path),
    pass: async (ms: number, stepMs = 100) => {
      for (let at = 0; at < ms; at += stepMs) {
        clock.advance(stepMs);
        await turns();
      }
    },
  };
}
const no = () => Promise.reject(new Error('ECONNREFUSED'));
const yes = () => Promise.resolve();
const hang = () => new Promise<void>(() => undefined);
const paths = Array.from({ length: 400 }, (_, index) => `live/cam${index}`);

describe('a checked origin', () => {
  it('is asked by every kind of address, and is up when all answer', async () => {
    const { health, pass, asked, gauges, states } = bed({ ...OPTION, checks: ['rtmp', 'http'] });
    expect(health.list()).toMatchObject([{ name: 'a', state: 'unknown' }]);
    await pass(10_000);
    expect(asked).toEqual(['a rtmp', 'a http', 'a rtmp', 'a http']);
    expect(health.list()).toMatchObject([{ state: 'up', failures: 0, isDrained: false }]);
    expect([gauges, states]).toEqual([[1], []]);
  });

  it('is down after two failures, of whatever kind, and says why once', async () => {
    const { health, pass, answers, states, gauges, standing } = bed({ ...OPTION, checks: ['rtmp', 'http'] });
    answers((_, kind) => (kind === 'http' ? no() : yes()));
    await pass(5000);
    expect(standing()).toBe('ready');
    await pass(30_000);
    expect(standing()).toBe('down');
    expect(health.list()).toMatchObject([{ state: 'down', detail: 'http: ECONNREFUSED' }]);
    expect([gauges, states]).toEqual([[0], ['down']]);
  });

  it('that does not answer a check in time has failed it, and the check is called off', async () => {
    const { health, pass, answers } = bed({ ...OPTION, failures: 1 });
    let signal: AbortSignal | undefined;
    answers((_name, _kind, given) => {
      signal = given;
      return hang();
    });
    await pass(6900);
    expect(health.list()).toMatchObject([{ state: 'unknown' }]);
    await pass(100);
    expect(health.list()).toMatchObject([{ state: 'down', detail: 'rtmp: no answer to a check within 2000 ms' }]);
    expect(signal?.aborted).toBe(true);
  });

  it('that a stream could not reach is asked at once', async () => {
    const { health, answers, asked, standing } = bed(OPTION);
    answers(no);
    health.failed('a', 'ECONNREFUSED');
    await turns();
    expect(asked).toEqual(['a rtmp']);
    expect(standing()).toBe('down');
  });

  it('that takes connections but fails its checks stays down', async () => {
    const { health, answers, pass, standing } = bed(OPTION);
    answers(no);
    await pass(10_000);
    health.answered('a');
    expect(standing()).toBe('down');
  });

  it('comes back after two good checks, and its share of the paths grows', async () => {
    const { answers, pass, standing, states, gauges } = bed(OPTION);
    answers(no);
    await pass(10_000);
    answers(yes);
    await pass(5000);
    expect(standing()).toBe('down');
    await pass(5000);
    expect([states, gauges]).toEqual([
      ['down', 'up'],
      [0, 1],
    ]);
    const ready = () => paths.filter((path) => standing(path) === 'ready').length;
    expect(ready()).toBe(0);
    await pass(5000);
    const half = paths.filter((path) => standing(path) === 'ready');
    expect(half.length).toBeGreaterThan(150);
    expect(half.length).toBeLessThan(250);
    await pass(2000);
    for (const path of half) expect(standing(path)).toBe('ready');
    await pass(3000);
    expect(ready()).toBe(paths.length);
  });

  it('leaves no timer behind when it is taken away', async () => {
    const { clock, health, answers, pass } = bed(OPTION);
    answers(hang);
    await pass(5500);
    health.stop();
    await turns();
    expect(clock.pending).toBe(0);
  });
});

describe('an origin that flaps', () => {
  it('is left alone for twice as long each time, up to a limit, and from the beginning after a steady time', async () => {
    const { health, pass, standing } = bed(UNCHECKED);
    const fall = () => {
      health.failed('a', 'reset');
      health.failed('a', 'reset');
    };
    const aloneFor = async () => {
      fall();
      for (let ms = 0; ; ms += 500) {
        if (standing() !== 'down') return ms;
        await pass(500);
      }
    };
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      times.push(await aloneFor());
      health.answered('a');
    }
    expect(times).toEqual([1000, 2000, 4000, 8000, 8000]);
    await pass(8000);
    expect(await aloneFor()).toBe(1000);
  });

  it('that is tried again in vain is left alone at once', async () => {
    const { health, pass, standing } = bed(UNCHECKED);
    health.failed('a', 'x');
    health.failed('a', 'x');
    await pass(1000);
    expect(standing()).toBe('ready');
    health.failed('a', 'x');
    expect(standing()).toBe('down');
    await pass(1900);
    expect(standing()).toBe('down');
    await pass(100);
    expect(standing()).toBe('ready');
  });
});

describe('an origin that is not checked', () => {
  it('is judged by the calls of streams', async () => {
    const { health, pass, asked, gauges, standing } = bed(UNCHECKED);
    health.answered('a');
    health.answered('a');
    health.failed('a', 'x');
    health.answered('a');
    health.failed('a', 'x');
    expect(standing()).toBe('ready');
    health.failed('a', 'x');
    expect(standing()).toBe('down');
    await pass(60_000, 1000);
    expect([asked, gauges]).toEqual([[], [1, 0]]);
    health.answered('a');
    expect(gauges).toEqual([1, 0, 1]);
  });
});

describe('an origin that is drained', () => {
  it('takes nothing new until it is let, whatever the config does meanwhile', () => {
    const { health, standing, states } = bed(UNCHECKED);
    expect(health.drain('nobody', true)).toBe(false);
    expect(health.drain('a', true)).toBe(true);
    health.drain('a', true);
    health.use([{ ...UNCHECKED, place: 'rtmp://elsewhere' }]);
    expect(standing()).toBe('drained');
    expect(health.list()).toMatchObject([{ isDrained: true }]);
    health.drain('a', false);
    expect(standing()).toBe('ready');
    expect(states).toEqual(['drained', 'undrained']);
  });
});

describe('a new config', () => {
  it('keeps what is known of an origin at its place, and forgets what is elsewhere or gone', () => {
    const { health, clock, gauges } = bed(UNCHECKED, { ...UNCHECKED, name: 'b' });
    for (const name of ['a', 'b']) {
      health.failed(name, 'x');
      health.failed(name, 'x');
    }
    health.use([
      { ...UNCHECKED, ejectMs: 3000 },
      { ...UNCHECKED, name: 'b', place: 'rtmp://c' },
    ]);
    expect(health.list().map(({ state }) => state)).toEqual(['down', 'unknown']);
    expect(gauges).toEqual([0, 0, undefined]);
    health.use([]);
    expect(health.list()).toEqual([]);
    // An alert on an origin that is gone would never end.
    expect(gauges.slice(3)).toEqual([undefined, undefined]);
    expect(clock.pending).toBe(0);
  });
});
