import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { GatewayError, WireError } from '../../src/model/errors.js';
import type { EndReason, OriginLeg } from '../../src/model/leg.js';
import { reject } from '../../src/model/rejection.js';
import { Secret } from '../../src/model/secret.js';
import {
  busy,
  makeBed,
  makeLeg,
  never,
  originLeg,
  requestFor,
  turns,
  yes,
  type Bed,
  type FakeLeg,
} from './door-bed.js';

const hang = (): Promise<OriginLeg> => new Promise(() => undefined);

/** Fails when the session room left a timer behind. */
function nothingLeft(bed: Bed): void {
  expect(bed.door.sessions()).toEqual([]);
  expect(bed.clock.pending).toBe(0);
}

describe('a session', () => {
  it('asks the law, dials, confirms and relays, in this order', async () => {
    const bed = makeBed({ verdict: () => (bed.order.push('decide'), yes()) });
    const leg = makeLeg(bed);
    const session = await bed.door.open(requestFor('cam'), leg, never);
    expect(bed.order).toEqual(['decide', 'dial', 'confirm']);
    expect(bed.relays.length).toBe(1);
    session?.end('kicked');
    nothingLeft(bed);
  });

  it('writes one decision, one start and one end, and counts them', async () => {
    const bed = makeBed({ verdict: () => yes({ subject: 'anna', tokenId: 't-1', issuer: 'https://issuer.example' }) });
    const token = new Secret('canary.token.text');
    const request = requestFor('cam', { credential: { token, carrier: 'name-query' } });
    const session = await bed.door.open(request, makeLeg(bed), never);
    bed.clock.advance(1500);
    bed.relays[0]!.bytes = [1000, 50];
    session?.end('kicked');

    const about = { session: request.sessionId, transport: 'RTMP', action: 'publish', path: 'live/cam' };
    expect(bed.fieldsOf('decision')).toEqual([
      {
        ...about,
        secure: true,
        address: '198.51.100.7',
        subject: 'anna',
        tokenId: 't-1',
        issuer: 'https://issuer.example',
        token: token.fingerprint(),
        carrier: 'name-query',
        outcome: 'yes',
        code: undefined,
        detail: undefined,
        ms: 0,
      },
    ]);
    expect(bed.fieldsOf('session.start')).toEqual([{ ...about, subject: 'anna', origin: 'red5-a', setupMs: 0 }]);
    expect(bed.fieldsOf('session.end')).toEqual([
      {
        ...about,
        subject: 'anna',
        tokenId: 't-1',
        token: 'bb460f36',
        address: '198.51.100.7',
        origin: 'red5-a',
        reason: 'kicked',
        durationMs: 1500,
        clientBytes: 1000,
        originBytes: 50,
        error: undefined,
      },
    ]);
    expect(inspect(bed.lines, { depth: 9 })).not.toContain('canary');
    expect(Object.fromEntries(bed.counted)).toEqual({
      'decisions_total{"transport":"RTMP","action":"publish","outcome":"yes","code":"none"}': 1,
      'decision_seconds{}': 1,
      'setup_seconds{"transport":"RTMP","role":"publisher"}': 1,
      'sessions{"transport":"RTMP","role":"publisher"}': 0,
      'sessions_ended_total{"transport":"RTMP","role":"publisher","reason":"kicked"}': 1,
      'relay_bytes_total{"transport":"RTMP","direction":"in"}': 1000,
      'relay_bytes_total{"transport":"RTMP","direction":"out"}': 50,
    });
  });

  it('adds up its bytes while it runs', async () => {
    const bed = makeBed();
    const session = await bed.door.open(requestFor('cam'), makeLeg(bed), never);
    const total = (): number | undefined => bed.counted.get('relay_bytes_total{"transport":"RTMP","direction":"in"}');
    bed.relays[0]!.bytes = [100, 0];
    bed.clock.advance(5000);
    expect(total()).toBe(100);
    bed.relays[0]!.bytes = [250, 0];
    session?.end('kicked');
    expect(total()).toBe(250);
  });

  it('is on the list from its request to its end', async () => {
    const bed = makeBed({ verdict: () => yes({ subject: 'anna' }) });
    const opening = bed.door.open(requestFor('cam'), makeLeg(bed), never);
    expect(bed.door.sessions()).toMatchObject([{ path: 'live/cam', isRunning: false, origin: undefined }]);
    const session = await opening;
    expect(bed.door.sessions()).toMatchObject([{ isRunning: true, origin: 'red5-a', subject: 'anna' }]);
    session?.end('kicked');
    nothingLeft(bed);
  });
});

