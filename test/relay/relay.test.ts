import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WireError } from '../../src/model/errors.js';
import type { EndReason, Guard, RunningRelay } from '../../src/model/leg.js';
import { createRelay, type RelayOptions } from '../../src/relay/relay.js';
import { listen, settle, streamPair, type FakeByteStream, type PairOptions } from '../fakes/byte-stream.js';
import { fakeClock, type FakeClock } from '../fakes/clock.js';

const pass: Guard = { push: (bytes, out) => out.forward(bytes) };

interface Bed {
  readonly client: FakeByteStream;
  readonly origin: FakeByteStream;
  /** The gateway's ends. */
  readonly clientLeg: FakeByteStream;
  readonly originLeg: FakeByteStream;
  readonly atClient: ReturnType<typeof listen>;
  readonly atOrigin: ReturnType<typeof listen>;
  readonly relay: RunningRelay;
  readonly ends: [EndReason, Error | undefined][];
}

interface BedOptions {
  readonly mediaFrom?: 'client' | 'origin';
  readonly clientGuard?: Guard;
  readonly originGuard?: Guard;
  readonly pair?: PairOptions;
  readonly relay?: Partial<RelayOptions>;
  readonly before?: (clientLeg: FakeByteStream, originLeg: FakeByteStream) => void;
}

let clock: FakeClock;
beforeEach(() => {
  clock = fakeClock();
});
afterEach(() => {
  expect(clock.pending).toBe(0);
});

function bed(options: BedOptions = {}): Bed {
  const [clientLeg, client] = streamPair(options.pair);
  const [originLeg, origin] = streamPair(options.pair);
  const atClient = listen(client);
  const atOrigin = listen(origin);
  options.before?.(clientLeg, originLeg);
  const ends: Bed['ends'] = [];
  const start = createRelay({
    clock,
    idleTimeoutMs: 10_000,
    viewerBufferBytes: 1000,
    viewerStallMs: 5_000,
    controlBufferBytes: 100,
    originBufferBytes: 5000,
    ...options.relay,
  });
  const relay = start(
    {
      client: { stream: clientLeg, guard: options.clientGuard ?? pass },
      origin: { stream: originLeg, guard: options.originGuard ?? pass },
      mediaFrom: options.mediaFrom ?? 'client',
    },
    (reason, error) => ends.push([reason, error]),
  );
  return { client, origin, clientLeg, originLeg, atClient, atOrigin, relay, ends };
}

const reasons = (on: Bed): EndReason[] => on.ends.map(([reason]) => reason);

describe('a relay', () => {
  it('passes bytes both ways and counts what each side sent', async () => {
    const on = bed();
    on.client.write(Buffer.from('media'));
    on.origin.write(Buffer.from('ok'));
    await settle();
    expect(on.atOrigin.bytes().toString()).toBe('media');
    expect(on.atClient.bytes().toString()).toBe('ok');
    expect([on.relay.clientBytes, on.relay.originBytes]).toEqual([5, 2]);
    on.relay.stop();
  });

  it('sends the replies of a guard back to where the bytes came from', async () => {
    const echo = (mark: string): Guard => ({
      push: (bytes, out) => {
        if (bytes.length === 0) return;
        out.reply(Buffer.from(mark));
        out.forward(bytes);
      },
    });
    const on = bed({ clientGuard: echo('to client'), originGuard: echo('to origin') });
    on.client.write(Buffer.from('a'));
    await settle();
    expect(on.atClient.bytes().toString()).toBe('to client');
    expect(on.atOrigin.bytes().toString()).toBe('a');
    on.origin.write(Buffer.from('b'));
    await settle();
    expect(on.atOrigin.bytes().toString()).toBe('ato origin');
    expect(on.atClient.bytes().toString()).toBe('to clientb');
    on.relay.stop();
  });

  it('lets each guard put out at once what it took over from the set-up', async () => {
    const holding = (rest: string): Guard => {
      let left = Buffer.from(rest);
      return {
        push: (bytes, out) => {
          out.forward(Buffer.concat([left, bytes]));
          left = Buffer.alloc(0);
        },
      };
    };
    const on = bed({ clientGuard: holding('early media'), originGuard: holding('early answer') });
    await settle();
    expect(on.atOrigin.bytes().toString()).toBe('early media');
    expect(on.atClient.bytes().toString()).toBe('early answer');
    on.relay.stop();
  });

  it('starts to read from streams that were paused before', async () => {
    const on = bed({
      before: (clientLeg, originLeg) => {
        clientLeg.pause();
        originLeg.pause();
      },
    });
    on.client.write(Buffer.from('a'));
    on.origin.write(Buffer.from('b'));
    await settle();
    expect([on.relay.clientBytes, on.relay.originBytes]).toEqual([1, 1]);
    on.relay.stop();
  });

  it('says nothing more after its stop, and closes nothing', async () => {
    const on = bed();
    on.relay.stop();
    on.relay.stop();
    on.client.write(Buffer.from('a'));
    on.origin.destroy();
    await settle();
    expect(on.ends).toEqual([]);
    expect(on.atOrigin.bytes().length).toBe(0);
    expect([on.clientLeg.ending, on.originLeg.ending]).toEqual(['no', 'no']);
  });
});

