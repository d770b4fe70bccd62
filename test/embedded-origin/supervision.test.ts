import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supervise, type Supervised } from '../../src/embedded-origin/supervisor.js';
import type { Clock } from '../../src/model/clock.js';
import type { Log, LogFields } from '../../src/model/telemetry.js';

const folder = mkdtempSync(join(tmpdir(), 'portcullis-child-'));
const childFile = join(folder, 'child.mjs');

beforeAll(() => {
  // A child that listens nowhere: it says so, tells its pid and environment, and waits for the end of the channel.
  writeFileSync(
    childFile,
    `console.log('[now] [INFO] pid ' + process.pid + ' env ' + Object.keys(process.env).join());
     process.on('disconnect', () => process.exit());
     process.send({ kind: 'listening', port: Number(process.argv[2]) || 4242 });`,
  );
});

interface Entry extends LogFields {
  readonly level: string;
}

/** A log that can be waited on, and a clock whose timers only run when told. */
function stage() {
  const entries: Entry[] = [];
  const waiting: { isMatch: (entry: Entry) => boolean; resolve: (entry: Entry) => void }[] = [];
  const log: Log = {
    enabled: () => true,
    write: (level, event, fields) => {
      const entry = { level, event, ...fields };
      entries.push(entry);
      for (const one of [...waiting]) {
        if (!one.isMatch(entry)) continue;
        waiting.splice(waiting.indexOf(one), 1);
        one.resolve(entry);
      }
    },
  };
  const next = (isMatch: (entry: Entry) => boolean) =>
    new Promise<Entry>((resolve) => waiting.push({ isMatch, resolve }));
  const timers = new Map<() => void, number>();
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    after: (delayMs, call) => {
      timers.set(call, delayMs);
      return () => timers.delete(call);
    },
  };
  const fire = (delayMs: number) => {
    const due = [...timers].find(([, delay]) => delay === delayMs);
    if (due === undefined) throw new Error(`no timer of ${delayMs} ms`);
    timers.delete(due[0]);
    due[0]();
  };
  return { entries, log, clock, next, fire, pass: (ms: number) => (nowMs += ms) };
}

const hasState = (state: string) => (entry: Entry) => entry['state'] === state;
const saysPid = (entry: Entry) => String(entry['message']).startsWith('pid ');
const pidOf = (entry: Entry) => Number(/^pid (\d+)/.exec(String(entry['message']))?.[1]);

describe('the child of the embedded origin', () => {
  let origin: Supervised | undefined;

  afterEach(async () => {
    await origin?.stop();
    origin = undefined;
  });

  it('is told a port, gets no environment, and ends with stop', async () => {
    const { log, clock, next, entries } = stage();
    const said = next(saysPid);
    origin = await supervise({ log, clock, childFile });
    const entry = await said;
    expect(origin.port).toBe(4242);
    expect(String(entry['message'])).toMatch(/env (NODE_CHANNEL_\w+,?)*$/);
    await origin.stop();
    await origin.stop();
    expect(() => process.kill(pidOf(entry), 0)).toThrow('ESRCH');
    expect(entries.filter(hasState('crashed'))).toEqual([]);
  });

  it('is started again on the same port after a crash, later each time', async () => {
    const { log, clock, next, fire, pass } = stage();
    let restarts = 0;
    let said = next(saysPid);
    origin = await supervise({ log, clock, childFile, onRestart: () => (restarts += 1) });
    for (const waitMs of [250, 500, 1000]) {
      const crashed = next(hasState('crashed'));
      process.kill(pidOf(await said), 'SIGKILL');
      expect(await crashed).toMatchObject({ level: 'warn', signal: 'SIGKILL', retryMs: waitMs });
      said = next(saysPid);
      const restarted = next(hasState('restarted'));
      fire(waitMs);
      expect(await restarted).toMatchObject({ level: 'info', port: 4242 });
    }
    expect(restarts).toBe(3);
    pass(30_000);
    const crashed = next(hasState('crashed'));
    process.kill(pidOf(await said), 'SIGKILL');
    expect(await crashed).toMatchObject({ retryMs: 250 });
  });

  it('is not started again when it crashed and the origin was stopped', async () => {
    const { log, clock, next, fire } = stage();
    const said = next(saysPid);
    origin = await supervise({ log, clock, childFile });
    const crashed = next(hasState('crashed'));
    process.kill(pidOf(await said), 'SIGKILL');
    await crashed;
    await origin.stop();
    expect(() => fire(250)).toThrow('no timer');
  });

  const failures: readonly [string, string, RegExp][] = [
    [
      'the package is missing',
      `process.send({ kind: 'failed', reason: 'package-missing', detail: 'x' });`,
      /npm install node-media-server@4\.4\.3/,
    ],
    ['it ends at once', `process.exit(3)`, /could not listen on loopback \(it ended with code 3\)/],
    ['it throws', `throw new Error('no')`, /it ended with code 1/],
  ];
  it.each(failures)('rejects the start when %s', async (_what, source, message) => {
    const file = join(folder, `fails-${_what.replaceAll(' ', '-')}.mjs`);
    writeFileSync(file, source);
    const { log, clock } = stage();
    const needs = 'node-media-server@4.4.3';
    await expect(supervise({ log, clock, childFile: file, needs })).rejects.toThrow(message);
  });

  it('is killed when it does not answer in time', async () => {
    const file = join(folder, 'silent.mjs');
    writeFileSync(file, `setInterval(() => undefined, 1000); console.log('[now] [INFO] pid ' + process.pid);`);
    const { log, clock, next, fire } = stage();
    const said = next(saysPid);
    const start = supervise({ log, clock, childFile: file });
    await said;
    fire(20_000);
    await expect(start).rejects.toThrow('it did not answer in time');
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));
