import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../src/model/decision.js';
import type { OriginLeg } from '../../src/model/leg.js';
import type { ConnectionRequest } from '../../src/model/request.js';
import type { PublisherConflict } from '../../src/session/registry.js';
import { busy, identity, makeBed, makeLeg, never, originLeg, requestFor, turns, type Bed } from './door-bed.js';

/** A bed where the subject of a request is the user name beside its token. */
function bedOf(publisherConflict: PublisherConflict): Bed {
  const decide = (request: ConnectionRequest): Promise<Decision> => {
    const subject = request.remoteAddress;
    return Promise.resolve({ ok: true, identity: subject === '' ? identity() : identity({ subject }) });
  };
  return makeBed({ publisherConflict, decide });
}

const by = (subject: string, name = 'cam'): ConnectionRequest => requestFor(name, { remoteAddress: subject });

describe('a second publisher of a name', () => {
  it('is refused, and the first and its origin leg are not touched (RTMP-29)', async () => {
    const bed = bedOf('reject');
    const [first, second] = [makeLeg(bed), makeLeg(bed)];
    const session = await bed.door.open(by('anna'), first, never);
    expect(await bed.door.open(by('anna'), second, never)).toBeUndefined();
    expect(second.calls).toEqual(['refuse stream-busy']);
    expect(first.calls).toEqual(['dial', 'confirm']);
    expect(first.opened).toMatchObject([{ closes: 0 }]);
    expect(bed.fieldsOf('decision').at(-1)).toMatchObject({
      outcome: 'no',
      code: 'stream-busy',
      detail: `session ${session?.id} publishes it`,
      subject: 'anna',
    });
  });

  it('is refused while the first is still dialling, so that two cannot race', async () => {
    const bed = bedOf('reject');
    let open: (leg: OriginLeg) => void = () => undefined;
    const first = makeLeg(bed, () => new Promise((done) => (open = done)));
    const second = makeLeg(bed);
    const both = [bed.door.open(by('anna'), first, never), bed.door.open(by('ben'), second, never)];
    await turns();
    expect(second.calls).toEqual(['refuse stream-busy']);
    open(originLeg(bed));
    expect((await Promise.all(both)).map((session) => session !== undefined)).toEqual([true, false]);
  });

  it('is let in at once when the first has ended', async () => {
    const bed = bedOf('reject');
    const session = await bed.door.open(by('anna'), makeLeg(bed), never);
    const second = makeLeg(bed);
    session?.end('client-closed');
    expect(await bed.door.open(by('ben'), second, never)).toBeDefined();
  });

  it('is let in from within the goodbye of the first', async () => {
    const bed = bedOf('reject');
    const first = makeLeg(bed);
    const session = await bed.door.open(by('anna'), first, never);
    let again: Promise<unknown> = Promise.resolve();
    first.goodbye = () => {
      again = bed.door.open(by('anna'), makeLeg(bed), never);
    };
    session?.end('client-finished');
    expect(await again).toBeDefined();
  });

  it.each<[string, string, string, boolean]>([
    ['the same subject', 'anna', 'anna', true],
    ['another subject (RTMP-35)', 'anna', 'ben', false],
    ['no subject, against one without', '', '', false],
    ['a subject, against one without', '', 'anna', false],
  ])('with takeover-same-subject and %s takes over: %#', async (_, present, newcomer, isTaken) => {
    const bed = bedOf('takeover-same-subject');
    const [first, second] = [makeLeg(bed), makeLeg(bed)];
    await bed.door.open(by(present), first, never);
    bed.order.length = 0;
    const session = await bed.door.open(by(newcomer), second, never);
    expect(session !== undefined).toBe(isTaken);
    expect(bed.order).toEqual(
      isTaken ? ['relay.stop', 'origin.close', 'goodbye taken-over', 'dial', 'confirm'] : ['refuse stream-busy'],
    );
  });

  it('with takeover ends the first, whoever it is', async () => {
    const bed = bedOf('takeover');
    const first = makeLeg(bed);
    await bed.door.open(by('anna'), first, never);
    expect(await bed.door.open(by('ben'), makeLeg(bed), never)).toBeDefined();
    expect(first.calls.at(-1)).toBe('goodbye taken-over');
    expect(bed.door.sessions()).toHaveLength(1);
  });

  it('with takeover ends a first that is still dialling', async () => {
    const bed = bedOf('takeover');
    const first = makeLeg(bed, () => new Promise(() => undefined));
    const opening = bed.door.open(by('anna'), first, never);
    await turns();
    const session = await bed.door.open(by('ben'), makeLeg(bed), never);
    expect(await opening).toBeUndefined();
    expect(first.calls).toEqual(['dial', 'refuse stream-busy']);
    session?.end('kicked');
    expect(bed.clock.pending).toBe(0);
  });

  it('of another name, and viewers of any number, are no conflict', async () => {
    const bed = bedOf('reject');
    expect(await bed.door.open(by('anna', 'one'), makeLeg(bed), never)).toBeDefined();
    expect(await bed.door.open(by('anna', 'two'), makeLeg(bed), never)).toBeDefined();
    for (let viewer = 0; viewer < 3; viewer++) {
      const request = requestFor('one', { action: 'subscribe' });
      expect(await bed.door.open(request, makeLeg(bed), never)).toBeDefined();
    }
  });
});

