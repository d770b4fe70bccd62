import { describe, expect, it } from '@jest/globals';
import { createPacer } from '../../src/net/pacing.js';

function loop() {
  const calls: (() => void)[] = [];
  const slept: number[] = [];
  return {
    slept,
    get waiting() {
      return calls.length;
    },
    turn: () => calls.splice(0).forEach((call) => call()),
    sleep: (ms: number) => void slept.push(ms),
    nextTurn: (call: () => void) => void calls.push(call),
  };
}

describe('the pacer', () => {
  it('sleeps once a turn while a stream is relayed', () => {
    const each = loop();
    const over = createPacer(5, each).relayStarted();
    each.turn();
    each.turn();
    expect(each.slept).toEqual([5, 5]);
    over();
    each.turn();
    expect(each.slept).toEqual([5, 5]);
    expect(each.waiting).toBe(0);
  });

  it('does not sleep while a client is being set up, nor spin, and goes on after the last one', () => {
    const each = loop();
    const pacer = createPacer(5, each);
    pacer.relayStarted();
    const [one, two] = [pacer.setupStarted(), pacer.setupStarted()];
    each.turn();
    expect(each.slept).toEqual([]);
    expect(each.waiting).toBe(0);
    one();
    one();
    expect(each.waiting).toBe(0);
    two();
    expect(each.waiting).toBe(1);
    each.turn();
    expect(each.slept).toEqual([5]);
  });

  it('sleeps once a turn, however many streams are relayed', () => {
    const each = loop();
    const pacer = createPacer(5, each);
    const overs = [pacer.relayStarted(), pacer.relayStarted(), pacer.relayStarted()];
    each.turn();
    expect(each.slept).toEqual([5]);
    overs[0]?.();
    overs[1]?.();
    each.turn();
    expect(each.slept).toEqual([5, 5]);
    overs[2]?.();
    overs[2]?.();
    each.turn();
    expect(each.slept).toEqual([5, 5]);
  });

  it('never sleeps when only set-ups come and go', () => {
    const each = loop();
    const pacer = createPacer(5, each);
    pacer.setupStarted()();
    expect(each.waiting).toBe(0);
  });

  it('is over when it is stopped', () => {
    const each = loop();
    const pacer = createPacer(5, each);
    pacer.relayStarted();
    pacer.stop();
    each.turn();
    pacer.relayStarted();
    expect(each.slept).toEqual([]);
    expect(each.waiting).toBe(0);
  });

  it('does nothing at 0', () => {
    const each = loop();
    const pacer = createPacer(0, each);
    pacer.relayStarted()();
    pacer.setupStarted()();
    pacer.stop();
    expect(each.waiting).toBe(0);
  });

  it('really sleeps and lets the loop turn', async () => {
    const pacer = createPacer(1);
    const over = pacer.relayStarted();
    let turns = 0;
    while (turns < 3) {
      await new Promise((done) => setImmediate(done));
      turns++;
    }
    over();
    pacer.stop();
    expect(turns).toBe(3);
  });
});
