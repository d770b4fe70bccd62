import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { FAR_STREAM, FilterBed, MEDIA, OWN_WORDS, ROUNDS, scenario } from './filter-bed.js';
import { basic, Dice, StrictReader, u24, u32, u32le } from './reference.js';

const SIZES = [1, 64, 128, 129, 4096, 1_048_577];
/** Bytes that mean something to a chunk reader. */
const TELLING = [0x00, 0x01, 0x02, 0x03, 0x04, 0x14, 0x16, 0x43, 0x44, 0x84, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xff];

/** A message that must never arrive, as bytes that may lie anywhere in a payload. */
const SMUGGLED = Buffer.concat([
  basic(0, 3),
  u24(0),
  u24(12),
  Buffer.from([20]),
  u32le(0),
  Buffer.from('\x02\x00\x07publish..'),
]);

function mutate(dice: Dice, bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from(bytes)];
  for (let count = 1 + dice.below(6); count > 0; count -= 1) {
    const whole = Buffer.concat(parts.splice(0));
    const at = dice.below(whole.length + 1);
    const size = dice.below(20);
    const [front, back] = [whole.subarray(0, at), whole.subarray(at)];
    switch (dice.below(7)) {
      case 0:
        parts.push(front, Buffer.from([dice.pick(TELLING)]), back.subarray(1));
        break;
      case 1:
        parts.push(front, back.subarray(size));
        break;
      case 2:
        parts.push(front, dice.bytes(size), back);
        break;
      case 3:
        parts.push(front, back.subarray(0, size * 10), back);
        break;
      case 4:
        parts.push(front, SMUGGLED, back.subarray(dice.chance(2) ? SMUGGLED.length : 0));
        break;
      case 5:
        parts.push(front, Buffer.from([dice.pick(TELLING)]), u24(0xffffff), u24(dice.below(300)), back);
        break;
      default:
        parts.push(
          front,
          basic(0, 2),
          u24(0),
          u24(4),
          Buffer.from([1 + dice.below(2)]),
          u32le(0),
          u32(dice.pick(SIZES)),
          back,
        );
    }
  }
  return Buffer.concat(parts);
}

/** Whatever goes in: what comes out pleases the strict reader and holds nothing that the policy did not let pass. */
function attack(dice: Dice, bytes: Buffer, outChunkSize: number): void {
  const bed = new FilterBed({ outChunkSize, maxCollectedBytes: 100_000 });
  bed.onMessage = (message) => {
    if (message.type === 20 && dice.chance(2)) bed.sendOwn(3);
  };
  for (const piece of dice.split(bytes, 300)) {
    try {
      bed.push(piece);
      if (dice.chance(8)) bed.sendOwn(dice.pick([2, 3, 4, 64]));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      bed.sendOwn(2);
      // The owner closes now. One that does not is safe all the same.
      if (dice.chance(2)) break;
    }
    expect(bed.table.collected).toBeLessThanOrEqual(100_000);
  }
  const far = new StrictReader(outChunkSize);
  far.push(bed.output());
  const allowed = new Map<string, number>();
  for (const passed of bed.passed) allowed.set(passed, (allowed.get(passed) ?? 0) + 1);
  for (const { type, streamId, payload } of far.messages) {
    if (payload.toString('latin1').startsWith(OWN_WORDS)) continue;
    expect(MEDIA).toContain(type);
    expect(streamId).toBe(FAR_STREAM);
    const key = `${type}/${payload.length}`;
    expect(allowed.get(key) ?? 0).toBeGreaterThan(0);
    allowed.set(key, (allowed.get(key) ?? 0) - 1);
  }
}

describe('hostile bytes', () => {
  it('smuggle nothing when valid conversations are mutated', () => {
    for (let seed = 1; seed <= 120 * ROUNDS; seed += 1) {
      const dice = new Dice(seed);
      const writer = scenario(dice, {
        dialect: dice.pick(['repeats', 'mixed']),
        chunkSizes: SIZES,
        abandons: true,
        steps: 30,
      });
      for (let round = 0; round < 3; round += 1) {
        attack(dice, mutate(dice, writer.bytes()), dice.pick([128, 4096]));
      }
    }
  });

  it('smuggle nothing when they are any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(), (bytes, seed) => {
        attack(new Dice(seed), Buffer.from(bytes), 128);
      }),
      { numRuns: 400 * ROUNDS },
    );
  });

  it('smuggle nothing when they are made of headers', () => {
    const header = fc
      .tuple(
        fc.constantFrom(2, 3, 4, 64, 320),
        fc.nat(3),
        fc.constantFrom(0, 20, 0xffffff),
        fc.nat(300),
        fc.nat(23),
        fc.nat(3),
      )
      .map(([id, format, time, length, type, streamId]) =>
        Buffer.concat([
          basic(format, id),
          format < 3 ? u24(time) : Buffer.alloc(0),
          format < 2 ? Buffer.concat([u24(length), Buffer.from([type])]) : Buffer.alloc(0),
          format < 1 ? u32le(streamId) : Buffer.alloc(0),
          time === 0xffffff && format < 3 ? u32(20_000_000) : Buffer.alloc(0),
        ]),
      );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 130, size: 'max' }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(u32(20_000_000), u32(128), SMUGGLED, Buffer.alloc(128), Buffer.alloc(128, 0xc4)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 2, arbitrary: header }, payload), { maxLength: 40 }),
        fc.nat(),
        (parts, seed) => {
          attack(new Dice(seed), Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 5]), ...parts]), 128);
        },
      ),
      { numRuns: 600 * ROUNDS },
    );
  });

  it('smuggle nothing by payloads that look like an extended timestamp', () => {
    for (let seed = 1; seed <= 150 * ROUNDS; seed += 1) {
      const dice = new Dice(seed);
      const time = dice.pick([0xffffff, 0xc4c4c4c4, 0x03030303, 20_000_000]);
      const parts = [basic(0, 4), u24(0xffffff), u24(700), Buffer.from([9]), u32le(1), u32(time)];
      const filler = Buffer.concat([u32(time), Buffer.from([dice.pick(TELLING)]), SMUGGLED]);
      for (let count = 0; count < 60; count += 1) {
        parts.push(dice.pick([basic(3, 4), u32(time), filler, Buffer.alloc(dice.below(128), 0xc4), dice.bytes(3)]));
      }
      attack(dice, Buffer.concat(parts), 128);
    }
  });
});
