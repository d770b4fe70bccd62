import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../src/config/load.js';
import { createTokenMemory } from '../src/gateway/token-memory.js';
import type { LogFields } from '../src/model/telemetry.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { fakeClock } from './fakes/clock.js';

/** A memory whose file the test writes; undefined is a file that is not there. */
function bed(first: string | undefined) {
  const clock = fakeClock();
  const lines: LogFields[] = [];
  const metrics = createMetrics();
  const disk = { text: first };
  const readFile = (): Buffer => {
    if (disk.text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
    return Buffer.from(disk.text);
  };
  const config = (file: string | undefined) => {
    const loaded = loadConfig({
      text: `
listen: { rtmp: { port: 0 } }
origins: [{ name: origin, preset: generic, rtmp: "rtmp://127.0.0.1:1" }]
auth:
  keys: [{ id: main, secret: { value: "${'s'.repeat(40)}" } }]
  ${file === undefined ? '' : `revocations: { file: ${file} }`}
`,
      env: {},
      readFile: () => Buffer.alloc(0),
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
    return loaded.config;
  };
  const make = () =>
    createTokenMemory(config('list.jsonl'), {
      ...{ clock, metrics, readFile },
      log: { write: (_level, event, fields) => void lines.push({ event, ...fields }), enabled: () => true },
    });
  const isRevoked = (memory: ReturnType<typeof make>, tokenId: string): boolean =>
    memory.tokens.whyRevoked({ tokenId, expiresAtS: 2e9 }) !== undefined;
  return { clock, lines, metrics, disk, config, make, isRevoked };
}

describe('the file of revocations', () => {
  it('holds from the start, and a change holds when it was the same at two looks', () => {
    const { clock, disk, make, isRevoked, lines } = bed('{"jti": "a"}');
    const memory = make();
    let told = 0;
    memory.revocations.enforceBy(() => (told += 1));
    expect([isRevoked(memory, 'a'), isRevoked(memory, 'b')]).toEqual([true, false]);
    disk.text = '{"jti": "a"}\n{"jti": ';
    clock.advance(2000);
    disk.text = '{"jti": "a"}\n{"jti": "b"}';
    clock.advance(2000);
    expect(lines).toEqual([]);
    clock.advance(2000);
    expect(isRevoked(memory, 'b')).toBe(true);
    expect(told).toBe(1);
    expect(lines).toMatchObject([{ event: 'revocations.read', outcome: 'applied', entries: 2 }]);
    memory.stop();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['nonsense', 'nonsense', 'has a line that is no JSON object (line 1)'],
    ['gone', undefined, 'cannot be read'],
  ])('that becomes %s changes nothing, and that is told once', (_what, text, problem) => {
    const { clock, disk, make, isRevoked, lines, metrics } = bed('{"jti": "a"}');
    const memory = make();
    disk.text = text;
    clock.advance(20_000);
    expect(isRevoked(memory, 'a')).toBe(true);
    expect(lines).toMatchObject([{ outcome: 'kept-old', problem }]);
    expect(metrics.render()).toContain('portcullis_revocations_file_good 0');
    disk.text = '{"jti": "b"}';
    clock.advance(20_000);
    expect([isRevoked(memory, 'a'), isRevoked(memory, 'b')]).toEqual([false, true]);
    expect(metrics.render()).toContain('portcullis_revocations_file_good 1');
    expect(metrics.render()).toContain('portcullis_revocations 1');
    memory.stop();
  });

  it.each([['nonsense'], [undefined]])('keeps the gateway from starting when it is %j', (text) => {
    const { make, clock } = bed(text);
    expect(make).toThrow(expect.objectContaining({ code: 'config-revocations' }));
    expect(clock.pending).toBe(0);
  });

  it('goes with the config that named it, and what was revoked by a call stays', () => {
    const { clock, disk, make, config, isRevoked } = bed('{"jti": "a"}');
    const memory = make();
    memory.revocations.add({ tokenId: 'called' });
    disk.text = 'nonsense';
    expect(() => memory.prepare(config('other.jsonl'))).toThrow(
      expect.objectContaining({ code: 'config-revocations' }),
    );
    expect(isRevoked(memory, 'a')).toBe(true);
    memory.prepare(config(undefined))();
    expect([isRevoked(memory, 'a'), isRevoked(memory, 'called')]).toEqual([false, true]);
    expect(clock.pending).toBe(0);
  });
});