describe('an origin that still holds the name', () => {
  /** Answers busy so many times. */
  const busyFor = (bed: Bed, times: number) => {
    const leg = makeLeg(bed, () => {
      if (leg.calls.filter((call) => call === 'dial').length <= times) return Promise.reject(busy());
      return Promise.resolve(originLeg(bed, leg.opened));
    });
    return leg;
  };
  /** Publishes and leaves, `agoMs` ago. */
  const cameAndWent = async (bed: Bed, agoMs: number): Promise<void> => {
    const session = await bed.door.open(by('anna'), makeLeg(bed), never);
    session?.end('client-closed');
    bed.clock.advance(agoMs);
  };
  const dials = (leg: { readonly calls: readonly string[] }): number =>
    leg.calls.filter((call) => call === 'dial').length;
  const wait = async (bed: Bed, ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 50) {
      await turns();
      bed.clock.advance(50);
    }
    await turns();
  };

  it('after our own teardown is asked again every 250 ms (RTMP-30, RTMP-36, RTMP-37)', async () => {
    const bed = bedOf('reject');
    await cameAndWent(bed, 1000);
    const leg = busyFor(bed, 4);
    const opening = bed.door.open(by('anna'), leg, never);
    await wait(bed, 200);
    expect(dials(leg)).toBe(1);
    await wait(bed, 50);
    expect(dials(leg)).toBe(2);
    await wait(bed, 750);
    expect(await opening).toBeDefined();
    expect(dials(leg)).toBe(5);
    expect(bed.fieldsOf('session.note').map((fields) => fields['attempt'])).toEqual([1, 2, 3, 4]);
  });

  it('for more than 3 seconds is a conflict', async () => {
    const bed = bedOf('reject');
    await cameAndWent(bed, 0);
    const leg = busyFor(bed, Infinity);
    const opening = bed.door.open(by('anna'), leg, never);
    await wait(bed, 3100);
    expect(await opening).toBeUndefined();
    expect(leg.calls.at(-1)).toBe('refuse stream-busy');
    expect(dials(leg)).toBe(13);
    expect(bed.clock.pending).toBe(0);
  });

  it.each<[string, (bed: Bed) => Promise<void>]>([
    ['that was never ours', () => Promise.resolve()],
    ['that we let go of long ago', (bed) => cameAndWent(bed, 5001)],
    [
      'that a refused publisher of ours asked for a moment ago',
      async (bed) => {
        await bed.door.open(by('anna'), busyFor(bed, Infinity), never);
      },
    ],
    [
      'that one of our viewers left',
      async (bed) => {
        const request = requestFor('cam', { action: 'subscribe' });
        (await bed.door.open(request, makeLeg(bed), never))?.end('client-closed');
      },
    ],
  ])('%s is a conflict at once', async (_, before) => {
    const bed = bedOf('reject');
    await before(bed);
    const leg = busyFor(bed, 1);
    expect(await bed.door.open(by('anna'), leg, never)).toBeUndefined();
    expect(leg.calls).toEqual(['dial', 'refuse stream-busy']);
  });

  it('after a takeover is asked again as well (RTMP-38)', async () => {
    const bed = bedOf('takeover-same-subject');
    await bed.door.open(by('anna'), makeLeg(bed), never);
    const opening = bed.door.open(by('anna'), busyFor(bed, 1), never);
    await wait(bed, 300);
    expect(await opening).toBeDefined();
  });

  it('is not asked again for a viewer', async () => {
    const bed = bedOf('reject');
    await cameAndWent(bed, 0);
    const leg = busyFor(bed, 1);
    expect(await bed.door.open(requestFor('cam', { action: 'subscribe' }), leg, never)).toBeUndefined();
  });

  it('is not asked again when the client has left', async () => {
    const bed = bedOf('reject');
    await cameAndWent(bed, 0);
    const abort = new AbortController();
    const leg = busyFor(bed, Infinity);
    const opening = bed.door.open(by('anna'), leg, abort.signal);
    await wait(bed, 100);
    abort.abort();
    expect(await opening).toBeUndefined();
    await wait(bed, 1000);
    expect(leg.calls).toEqual(['dial']);
    expect(bed.clock.pending).toBe(0);
  });
});
