import { describe, expect, it } from '@jest/globals';
import type { LogLevel } from '../../src/model/telemetry.js';
import { tapLog } from '../../src/telemetry/log-taps.js';
import { fakeTelemetry } from '../admin/fixture.js';

describe('a log that others listen to', () => {
  const listener = (...levels: readonly LogLevel[]) => {
    const heard: string[] = [];
    return {
      heard,
      wants: (level: LogLevel) => levels.includes(level),
      hear: (event: string) => void heard.push(event),
    };
  };

  it('tells each of the levels that it wants, whoever else wants more', () => {
    const { log, lines } = fakeTelemetry();
    const [one, all] = [listener('info', 'warn', 'error'), listener('debug', 'info', 'warn', 'error')];
    const tapped = tapLog({ ...log, enabled: (level) => level === 'error' }, [one, all]);
    expect((['debug', 'info', 'warn', 'error'] as const).map((level) => tapped.enabled(level))).toEqual(
      Array(4).fill(true),
    );
    tapped.write('debug', 'hook.asked', {});
    tapped.write('warn', 'origin.state', {});
    expect(lines).toHaveLength(2);
    expect([one.heard, all.heard]).toEqual([['origin.state'], ['hook.asked', 'origin.state']]);
  });
});
