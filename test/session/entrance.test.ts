import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/model/errors.js';
import { Secret } from '../../src/model/secret.js';
import type { SessionRules, TokenMemory } from '../../src/session/session.js';
import { makeBed, makeLeg, never, requestFor, turns, yes, type Bed } from './door-bed.js';

const rules = (more: Partial<SessionRules>) => (): SessionRules => ({
  ...{ expiryWarningMs: 0, expiryGraceMs: 0, publisherKbps: 0, oneTimeTokens: false },
  ...{ sessionsPerToken: 0, sessionsPerSubject: 0, viewersPerStream: 0 },
  ...more,
});

/** A memory of tokens that the test can look into. */
function memory() {
  const revoked = new Set<string>();
  const used = new Set<string>();
  const tokens: TokenMemory = {
    whyRevoked: ({ tokenId = '' }) => (revoked.has(tokenId) ? 'its token id is revoked' : undefined),
    take: (key) => !used.has(key) && used.add(key).has(key),
    giveBack: (key) => void used.delete(key),
  };
  return { revoked, used, tokens };
}

/** Each with a token of its own. */
const withToken = (name: string, more: Parameters<typeof requestFor>[1] = {}) => {
  const credential = { token: new Secret(`x.${++tokens}.z`), carrier: 'bearer' } as const;
  return requestFor(name, { credential, ...more });
};
let tokens = 0;

const enter = (bed: Bed, name: string, more: Parameters<typeof requestFor>[1] = {}) => {
  const leg = makeLeg(bed);
  return { leg, opened: bed.door.open(withToken(name, more), leg, never) };
};

const view = { action: 'subscribe' } as const;

describe('sessions at once', () => {
  const limited = [
    ['a token', { sessionsPerToken: 1 }, 'the token has 1 sessions already'],
    ['a subject', { sessionsPerSubject: 1 }, 'the subject has 1 sessions already'],
    ['the viewers of a stream', { viewersPerStream: 1 }, 'the stream has 1 viewers already'],
  ] as const;

  it.each(limited)('are limited for %s, those being set up included', async (_what, limits, detail) => {
    const bed = makeBed({ rules: rules(limits), verdict: () => yes({ subject: 'anna' }) });
    const credential = { token: new Secret('a.b.c'), carrier: 'query' } as never;
    const first = makeLeg(bed, () => new Promise(() => undefined));
    void bed.door.open(requestFor('cam', { ...view, credential }), first, never);
    await turns();
    const second = enter(bed, 'cam', { ...view, credential });
    expect(await second.opened).toBeUndefined();
    expect(second.leg.refusals).toMatchObject([{ code: 'limit-connections', detail }]);
    bed.door.endAll('kicked');
    expect(await enter(bed, 'cam', { ...view, credential }).opened).toBeDefined();
  });

  it('do not stand in the way of a takeover by the same subject, who would have one afterwards too', async () => {
    const bed = makeBed({
      rules: rules({ sessionsPerSubject: 1 }),
      publisherConflict: 'takeover-same-subject',
      verdict: () => yes({ subject: 'anna' }),
    });
    const first = enter(bed, 'cam');
    await first.opened;
    expect(await enter(bed, 'cam').opened).toBeDefined();
    expect(first.leg.calls.at(-1)).toBe('goodbye taken-over');
    expect(await enter(bed, 'other').opened).toBeUndefined();
  });

  it('leave the present publisher alone when the one who wants the name may not have another session', async () => {
    const bed = makeBed({
      rules: rules({ sessionsPerToken: 1 }),
      publisherConflict: 'takeover',
      verdict: () => yes(),
    });
    const credential = { token: new Secret('d.e.f'), carrier: 'query' } as never;
    const present = enter(bed, 'cam');
    await present.opened;
    await enter(bed, 'other', { credential }).opened;
    expect(await enter(bed, 'cam', { credential }).opened).toBeUndefined();
    expect(present.leg.calls).toEqual(['dial', 'confirm']);
  });
});