describe('a refusal', () => {
  it('of the law is said once, recorded once, and no origin is touched', async () => {
    const bed = makeBed({
      verdict: () => ({ ok: false, rejection: reject('room-denied', 'room1 is not in the claim') }),
    });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.calls).toEqual(['refuse room-denied']);
    expect(bed.fieldsOf('decision')).toMatchObject([
      { outcome: 'no', code: 'room-denied', detail: 'room1 is not in the claim' },
    ]);
    nothingLeft(bed);
  });

  it('is what a pipeline that breaks its promise amounts to', async () => {
    const bed = makeBed({ decide: () => Promise.reject(new Error('broken')) });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.calls).toEqual(['refuse hook-failed']);
    expect(bed.fieldsOf('gateway.error')).toHaveLength(1);
    expect(bed.fieldsOf('decision')).toHaveLength(1);
  });

  it('meets everything new while the gateway drains, and no hook is asked', async () => {
    const bed = makeBed({ isDraining: () => true, verdict: () => (bed.order.push('decide'), yes()) });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(bed.order).toEqual(['refuse draining']);
    expect(await bed.door.decide(requestFor('cam', { action: 'connect' }))).toMatchObject({ ok: false });
    expect(bed.fieldsOf('decision')).toMatchObject([{ code: 'draining' }, { code: 'draining' }]);
  });

  it('comes when no origin serves the stream', async () => {
    const bed = makeBed({ chooseOrigin: () => [] });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.refusals).toEqual([reject('origin-unavailable', 'no origin serves live/cam')]);
    nothingLeft(bed);
  });

  it.each<[string, unknown, string, string, boolean]>([
    [
      'is down',
      new GatewayError('origin-unavailable', 'origin', 'ECONNREFUSED'),
      'origin-unavailable',
      'ECONNREFUSED',
      false,
    ],
    [
      'refuses',
      new GatewayError('origin-refused', 'origin', 'Connect.Rejected'),
      'origin-refused',
      'Connect.Rejected',
      false,
    ],
    ['has the name in use', busy(), 'stream-busy', 'NetStream.Publish.BadName', false],
    ['fails in words of its own', new GatewayError('banana', 'origin', 'odd'), 'origin-unavailable', 'odd', false],
    [
      'talks nonsense',
      new WireError('amf-depth', 'at most 8 levels', 3),
      'origin-unavailable',
      'the origin sent nonsense: amf-depth at byte 3: at most 8 levels',
      false,
    ],
    [
      'meets a bug of ours',
      new TypeError('x is not a function'),
      'origin-unavailable',
      'the gateway failed to dial',
      true,
    ],
    ['meets a throw of no error', 'just a text', 'origin-unavailable', 'the gateway failed to dial', true],
  ])('comes when the origin %s', async (_, error, code, detail, isBug) => {
    const bed = makeBed({ verdict: () => yes({ subject: 'anna' }) });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a leg may do so
    const leg = makeLeg(bed, () => Promise.reject(error));
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.calls).toEqual(['dial', `refuse ${code}`]);
    expect(leg.refusals[0]?.detail).toBe(detail);
    const who = { address: '198.51.100.7', subject: 'anna' };
    expect(bed.fieldsOf('session.note')).toMatchObject([{ note: 'refused', ...who, origin: 'red5-a', code, detail }]);
    expect(bed.fieldsOf('gateway.error').length).toBe(isBug ? 1 : 0);
    expect(bed.fieldsOf('decision')).toHaveLength(1);
    nothingLeft(bed);
  });

  it('comes when a dial throws at once', async () => {
    const bed = makeBed();
    const leg = makeLeg(bed, () => {
      throw new TypeError('a bug');
    });
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(leg.calls).toEqual(['dial', 'refuse origin-unavailable']);
    nothingLeft(bed);
  });

  it('comes after the dial deadline, and the dial is called off', async () => {
    const bed = makeBed({ dialTimeoutMs: 5000 });
    let dialSignal = never;
    const leg = makeLeg(bed, (_, signal) => {
      dialSignal = signal;
      return hang();
    });
    const opening = bed.door.open(requestFor('cam'), leg, never);
    await turns();
    bed.clock.advance(4999);
    await turns();
    expect(leg.calls).toEqual(['dial']);
    bed.clock.advance(1);
    expect(await opening).toBeUndefined();
    expect(leg.refusals[0]?.detail).toBe('the origin did not answer within 5000 ms');
    expect(dialSignal.aborted).toBe(true);
    nothingLeft(bed);
  });

  it('says of a decision that no stream comes of it, where one could be looked for', async () => {
    const bed = makeBed({ verdict: () => yes() });
    await bed.door.decide(requestFor('cam'));
    await bed.door.decide(requestFor('cam', { action: 'connect' }));
    await bed.door.open(requestFor('cam'), makeLeg(bed), never);
    expect(bed.fieldsOf('decision').map(({ opens }) => opens)).toEqual([false, undefined, undefined]);
  });

  it('before the law was asked is recorded in the same shape', async () => {
    const bed = makeBed();
    await bed.door.decide(requestFor('cam'));
    bed.door.refused(requestFor('cam'), reject('path-invalid', 'an empty segment'));
    const [first, second] = bed.fieldsOf('decision');
    expect(Object.keys(second ?? {})).toEqual(Object.keys(first ?? {}));
    expect(second).toMatchObject({ outcome: 'no', code: 'path-invalid', detail: 'an empty segment', ms: 0 });
  });

  it('closes an origin leg that opens too late', async () => {
    const bed = makeBed();
    let open: (leg: OriginLeg) => void = () => undefined;
    const leg = makeLeg(bed, () => new Promise((done) => (open = done)));
    const opening = bed.door.open(requestFor('cam'), leg, never);
    await turns();
    bed.clock.advance(5000);
    await opening;
    const late = originLeg(bed);
    open(late);
    await turns();
    expect(late.closes).toBe(1);
  });
});

