import { describe, expect, it } from '@jest/globals';
import { createRtspRelay, type RtspRelay } from '../../src/embedded-origin/rtsp-relay.js';
import { rtp, RtspPeer, SDP } from '../fakes/rtsp-peer.js';
import { settle, streamPair } from '../fakes/byte-stream.js';

const URL = 'rtsp://127.0.0.1/live/cam';
const tcp = (pair: string) => ({ Transport: `RTP/AVP/TCP;unicast;interleaved=${pair}` });

function join(relay: RtspRelay): RtspPeer {
  const [near, far] = streamPair();
  const connection = relay.accept({
    write: (bytes) => void near.write(bytes),
    get waitingBytes() {
      return near.bufferedBytes;
    },
    close: () => near.end(0),
  });
  near.handle({ onBytes: (bytes) => connection.onBytes(bytes), onClose: () => connection.onClose() });
  return new RtspPeer(far);
}

async function publish(relay: RtspRelay): Promise<RtspPeer> {
  const peer = join(relay);
  await peer.ask('ANNOUNCE', URL, { 'Content-Type': 'application/sdp' }, SDP);
  await peer.ask('SETUP', `${URL}/streamid=0`, tcp('0-1'));
  await peer.ask('RECORD', URL);
  return peer;
}

describe('the RTSP origin of dev', () => {
  it('shows what is published to whoever asks, each on its own channels', async () => {
    const relay = createRtspRelay();
    const publisher = await publish(relay);
    const viewers = [join(relay), join(relay)];
    for (const [index, viewer] of viewers.entries()) {
      expect((await viewer.ask('DESCRIBE', URL)).body.toString()).toBe(SDP);
      await viewer.ask('SETUP', `${URL}/streamid=0`, tcp(`${4 * index}-${4 * index + 1}`));
      expect((await viewer.ask('PLAY', `${URL}/`)).status).toBe(200);
    }
    publisher.frame(0, rtp('picture'));
    publisher.frame(1, 'report');
    await settle();
    expect(viewers.map(({ frames }) => frames.map(({ channel }) => channel))).toEqual([
      [0, 1],
      [4, 5],
    ]);
    publisher.stream.destroy();
    await settle();
    expect(viewers.map(({ closed }) => closed)).toEqual([true, true]);
    expect((await join(relay).ask('DESCRIBE', URL)).status).toBe(404);
  });

  it('gives a name to one publisher at a time', async () => {
    const relay = createRtspRelay();
    const publisher = await publish(relay);
    const announce = (peer: RtspPeer) => peer.ask('ANNOUNCE', URL, { 'Content-Type': 'application/sdp' }, SDP);
    expect((await announce(join(relay))).status).toBe(403);
    await publisher.ask('TEARDOWN', URL);
    expect((await announce(join(relay))).status).toBe(200);
  });

  it.each([
    ['UDP', 'SETUP', `${URL}/streamid=0`, { Transport: 'RTP/AVP;unicast;client_port=4-5' }, 461],
    ['a track that is none', 'SETUP', `${URL}/streamid=7`, tcp('0-1'), 404],
    ['PLAY without a track', 'PLAY', URL, {}, 455],
    ['what it does not know', 'REDIRECT', URL, {}, 501],
  ])('refuses %s', async (_, method, url, headers, status) => {
    const relay = createRtspRelay();
    await publish(relay);
    const viewer = join(relay);
    await viewer.ask('DESCRIBE', URL);
    expect((await viewer.ask(method, url, headers)).status).toBe(status);
  });

  it('closes on nonsense, and nothing else', async () => {
    const relay = createRtspRelay();
    const publisher = await publish(relay);
    const stranger = join(relay);
    stranger.stream.write(Buffer.from([1, 2, 3]));
    await settle();
    expect([stranger.closed, publisher.closed]).toEqual([true, false]);
  });
});