describe('a relay ends', () => {
  it.each<[string, (on: Bed) => void, EndReason]>([
    ['the client closes', (on) => on.client.destroy(), 'client-closed'],
    ['the origin closes', (on) => on.origin.destroy(), 'origin-closed'],
    ['the client is reset', (on) => on.clientLeg.fail(new Error('read ECONNRESET')), 'client-error'],
    ['the origin is reset', (on) => on.originLeg.fail(new Error('read ECONNRESET')), 'origin-error'],
  ])('once when %s', async (_, act, reason) => {
    const on = bed();
    act(on);
    await settle();
    on.client.destroy();
    on.origin.destroy();
    await settle();
    expect(reasons(on)).toEqual([reason]);
  });

  it.each<['client' | 'origin', EndReason]>([
    ['client', 'client-error'],
    ['origin', 'origin-error'],
  ])('when the guard of the %s finds nonsense', async (side, reason) => {
    const nonsense = new WireError('chunk-too-large', 'a chunk of at most 64 KiB');
    const guard: Guard = {
      push: (bytes) => {
        if (bytes.length > 0) throw nonsense;
      },
    };
    const on = bed(side === 'client' ? { clientGuard: guard } : { originGuard: guard });
    on[side].write(Buffer.from('?'));
    await settle();
    expect(on.ends).toEqual([[reason, nonsense]]);
  });

  it('as the fault of the gateway when a guard has a bug', async () => {
    const bug = new TypeError('undefined is not a function');
    const on = bed({
      clientGuard: {
        push: (bytes) => {
          if (bytes.length > 0) throw bug;
        },
      },
    });
    on.client.write(Buffer.from('x'));
    await settle();
    expect(on.ends).toEqual([['gateway-error', bug]]);
  });

  it('at once when a stream closed before it began', async () => {
    const on = bed({ before: (clientLeg) => clientLeg.destroy() });
    expect(on.ends).toEqual([]);
    await settle();
    expect(reasons(on)).toEqual(['client-closed']);
  });

  it('without passing what a guard puts out after the end', async () => {
    let stop: () => void = () => undefined;
    const on = bed({
      clientGuard: {
        push: (bytes, out) => {
          stop();
          out.forward(bytes);
          out.reply(bytes);
        },
      },
    });
    stop = () => on.relay.stop();
    on.client.write(Buffer.from('late'));
    await settle();
    expect(on.originLeg.written.length).toBe(0);
    expect(on.clientLeg.written.length).toBe(0);
  });
});

