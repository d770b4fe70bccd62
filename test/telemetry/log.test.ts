import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GatewayError } from '../../src/model/errors.js';
import { Secret } from '../../src/model/secret.js';
import type { LogFields, LogLevel } from '../../src/model/telemetry.js';
import { createLog } from '../../src/telemetry/log.js';

function lineOf(fields: LogFields, format: 'json' | 'text' = 'json'): string {
  const lines: string[] = [];
  createLog({ level: 'debug', format, now: () => 0, write: (line) => lines.push(line) }).write(
    'info',
    'decision',
    fields,
  );
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

const parsed = (fields: LogFields): unknown => JSON.parse(lineOf(fields));
const base = { time: '1970-01-01T00:00:00.000Z', level: 'info', event: 'decision' };

describe('a line of JSON', () => {
  it('has time, level and event first, then the fields', () => {
    expect(lineOf({ code: 'role-denied', n: 1, ok: false, none: null })).toBe(
      `{"time":"1970-01-01T00:00:00.000Z","level":"info","event":"decision","code":"role-denied","n":1,"ok":false,"none":null}\n`,
    );
  });

  it('shows a secret as its fingerprint', () => {
    const token = new Secret('a secret text');
    const line = lineOf({ token, deep: { list: [token] } });
    expect(line).toContain(`"token":"secret:${token.fingerprint()}"`);
    expect(line).not.toContain('a secret text');
  });

  it('shows an error as name, code, message and cause, without a stack', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const error = new GatewayError('origin-unavailable', 'origin', 'nobody there', { cause });
    expect(parsed({ error })).toEqual({
      ...base,
      error: {
        name: 'GatewayError',
        code: 'origin-unavailable',
        message: 'nobody there',
        cause: { name: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
      },
    });
  });

  it('keeps its own names to itself', () => {
    expect(parsed({ time: 'x', level: 'y', event: 'z' })).toEqual({ ...base, time_: 'x', level_: 'y', event_: 'z' });
  });

  it.each<[string, unknown, unknown]>([
    ['a BigInt', 12n, '12'],
    ['no number', Number.NaN, 'NaN'],
    ['infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a broken date', new Date(Number.NaN), 'no date'],
    ['bytes', Buffer.from('abc'), '[3 bytes]'],
    ['a set', new Set(['a']), ['a']],
    ['a map', new Map([['a', 1]]), { a: 1 }],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function in a list', [() => 1], [null]],
    ['depth', { a: { b: { c: { d: 1 } } } }, { a: { b: { c: '[deep]' } } }],
    ['a long list', Array.from({ length: 60 }, () => 1), Array.from({ length: 50 }, () => 1)],
    ['a prototype', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":1}')],
    ['an object without prototype', Object.create(null), {}],
    ['a forged line', 'a\n{"event":"x"}', 'a{"event":"x"}'],
  ])('holds %s', (_, value, expected) => {
    expect(parsed({ value })).toEqual({ ...base, value: expected });
  });

  it('survives circles, throwing getters and proxies', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const thrower = {
      get bad(): string {
        throw new Error('no');
      },
    };
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const error = new Error('x');
    Object.defineProperty(error, 'message', {
      get: () => {
        throw new Error('no');
      },
    });
    const line = lineOf({
      circle,
      thrower,
      proxy,
      revoked: revoked.proxy,
      error,
      odd: {
        toJSON: () => {
          throw new Error();
        },
      },
    });
    expect(JSON.parse(line)).toMatchObject({ thrower: { bad: '[unreadable]' }, proxy: '[unreadable]' });
  });

  it('leaves out what is undefined', () => {
    expect(parsed({ a: undefined, b: () => 1 })).toEqual(base);
  });

  it('is always one line, whatever is logged', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything(), { maxKeys: 5 }), (fields) => {
        const line = lineOf(fields);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(JSON.parse(line)).toMatchObject(base);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a line of text', () => {
  it('is for people', () => {
    expect(lineOf({ code: 'role-denied', path: 'live/a b', n: 1, token: new Secret('x') }, 'text')).toBe(
      `00:00:00.000 INFO  decision code=role-denied path="live/a b" n=1 token=${new Secret('x').toString()}\n`,
    );
  });
});

describe('the log', () => {
  it.each<[LogLevel, readonly LogLevel[]]>([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ])('at level %s writes %j', (level, expected) => {
    const seen: unknown[] = [];
    const log = createLog({ level, format: 'json', now: () => 0, write: (line) => seen.push(JSON.parse(line)) });
    const all = ['debug', 'info', 'warn', 'error'] as const;
    for (const one of all) log.write(one, 'session.note', {});
    expect(seen).toMatchObject(expected.map((one) => ({ level: one })));
    expect(all.filter((one) => log.enabled(one))).toEqual(expected);
  });

  it('never throws, whoever does', () => {
    const fail = () => {
      throw new Error('EPIPE');
    };
    expect(() =>
      createLog({ level: 'info', format: 'json', now: () => 0, write: fail }).write('info', 'decision', {}),
    ).not.toThrow();
    expect(() =>
      createLog({ level: 'info', format: 'json', now: fail, write: () => undefined }).write('info', 'decision', {}),
    ).not.toThrow();
    const broken = createLog({ level: 'info', format: 'json', now: () => Number.NaN, write: () => undefined });
    expect(() => broken.write('info', 'decision', null as unknown as LogFields)).not.toThrow();
    expect(inspect(broken)).toBeDefined();
  });
});
