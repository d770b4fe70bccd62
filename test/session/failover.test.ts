import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/model/errors.js';
import type { OriginChoice } from '../../src/model/leg.js';
import { busy, makeBed, makeLeg, never, ORIGIN, originLeg, requestFor, turns, type Bed } from './door-bed.js';

const choice = (name: string, isLast = false): OriginChoice => ({
  ...ORIGIN,
  name,
  ...(!isLast && { connectTimeoutMs: 1000 }),
});
const POOL = [choice('a'), choice('b'), choice('c', true)];
const down = () => new GatewayError('origin-unavailable', 'origin', 'ECONNREFUSED');
const refused = () => new GatewayError('origin-refused', 'origin', 'NetStream.Play.Failed');

/** A leg whose origins answer as told; those not named open. */
function legOf(bed: Bed, answers: Readonly<Record<string, () => Error | 'hang'>>) {
  const tried: string[] = [];
  const leg = makeLeg(bed, ({ name }) => {
    tried.push(name);
    const answer = answers[name]?.();
    if (answer === 'hang') return new Promise(() => undefined);
    return answer === undefined ? Promise.resolve(originLeg(bed, leg.opened)) : Promise.reject(answer);
  });
  return { leg, tried };
}

describe('a stream whose origin cannot be reached', () => {
  it('goes to the next, and says so', async () => {
    const bed = makeBed({ chooseOrigin: () => POOL });
    const { leg, tried } = legOf(bed, { a: down, b: down });
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeDefined();
    expect(tried).toEqual(['a', 'b', 'c']);
    expect(bed.door.sessions()).toMatchObject([{ origin: 'c' }]);
    expect(bed.fieldsOf('session.note')).toMatchObject([
      { note: 'origin-passed-over', origin: 'a', detail: 'ECONNREFUSED' },
      { note: 'origin-passed-over', origin: 'b' },
    ]);
    expect(bed.counted.get('origin_failovers_total{"origin":"a"}')).toBe(1);
  });

  it('is refused when there is no other', async () => {
    const bed = makeBed({ chooseOrigin: () => POOL });
    const { leg, tried } = legOf(bed, { a: down, b: down, c: down });
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(tried).toEqual(['a', 'b', 'c']);
    expect(leg.refusals).toMatchObject([{ code: 'origin-unavailable' }]);
    expect(bed.clock.pending).toBe(0);
  });

  it.each([
    ['a refusal', refused, 'origin-refused'],
    ['a name in use', busy, 'stream-busy'],
    ['what a bug threw', () => new TypeError('x'), 'origin-unavailable'],
  ])('does not go on after %s', async (_what, answer, code) => {
    const bed = makeBed({ chooseOrigin: () => POOL });
    const { leg, tried } = legOf(bed, { a: answer });
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(tried).toEqual(['a']);
    expect(leg.refusals).toMatchObject([{ code }]);
  });

  it('does not go on for a client that has left', async () => {
    const bed = makeBed({ chooseOrigin: () => POOL });
    const { leg, tried } = legOf(bed, { a: () => 'hang' });
    const abort = new AbortController();
    const opening = bed.door.open(requestFor('cam'), leg, abort.signal);
    await turns();
    abort.abort();
    expect(await opening).toBeUndefined();
    expect(tried).toEqual(['a']);
  });
});

describe('an origin that is silent', () => {
  it('gets half of the time while there is another, and is told of', async () => {
    const silent: string[] = [];
    const bed = makeBed({ chooseOrigin: () => POOL, onOriginSilent: ({ name }) => void silent.push(name) });
    const { leg, tried } = legOf(bed, { a: () => 'hang' });
    const opening = bed.door.open(requestFor('cam'), leg, never);
    await turns();
    bed.clock.advance(2499);
    await turns();
    expect(tried).toEqual(['a']);
    bed.clock.advance(1);
    expect(await opening).toBeDefined();
    expect(tried).toEqual(['a', 'b']);
    expect(silent).toEqual(['a']);
  });

  it('and others that are too take no more than the deadline together', async () => {
    const bed = makeBed({ chooseOrigin: () => POOL });
    const hang = () => 'hang' as const;
    const { leg, tried } = legOf(bed, { a: hang, b: hang, c: hang });
    const opening = bed.door.open(requestFor('cam'), leg, never);
    for (let ms = 0; ms < 5000; ms += 50) {
      await turns();
      bed.clock.advance(50);
    }
    expect(await opening).toBeUndefined();
    expect(tried).toEqual(['a', 'b', 'c']);
    expect(bed.clock.pending).toBe(0);
  });
});

describe('a viewer', () => {
  it('is sent where the publisher of its stream is', async () => {
    const asked: unknown[] = [];
    const bed = makeBed({
      chooseOrigin: (request, preferred) => {
        asked.push([request.action, preferred]);
        return POOL;
      },
    });
    const { leg } = legOf(bed, { a: down });
    await bed.door.open(requestFor('cam'), leg, never);
    await bed.door.open(requestFor('cam', { action: 'subscribe' }), makeLeg(bed), never);
    await bed.door.open(requestFor('other', { action: 'subscribe' }), makeLeg(bed), never);
    expect(asked).toEqual([
      ['publish', undefined],
      ['subscribe', 'b'],
      ['subscribe', undefined],
    ]);
  });
});

describe('an origin that is several machines', () => {
  const cluster = { ...choice('cluster', true), find: 'srv' as const };
  const places = [
    { ...ORIGIN, name: 'cluster', host: 'one.example' },
    { ...ORIGIN, name: 'cluster', host: 'two.example' },
  ];

  it('is called at each until one can be reached', async () => {
    const bed = makeBed({ chooseOrigin: () => [cluster], locate: () => Promise.resolve(places) });
    const hosts: string[] = [];
    const leg = makeLeg(bed, ({ host }) => {
      hosts.push(host);
      return host === 'one.example' ? Promise.reject(down()) : Promise.resolve(originLeg(bed));
    });
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeDefined();
    expect(hosts).toEqual(['one.example', 'two.example']);
  });

  it.each<[string, () => Promise<readonly OriginChoice[]>, string]>([
    ['has none', () => Promise.resolve([]), 'origin-unavailable'],
    ['cannot be found', () => Promise.reject(refused()), 'origin-refused'],
  ])('is refused when it %s', async (_what, locate, code) => {
    const bed = makeBed({ chooseOrigin: () => [cluster], locate });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.refusals).toMatchObject([{ code }]);
  });
});