describe('backpressure', () => {
  it('pauses a publisher while the origin takes nothing, and discards nothing', async () => {
    const on = bed({ pair: { windowBytes: 100 } });
    on.origin.pause();
    for (let round = 0; round < 50; round++) on.client.write(Buffer.alloc(20, round));
    await settle();
    expect(on.clientLeg.paused).toBe(true);
    expect(on.originLeg.bufferedBytes).toBeLessThanOrEqual(100);
    expect(on.ends).toEqual([]);
    on.origin.resume();
    await settle();
    expect(on.clientLeg.paused).toBe(false);
    expect(on.atOrigin.bytes()).toEqual(on.client.written);
    expect(on.client.written.length).toBe(1000);
    on.relay.stop();
  });

  it('lets a paused client go on reading when the relay stops', async () => {
    const on = bed();
    on.originLeg.stall();
    on.client.write(Buffer.from('a'));
    await settle();
    expect(on.clientLeg.paused).toBe(true);
    on.relay.stop();
    expect(on.clientLeg.paused).toBe(false);
  });

  it('drops a viewer for whom too much waits, and never pauses the origin', async () => {
    const on = bed({ mediaFrom: 'origin' });
    on.clientLeg.stall();
    on.origin.write(Buffer.alloc(1000));
    await settle();
    expect(on.ends).toEqual([]);
    expect(on.originLeg.paused).toBe(false);
    on.origin.write(Buffer.alloc(1));
    await settle();
    expect(reasons(on)).toEqual(['slow-viewer']);
    expect(on.ends[0]?.[1]?.message).toBe('1001 bytes wait for it, at most 1000 may');
  });

  it('drops a viewer who takes nothing for too long', async () => {
    const on = bed({ mediaFrom: 'origin' });
    on.clientLeg.stall();
    for (let second = 0; second < 5; second++) {
      on.origin.write(Buffer.alloc(10));
      await settle();
      clock.advance(1000);
    }
    expect(on.ends).toEqual([]);
    on.origin.write(Buffer.alloc(10));
    await settle();
    clock.advance(1000);
    expect(reasons(on)).toEqual(['slow-viewer']);
  });

  it('keeps a viewer who takes little but goes on taking', async () => {
    const on = bed({ mediaFrom: 'origin' });
    on.clientLeg.stall();
    for (let second = 0; second < 30; second++) {
      on.origin.write(Buffer.alloc(10));
      await settle();
      on.clientLeg.unstall(5);
      clock.advance(1000);
    }
    expect(on.ends).toEqual([]);
    on.relay.stop();
  });

  it('drops a publisher that never reads once more waits than control messages can be', async () => {
    const on = bed({
      mediaFrom: 'client',
      clientGuard: { push: (bytes, out) => out.reply(Buffer.alloc(bytes.length * 16)) },
    });
    on.clientLeg.stall();
    for (let round = 0; round < 6; round++) on.client.write(Buffer.from('m'));
    await settle();
    expect(on.ends).toEqual([]);
    on.client.write(Buffer.from('m'));
    await settle();
    expect(reasons(on)).toEqual(['client-error']);
    expect(on.ends[0]?.[1]).toMatchObject({ code: 'control-buffer-full', side: 'client' });
  });

  it('gives up an origin that sends and never reads', async () => {
    const on = bed({ mediaFrom: 'origin', originGuard: { push: (bytes, out) => out.reply(bytes) } });
    on.originLeg.stall();
    on.origin.write(Buffer.alloc(5000));
    await settle();
    expect(on.ends).toEqual([]);
    on.origin.write(Buffer.alloc(1));
    await settle();
    expect(reasons(on)).toEqual(['origin-error']);
  });
});

describe('silence', () => {
  it.each<['client' | 'origin', 'client' | 'origin']>([
    ['client', 'origin'],
    ['origin', 'client'],
  ])('of the %s, where the media comes from, ends the stream whatever the %s sends', async (from, other) => {
    const on = bed({ mediaFrom: from });
    on[from].write(Buffer.from('media'));
    await settle();
    for (let second = 0; second < 10; second++) {
      on[other].write(Buffer.from('ping'));
      await settle();
      clock.advance(1000);
      expect(on.ends).toEqual([]);
    }
    clock.advance(2000);
    expect(on.ends).toEqual([['media-idle', undefined]]);
  });

  it('never ends a stream that sends a byte now and then', async () => {
    const on = bed();
    for (let round = 0; round < 10; round++) {
      on.client.write(Buffer.from('m'));
      await settle();
      clock.advance(9000);
    }
    expect(on.ends).toEqual([]);
    on.relay.stop();
  });

  it('of a client that may not send is the fault of the origin', async () => {
    const on = bed();
    on.originLeg.stall();
    on.client.write(Buffer.from('m'));
    await settle();
    clock.advance(12_000);
    expect(reasons(on)).toEqual(['origin-error']);
    expect(on.ends[0]?.[1]).toMatchObject({ code: 'origin-stalled' });
  });

  it('is not seen in a clock that was set', () => {
    const on = bed();
    clock.jump(3_600_000);
    clock.advance(9_000);
    expect(on.ends).toEqual([]);
    on.relay.stop();
  });

  it('is allowed for ever where the limits are 0', async () => {
    const on = bed({ mediaFrom: 'origin', relay: { idleTimeoutMs: 0, viewerStallMs: 0 } });
    on.clientLeg.stall();
    on.origin.write(Buffer.from('m'));
    await settle();
    clock.advance(86_400_000);
    expect(on.ends).toEqual([]);
    on.relay.stop();
  });

  it('of many streams is watched with one timer', () => {
    const [clientLeg] = streamPair();
    const [originLeg] = streamPair();
    const ended: EndReason[] = [];
    const start = createRelay({ clock, idleTimeoutMs: 3000, viewerBufferBytes: 1, viewerStallMs: 0 });
    const side = (stream: FakeByteStream) => ({ stream, guard: pass });
    const ends = { client: side(clientLeg), origin: side(originLeg), mediaFrom: 'client' as const };
    for (let each = 0; each < 100; each++) start(ends, (reason) => ended.push(reason));
    expect(clock.pending).toBe(1);
    clock.advance(3300);
    expect(ended).toEqual(Array.from({ length: 100 }, () => 'media-idle'));
  });
});
