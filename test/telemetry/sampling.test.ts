import { describe, expect, it } from '@jest/globals';
import type { Log, LogFields } from '../../src/model/telemetry.js';
import { MAX_KINDS, sampleLog } from '../../src/telemetry/sampling.js';
import { fakeClock } from '../fakes/clock.js';

function bed(maxPerSecond = 3) {
  const lines: [string, string, LogFields][] = [];
  const inner: Log = {
    enabled: (level) => level !== 'debug',
    write: (level, event, fields) => void lines.push([level, event, fields]),
  };
  const clock = fakeClock();
  const counted: [string, number][] = [];
  const onSuppressed = (event: string, lines: number): void => void counted.push([event, lines]);
  const log = sampleLog(inner, { maxPerSecond, clock, onSuppressed });
  const refuse = (address: string, code = 'token-missing'): void =>
    log.write('info', 'decision', { outcome: 'no', code, address });
  return { lines, counted, clock, log, refuse, events: () => lines.map(([, event]) => event) };
}

describe('a sampled log', () => {
  it('writes so many lines of one event, code and address a second, then says how many more there were', () => {
    const { lines, clock, refuse } = bed();
    for (let count = 0; count < 10; count += 1) refuse('192.0.2.1');
    expect(lines).toHaveLength(3);
    clock.advance(1000);
    expect(lines.slice(3)).toEqual([
      [
        'info',
        'lines.suppressed',
        { of: 'decision', code: 'token-missing', suppressed: 7, addresses: 1, address: '192.0.2.1' },
      ],
    ]);
    refuse('192.0.2.1');
    expect(lines).toHaveLength(5);
    expect(clock.pending).toBe(0);
  });

  it('lets a flood from one address hide nobody else, and no other code', () => {
    const { lines, refuse } = bed();
    for (let count = 0; count < 10; count += 1) refuse('192.0.2.1');
    refuse('192.0.2.2');
    refuse('192.0.2.1', 'room-denied');
    expect(lines).toHaveLength(5);
  });

  it('sums up what many addresses did in one line per event and code', () => {
    const { lines, clock, refuse } = bed(1);
    for (let count = 0; count < 3; count += 1) for (let host = 0; host < 20; host += 1) refuse(`192.0.2.${host}`);
    clock.advance(1000);
    expect(lines.slice(20)).toEqual([
      [
        'info',
        'lines.suppressed',
        { of: 'decision', code: 'token-missing', suppressed: 40, addresses: 20, address: undefined },
      ],
    ]);
  });

  it('counts what it leaves out by event, whether it has an address or not, and each line once', () => {
    const { counted, clock, log, refuse } = bed(1);
    for (let count = 0; count < 4; count += 1) for (let host = 0; host < 2; host += 1) refuse(`192.0.2.${host}`);
    for (let count = 0; count < 3; count += 1) refuse('192.0.2.9', 'room-denied');
    for (let count = 0; count < 3; count += 1) log.write('error', 'gateway.error', { during: 'dial' });
    expect(counted).toEqual([]);
    clock.advance(1000);
    log.flush();
    expect(counted).toEqual([
      ['decision', 6],
      ['decision', 2],
      ['gateway.error', 2],
    ]);
  });

  it('holds a bounded memory when each line has an address of its own', () => {
    const { lines, clock, refuse } = bed(2);
    for (let host = 0; host < MAX_KINDS + 50; host += 1) refuse(`2001:db8::${host.toString(16)}`);
    expect(lines).toHaveLength(MAX_KINDS + 2);
    clock.advance(1000);
    expect(lines.at(-1)?.[2]).toMatchObject({ of: 'decision', suppressed: 48, addresses: 0 });
  });

  it('never leaves out what streams are accounted by', () => {
    const { lines, log } = bed(1);
    for (let count = 0; count < 5; count += 1) {
      log.write('info', 'session.start', {});
      log.write('info', 'session.end', { address: 'a' });
      log.write('info', 'decision', { outcome: 'yes', address: 'a' });
    }
    expect(lines).toHaveLength(15);
  });

  it('loses errors never entirely: some are written each second, and the rest is counted as an error', () => {
    const { lines, clock, log } = bed(2);
    for (let round = 0; round < 3; round += 1) {
      for (let count = 0; count < 5; count += 1) log.write('error', 'gateway.error', { during: 'dial' });
      clock.advance(1000);
    }
    expect(lines.filter(([level]) => level === 'error')).toHaveLength(9);
    expect(lines[2]).toEqual(['error', 'lines.suppressed', expect.objectContaining({ code: 'dial', suppressed: 3 })]);
  });

  it('counts no line that its level would not write', () => {
    const { lines, clock, log } = bed(1);
    for (let count = 0; count < 5; count += 1) log.write('debug', 'connection.open', { address: 'a' });
    expect([lines, clock.pending]).toEqual([[], 0]);
  });

  it('tells at the end what was left out, once', () => {
    const { lines, clock, log, refuse } = bed(1);
    refuse('a');
    refuse('a');
    log.flush();
    log.flush();
    clock.advance(5000);
    expect(lines).toHaveLength(2);
  });

  it('goes on when the wall clock is set back', () => {
    const { clock, refuse, events } = bed(1);
    refuse('a');
    refuse('a');
    clock.jump(-3_600_000);
    refuse('a');
    expect(events()).toEqual(['decision', 'lines.suppressed', 'decision']);
  });

  it('writes everything when there is no limit', () => {
    const { lines, log, refuse } = bed(0);
    for (let count = 0; count < 500; count += 1) refuse('a');
    log.flush();
    expect(lines).toHaveLength(500);
  });
});
