import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createJsonForm } from '../../src/hooks/call-http/json-form.js';
import { ROUND_TRIP } from '../../src/hooks/call-http/round-trip.js';
import { applyRestriction, readRestriction } from '../../src/hooks/restriction.js';
import { readFetchedKeys } from '../../src/hooks/verify-token/fetched-keys.js';
import type { Identity } from '../../src/model/identity.js';
import { makeRequest } from './requests.js';

const RUNS = { numRuns: 500 };
const json = createJsonForm({ sendToken: false, sendSessionId: true });
const word = fc.constantFrom('red5-publisher', 'red5-subscriber', 'RTMP', 'WHIP', 'room1', 'a/b', '', 'x');
const limit = fc.oneof(fc.array(word, { maxLength: 4 }), fc.double(), fc.jsonValue({ maxDepth: 1 }));
const limits = fc.dictionary(fc.constantFrom('roles', 'transports', 'rooms', 'expiresAtS', 'maxKbps', 'other'), limit);
const answer = fc.record(
  { allow: fc.oneof(fc.boolean(), fc.jsonValue({ maxDepth: 1 })), limits, code: word },
  { requiredKeys: [] },
);

describe('whatever a server says', () => {
  it('is a yes only when allow is true, and never an error', () => {
    fc.assert(
      fc.property(fc.oneof(answer, fc.jsonValue()), (value) => {
        const read = json.read(JSON.stringify(value));
        const allows = (value as { readonly allow?: unknown } | null)?.allow;
        expect(read.says === 'yes' && allows !== true).toBe(false);
      }),
      RUNS,
    );
  });

  it('in any bytes is never an error, and no yes unless it is JSON', () => {
    const cuts = fc.nat({ max: 40 }).map((length) => '{"allow":true,"result":true,"keys":[]}'.slice(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), cuts), (body) => {
        const isWhole = (): boolean => {
          try {
            return typeof JSON.parse(body) === 'object';
          } catch {
            return false;
          }
        };
        for (const form of [json, ROUND_TRIP]) expect(form.read(body).says === 'yes' && !isWhole()).toBe(false);
        const from = { id: 'k', secure: true, algorithms: ['RS256'] } as const;
        expect(typeof readFetchedKeys(body, from).ok).toBe('boolean');
      }),
      RUNS,
    );
  });

  it('widens nothing', () => {
    const set = <T extends string>(...all: readonly T[]) =>
      fc.option(
        fc.subarray([...all]).map((list) => new Set(list)),
        { nil: undefined },
      );
    const identity = fc.record({
      expiresAtS: fc.integer({ min: 1_800_000_000, max: 2_000_000_000 }),
      roles: set('red5-publisher', 'red5-subscriber'),
      transports: set('RTMP', 'WHIP'),
      rooms: set('room1', 'a/b', 'x'),
      maxKbps: fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined }),
    });
    const isWithin = (inner: ReadonlySet<string> | undefined, outer: ReadonlySet<string> | undefined): boolean =>
      outer === undefined || (inner !== undefined && [...inner].every((one) => outer.has(one)));
    fc.assert(
      fc.property(identity, limits, (raw, given) => {
        const before = Object.fromEntries(
          Object.entries(raw).filter(([, one]) => one !== undefined),
        ) as unknown as Identity;
        const restriction = readRestriction(given);
        if (restriction === undefined) return;
        const decision = applyRestriction(makeRequest(), before, restriction, 1_700_000_000_000);
        if (!decision.ok) return;
        const after = decision.identity ?? before;
        expect(after.expiresAtS).toBeLessThanOrEqual(before.expiresAtS);
        expect(after.maxKbps ?? Infinity).toBeLessThanOrEqual(before.maxKbps ?? Infinity);
        expect(isWithin(after.roles, before.roles)).toBe(true);
        expect(isWithin(after.transports, before.transports)).toBe(true);
        expect(isWithin(after.rooms, before.rooms)).toBe(true);
      }),
      RUNS,
    );
  });
});