describe('a client that leaves', () => {
  it('while the law is asked ends it without a word, and is recorded', async () => {
    const abort = new AbortController();
    const bed = makeBed({ verdict: () => (abort.abort(), yes()) });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, abort.signal)).toBeUndefined();
    expect(leg.calls).toEqual([]);
    expect(bed.fieldsOf('decision')).toHaveLength(1);
    nothingLeft(bed);
  });

  it('before it asked ends it too', async () => {
    const bed = makeBed();
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, AbortSignal.abort())).toBeUndefined();
    expect(leg.calls).toEqual([]);
    nothingLeft(bed);
  });

  it('while the origin is dialled calls the dial off and frees the name', async () => {
    const bed = makeBed();
    const abort = new AbortController();
    let dialSignal = never;
    let open: (leg: OriginLeg) => void = () => undefined;
    const leg = makeLeg(bed, (_, signal) => {
      dialSignal = signal;
      return new Promise((done) => (open = done));
    });
    const opening = bed.door.open(requestFor('cam'), leg, abort.signal);
    await turns();
    abort.abort();
    expect(await opening).toBeUndefined();
    expect(dialSignal.aborted).toBe(true);
    expect(leg.calls).toEqual(['dial']);
    const late = originLeg(bed);
    open(late);
    await turns();
    expect(late.closes).toBe(1);
    expect(await bed.door.open(requestFor('cam'), makeLeg(bed), never)).toBeDefined();
  });

  it('in the very moment in which the origin answers leaves no leg open', async () => {
    const bed = makeBed();
    const abort = new AbortController();
    const opened = originLeg(bed);
    const leg = makeLeg(bed, () => {
      const answer = Promise.resolve(opened);
      void answer.then(() => queueMicrotask(() => queueMicrotask(() => abort.abort())));
      return answer;
    });
    await bed.door.open(requestFor('cam'), leg, abort.signal);
    await turns();
    expect(opened.closes).toBe(1);
    expect(bed.door.sessions()).toEqual([]);
  });

  it('while it is relayed ends the session as its own doing', async () => {
    const bed = makeBed();
    const abort = new AbortController();
    const leg = makeLeg(bed);
    await bed.door.open(requestFor('cam'), leg, abort.signal);
    abort.abort();
    expect(leg.calls).toEqual(['dial', 'confirm', 'goodbye client-closed']);
    nothingLeft(bed);
  });
});