describe('a token that opens one stream only', () => {
  const make = (more: Parameters<typeof makeBed>[0] = {}) => {
    const { tokens, used } = memory();
    return { used, bed: makeBed({ rules: rules({ oneTimeTokens: true }), tokens, ...more }) };
  };
  const verdict = () => yes({ tokenId: 't1', issuer: 'https://issuer.example' });

  it('opens a second one neither while the first runs nor after it', async () => {
    const { bed } = make({ verdict });
    const first = await enter(bed, 'cam').opened;
    const refused = [enter(bed, 'other'), enter(bed, 'cam', view)];
    for (const { opened } of refused) expect(await opened).toBeUndefined();
    first?.end('client-closed');
    const late = enter(bed, 'cam');
    await late.opened;
    for (const { leg } of [...refused, late]) {
      expect(leg.refusals).toMatchObject([{ code: 'token-revoked', detail: expect.stringContaining('only one') }]);
    }
  });

  it('may be used again when the origin could not be reached, and after a client that left meanwhile', async () => {
    const { bed, used } = make({ verdict });
    const away = makeLeg(bed, () => Promise.reject(new GatewayError('origin-unavailable', 'origin', 'no')));
    await bed.door.open(withToken('cam'), away, never);
    const gone = new AbortController();
    const opening = bed.door.open(
      withToken('cam'),
      makeLeg(bed, () => new Promise(() => undefined)),
      gone.signal,
    );
    await turns();
    expect(used.size).toBe(1);
    gone.abort();
    await opening;
    expect(used.size).toBe(0);
    expect(await enter(bed, 'cam').opened).toBeDefined();
  });

  it('is nothing that clients without any token are asked for', async () => {
    const { bed, used } = make({ verdict: () => yes() });
    const leg = makeLeg(bed);
    expect(await bed.door.open(requestFor('cam'), leg, never)).toBeDefined();
    expect(used.size).toBe(0);
  });

  it('is refused without a jti', async () => {
    const { bed } = make({ verdict: () => yes() });
    const { leg, opened } = enter(bed, 'cam');
    await opened;
    expect(leg.refusals).toMatchObject([{ code: 'token-revoked', detail: expect.stringContaining('jti') }]);
  });

  it('is not used up by a name that is taken, nor by a connect', async () => {
    let tokenId = 't1';
    const { bed, used } = make({ verdict: () => yes({ tokenId }) });
    await enter(bed, 'cam').opened;
    tokenId = 't2';
    await enter(bed, 'cam').opened;
    await bed.door.decide(requestFor('cam', { action: 'connect' }));
    expect([...used]).toEqual(['["","t1"]']);
  });
});

describe('a revocation', () => {
  it('ends those that run and those being set up, and nobody else', async () => {
    const { tokens, revoked } = memory();
    const bed = makeBed({ tokens, decide: ({ remoteAddress }) => Promise.resolve(yes({ tokenId: remoteAddress })) });
    const running = enter(bed, 'one', { remoteAddress: 'bad' });
    const other = enter(bed, 'two', { remoteAddress: 'good' });
    await Promise.all([running.opened, other.opened]);
    const asking = makeLeg(bed, () => new Promise(() => undefined));
    const opening = bed.door.open(withToken('three', { remoteAddress: 'bad' }), asking, never);
    await turns();
    revoked.add('bad');
    expect(bed.door.endRevoked()).toBe(2);
    expect(running.leg.calls.at(-1)).toBe('goodbye revoked');
    expect(asking.calls.at(-1)).toBe('refuse token-revoked');
    expect(other.leg.calls).toEqual(['dial', 'confirm']);
    await opening;
  });

  it('holds against one that was being decided when it came', async () => {
    const { tokens, revoked } = memory();
    const bed = makeBed({
      tokens,
      decide: () => {
        revoked.add('t');
        return Promise.resolve(yes({ tokenId: 't' }));
      },
    });
    const { leg, opened } = enter(bed, 'cam');
    await opened;
    expect(leg.calls).toEqual(['refuse token-revoked']);
  });
});

describe('a kick', () => {
  const open = async () => {
    const bed = makeBed({
      decide: ({ remoteAddress }) => Promise.resolve(yes({ subject: remoteAddress, tokenId: `of ${remoteAddress}` })),
    });
    await enter(bed, 'one', { sessionId: 'k1', remoteAddress: '198.51.100.1' }).opened;
    await enter(bed, 'two', { sessionId: 'k2', remoteAddress: '::ffff:198.51.100.2' }).opened;
    await enter(bed, 'one', { sessionId: 'k3', remoteAddress: '198.51.100.2', ...view }).opened;
    return bed;
  };

  it.each([
    [{ id: 'k1' }, ['k2', 'k3']],
    [{ subject: '198.51.100.2' }, ['k1', 'k2']],
    [{ tokenId: 'of 198.51.100.1' }, ['k2', 'k3']],
    [{ path: 'live/one' }, ['k2']],
    [{ address: '198.51.100.2' }, ['k1']],
    [{ address: '198.51.100.0/30' }, []],
    [{ address: '198.51.100.2/31' }, ['k1']],
    [{ address: '198.51.100.0/24', path: 'live/one' }, ['k2']],
    [{ address: '::/0' }, ['k1', 'k2', 'k3']],
    [{ address: '198.51.100.2/24' }, ['k1', 'k2', 'k3']],
    [{ address: 'everybody' }, ['k1', 'k2', 'k3']],
    [{ address: '198.51.100.2', path: 'live/one' }, ['k1', 'k2']],
    [{ id: 'k9' }, ['k1', 'k2', 'k3']],
    [{}, ['k1', 'k2', 'k3']],
  ])('by %j leaves %j', async (filter, left) => {
    const bed = await open();
    expect(bed.door.kick(filter)).toBe(3 - left.length);
    expect(bed.door.sessions().map(({ id }) => id)).toEqual(left);
    expect(bed.fieldsOf('session.end')).toHaveLength(3 - left.length);
    for (const fields of bed.fieldsOf('session.end')) expect(fields['reason']).toBe('kicked');
  });
});

