import { describe, expect, it } from '@jest/globals';
import { GATEWAY_IPV4 } from '../../../fakes/udp.js';
import { sdpText, VIEWER_OFFER } from '../descriptions.js';
import { openScene, type Scene } from './scene.js';

const again = ({ plane }: Scene) =>
  plane.open({ sessionId: 'late', role: 'subscriber', clientSdp: sdpText(VIEWER_OFFER) });

const addressesIn = (sdp: string) => [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+)/gm)].map(([, host]) => host);

describe('a media port that is given up', () => {
  it('takes nobody new, serves who is there to the end, and closes then', async () => {
    const scene = await openScene();
    const { session, ice, run } = scene.answered();
    run();
    let isClosed = false;
    const closed = scene.plane.closed.then(() => (isClosed = true));
    scene.plane.retire();
    expect(() => again(scene)).toThrow(expect.objectContaining({ code: 'media-full' }));
    expect(scene.client.check(ice)).toMatchObject({ kind: 'success' });
    scene.pass(5_000);
    await Promise.resolve();
    expect(isClosed).toBe(false);
    session.end();
    scene.pass(29_000);
    await Promise.resolve();
    expect(isClosed).toBe(false);
    scene.pass(2_000);
    await closed;
    expect(scene.clock.pending).toBe(0);
  });

  it('closes at once when nobody is there, and twice is once', async () => {
    const scene = await openScene();
    scene.plane.retire();
    scene.plane.retire();
    await scene.plane.closed;
    expect(scene.clock.pending).toBe(0);
    expect(() => again(scene)).toThrow('closed');
  });

  it('closes at once when all is closed meanwhile', async () => {
    const scene = await openScene();
    scene.answered();
    scene.plane.retire();
    await scene.plane.close();
    await expect(scene.plane.closed).resolves.toBeUndefined();
  });
});

describe('a media port that is taken back', () => {
  it('takes sessions again, and stays when the last one has gone', async () => {
    const scene = await openScene();
    const { session } = scene.answered();
    scene.plane.retire();
    scene.plane.resume();
    session.end();
    scene.pass(31_000);
    expect(scene.plane.counters.sessions).toBe(0);
    again(scene);
    expect(scene.plane.counters.sessions).toBe(1);
  });

  it('is not, once it has closed', async () => {
    const scene = await openScene();
    scene.plane.retire();
    scene.plane.resume();
    expect(() => again(scene)).toThrow('closed');
  });
});

describe('public addresses that change', () => {
  it('are told to new sessions, those of a family without a port left out', async () => {
    const scene = await openScene();
    scene.plane.usePublicAddresses(['2001:db8::9', '203.0.113.77', '203.0.113.78']);
    expect(addressesIn(scene.answered().toClient)).toEqual(['203.0.113.77', '203.0.113.78']);
  });

  it('stay when none of the new ones can be reached', async () => {
    const scene = await openScene();
    scene.plane.usePublicAddresses(['2001:db8::9']);
    expect(addressesIn(scene.answered().toClient)).toEqual([GATEWAY_IPV4]);
  });
});