describe('an end', () => {
  it.each<EndReason>(['client-closed', 'origin-finished', 'media-idle', 'slow-viewer', 'client-error'])(
    'by the relay (%s) stops it, closes the origin, says goodbye, once each and in this order',
    async (reason) => {
      const bed = makeBed();
      const leg = makeLeg(bed);
      const session = await bed.door.open(requestFor('cam'), leg, never);
      bed.order.length = 0;
      bed.relays[0]?.end(reason, new Error('read ECONNRESET'));
      bed.relays[0]?.end('client-closed');
      session?.end('kicked');
      expect(bed.order).toEqual(['relay.stop', 'origin.close', `goodbye ${reason}`]);
      expect(bed.fieldsOf('session.end')).toMatchObject([{ reason, error: 'read ECONNRESET' }]);
      nothingLeft(bed);
    },
  );

  it('while the relay starts is not missed', async () => {
    const bed = makeBed({
      startRelay: (_, onEnd) => {
        onEnd('client-closed');
        return { clientBytes: 0, originBytes: 0, stop: () => void bed.order.push('relay.stop') };
      },
    });
    const leg = makeLeg(bed);
    await bed.door.open(requestFor('cam'), leg, never);
    expect(bed.order).toEqual(['dial', 'confirm', 'origin.close', 'goodbye client-closed', 'relay.stop']);
    nothingLeft(bed);
  });

  it('for all reaches those that run and those that are being set up', async () => {
    const bed = makeBed();
    const running = makeLeg(bed);
    const dialling = makeLeg(bed, hang);
    await bed.door.open(requestFor('one'), running, never);
    const opening = bed.door.open(requestFor('two'), dialling, never);
    await turns();
    bed.door.endAll('draining');
    expect(await opening).toBeUndefined();
    expect(running.calls.at(-1)).toBe('goodbye draining');
    expect(dialling.calls).toEqual(['dial', 'refuse draining']);
    nothingLeft(bed);
  });

  const faulty: [string, (leg: FakeLeg) => void, string[]][] = [
    ['confirm', (leg) => (leg.confirm = thrower), ['origin.close', 'goodbye gateway-error']],
    ['goodbye', (leg) => (leg.goodbye = thrower), ['confirm', 'relay.stop', 'origin.close']],
  ];
  const thrower = (): never => {
    throw new Error('a bug in the leg');
  };
  it.each(faulty)('is complete although %s throws', async (_, spoil, expected) => {
    const bed = makeBed();
    const leg = makeLeg(bed);
    spoil(leg);
    const session = await bed.door.open(requestFor('cam'), leg, never);
    session?.end('kicked');
    expect(bed.order.filter((call) => call !== 'dial')).toEqual(expected);
    expect(bed.fieldsOf('gateway.error')).toHaveLength(1);
    expect(bed.fieldsOf('session.end')).toHaveLength(1);
    nothingLeft(bed);
    expect(await bed.door.open(requestFor('cam'), makeLeg(bed), never)).toBeDefined();
  });

  it('is complete although refuse, the relay and the origin leg throw', async () => {
    const refused = makeBed({ verdict: () => ({ ok: false, rejection: reject('role-denied', 'x') }) });
    const leg = makeLeg(refused);
    leg.refuse = thrower;
    expect(await refused.door.open(requestFor('cam'), leg, never)).toBeUndefined();
    expect(refused.fieldsOf('gateway.error')).toHaveLength(1);
    nothingLeft(refused);

    const bed = makeBed({ startRelay: () => ({ clientBytes: 0, originBytes: 0, stop: thrower }) });
    const other = makeLeg(bed, () => Promise.resolve({ close: thrower }));
    const session = await bed.door.open(requestFor('cam'), other, never);
    session?.end('kicked');
    expect(other.calls.at(-1)).toBe('goodbye kicked');
    expect(bed.fieldsOf('gateway.error')).toHaveLength(2);
    nothingLeft(bed);
  });

  it('is complete although the relay cannot be started', async () => {
    const bed = makeBed({ startRelay: thrower });
    const leg = makeLeg(bed);
    await bed.door.open(requestFor('cam'), leg, never);
    expect(bed.order).toEqual(['dial', 'confirm', 'origin.close', 'goodbye gateway-error']);
    nothingLeft(bed);
  });
});
