import { describe, expect, it } from '@jest/globals';
import { createRevocations, MAX_REVOCATIONS } from '../../src/store/revocations.js';
import { fakeClock } from '../fakes/clock.js';

function listOf(maxTokenLifeS = 3600) {
  const clock = fakeClock();
  const revocations = createRevocations({ clock, maxTokenLifeS: () => maxTokenLifeS });
  return { clock, revocations, nowS: Math.floor(clock.now() / 1000) };
}

describe('the list of revocations', () => {
  it('finds a token by its id, and no other', () => {
    const { revocations } = listOf();
    revocations.add({ tokenId: 'a' });
    expect(revocations.find({ tokenId: 'a' })).toBe('its token id is revoked');
    expect(revocations.find({ tokenId: 'A' })).toBeUndefined();
    expect(revocations.find({})).toBeUndefined();
  });

  it('finds every token of a subject', () => {
    const { revocations, nowS } = listOf();
    revocations.add({ subject: 'cam-7' });
    expect(revocations.find({ subject: 'cam-7', issuedAtS: nowS + 99 })).toBe('its subject is revoked');
    expect(revocations.find({ subject: 'cam-8' })).toBeUndefined();
  });

  it('finds tokens issued before a moment, and those that do not say when', () => {
    const { revocations, nowS } = listOf();
    revocations.add({ issuedBeforeS: nowS });
    expect(revocations.find({ issuedAtS: nowS - 1 })).toContain('all tokens');
    expect(revocations.find({ issuedAtS: nowS })).toBeUndefined();
    expect(revocations.find({})).toContain('all tokens');
  });

  it('finds tokens of one subject issued before a moment', () => {
    const { revocations, nowS } = listOf();
    revocations.add({ subject: 'cam-7', issuedBeforeS: nowS - 10 });
    revocations.add({ subject: 'cam-7', issuedBeforeS: nowS });
    expect(revocations.find({ subject: 'cam-7', issuedAtS: nowS - 5 })).toContain('its subject');
    expect(revocations.find({ subject: 'cam-7', issuedAtS: nowS })).toBeUndefined();
    expect(revocations.find({ subject: 'cam-8', issuedAtS: 0 })).toBeUndefined();
  });

  it('wants all that an entry names to fit', () => {
    const { revocations } = listOf();
    revocations.add({ tokenId: '1', subject: 'cam-7' });
    expect(revocations.find({ tokenId: '1', subject: 'cam-7' })).toBeDefined();
    expect(revocations.find({ tokenId: '1', subject: 'cam-8' })).toBeUndefined();
    expect(revocations.find({ tokenId: '2', subject: 'cam-7' })).toBeUndefined();
  });

  it('takes entries of calls out again, and leaves those of the file', () => {
    const { revocations } = listOf();
    revocations.useFile([{ tokenId: 'filed' }]);
    const added = revocations.add({ tokenId: 'called' });
    expect(revocations.list().map(({ id, source }) => `${id} ${source}`)).toEqual(['f1 file', 'r1 call']);
    expect(revocations.remove('f1')).toBe(false);
    expect(revocations.remove(added?.revocation.id ?? '')).toBe(true);
    expect(revocations.find({ tokenId: 'called' })).toBeUndefined();
    expect(revocations.find({ tokenId: 'filed' })).toBeDefined();
    revocations.useFile([]);
    expect(revocations.find({ tokenId: 'filed' })).toBeUndefined();
  });

  it('drops what no token can fit any more, and keeps a subject for good', () => {
    const { clock, revocations, nowS } = listOf(600);
    revocations.add({ tokenId: 'a' });
    revocations.add({ issuedBeforeS: nowS });
    revocations.add({ subject: 'cam-7' });
    clock.advance(599_000);
    expect(revocations.find({ tokenId: 'a' })).toBeDefined();
    clock.advance(61_000);
    expect(revocations.find({ tokenId: 'a', issuedAtS: nowS + 1 })).toBeUndefined();
    expect(revocations.list()).toMatchObject([{ subject: 'cam-7' }]);
  });

  it('has sessions ended when it holds what was added, and says how many they were', () => {
    const { revocations } = listOf();
    expect(revocations.add({ tokenId: 'a' })?.ended).toBe(0);
    const seen: number[] = [];
    revocations.enforceBy(() => seen.push(revocations.list().length));
    expect(revocations.add({ tokenId: 'b' })?.ended).toBe(1);
    revocations.useFile([{ tokenId: 'c' }, { subject: 'd' }]);
    expect(seen).toEqual([2, 4]);
  });

  it('tells how long it is after every change, also one that makes it shorter', () => {
    const clock = fakeClock();
    const sizes: number[] = [];
    const onSize = (entries: number): void => void sizes.push(entries);
    const revocations = createRevocations({ clock, maxTokenLifeS: () => 600, onSize });
    const added = revocations.add({ tokenId: 'a' });
    revocations.add({ tokenId: 'b' });
    revocations.remove(added?.revocation.id ?? '');
    clock.advance(661_000);
    revocations.find({});
    expect([sizes.at(1), ...sizes.slice(-3)]).toEqual([1, 2, 1, 0]);
  });

  it('refuses more than it can hold', () => {
    const { revocations } = listOf();
    revocations.useFile(Array.from({ length: MAX_REVOCATIONS }, (_, index) => ({ tokenId: `t${index}` })));
    expect(revocations.add({ tokenId: 'one too many' })).toBeUndefined();
    expect(revocations.find({ tokenId: 't99999' })).toBeDefined();
  });
});