describe('the list of sessions', () => {
  it('tells whose token it is, and of the token its fingerprint only', async () => {
    const bed = makeBed({ verdict: () => yes({ subject: 'anna', issuer: 'https://i.example', tokenId: 't1' }) });
    const token = new Secret('x.y.z');
    await enter(bed, 'cam', { credential: { token, carrier: 'query' } as never }).opened;
    const [info] = bed.door.sessions();
    expect(info).toMatchObject({
      ...{ subject: 'anna', issuer: 'https://i.example', tokenId: 't1', expiresAtS: 2_000_000_000 },
      ...{ token: token.fingerprint(), secure: true, sinceMs: bed.clock.now(), isRunning: true },
    });
    expect(JSON.stringify(info)).not.toContain('x.y.z');
  });
});

describe('the end of a token', () => {
  const at = (bed: Bed, seconds: number) => yes({ expiresAtS: bed.clock.now() / 1000 + seconds });

  it('is told before, and comes after the grace', async () => {
    const bed: Bed = makeBed({
      onExpiry: 'close',
      rules: rules({ expiryWarningMs: 30_000, expiryGraceMs: 10_000 }),
      verdict: () => at(bed, 60),
    });
    const { leg, opened } = enter(bed, 'cam');
    await opened;
    bed.clock.advance(39_000);
    expect(bed.fieldsOf('session.note')).toEqual([]);
    bed.clock.advance(1_000);
    expect(bed.fieldsOf('session.note')).toMatchObject([{ note: 'expires-soon', leftSeconds: 30 }]);
    bed.clock.advance(29_000);
    expect(leg.calls.at(-1)).toBe('confirm');
    bed.clock.advance(1_000);
    expect(leg.calls.at(-1)).toBe('goodbye expired');
  });

  it('is not told where it changes nothing, nor of one that is over', async () => {
    const bed: Bed = makeBed({ rules: rules({ expiryWarningMs: 30_000 }), verdict: () => at(bed, 60) });
    await enter(bed, 'cam').opened;
    bed.clock.advance(100_000);
    const closing: Bed = makeBed({
      onExpiry: 'close',
      rules: rules({ expiryWarningMs: 30_000 }),
      verdict: () => at(closing, 60),
    });
    const session = await enter(closing, 'cam').opened;
    session?.end('client-closed');
    closing.clock.advance(100_000);
    for (const one of [bed, closing]) expect(one.fieldsOf('session.note')).toEqual([]);
  });
});

describe('the bit rate of a publisher', () => {
  it.each([
    ['the config', { publisherKbps: 1000 }, {}],
    ['the token, where it is lower', { publisherKbps: 9000 }, { maxKbps: 1000 }],
    ['the config, where it is lower', { publisherKbps: 1000 }, { maxKbps: 9000 }],
  ])('is held to what is in %s', async (_what, limits, claims) => {
    const bed = makeBed({ rules: rules(limits), verdict: () => yes(claims) });
    const { leg, opened } = enter(bed, 'cam');
    await opened;
    const [relay] = bed.relays;
    for (let second = 0; second < 20 && relay !== undefined; second++) {
      relay.bytes[0] += 2000 * 125;
      bed.clock.advance(1000);
    }
    expect(leg.calls.at(-1)).toBe('goodbye over-bitrate');
    expect(bed.fieldsOf('session.note')).toMatchObject([{ note: 'over-bitrate', kbps: 2000, maxKbps: 1000 }]);
  });

  it('is nothing that a viewer is held to', async () => {
    const bed = makeBed({ rules: rules({ publisherKbps: 1 }) });
    const { leg, opened } = enter(bed, 'cam', view);
    await opened;
    for (const relay of bed.relays) relay.bytes[0] += 1e9;
    bed.clock.advance(60_000);
    expect(leg.calls.at(-1)).toBe('confirm');
  });
});
