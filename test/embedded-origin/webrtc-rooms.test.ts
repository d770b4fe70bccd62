import { afterEach, describe, expect, it } from '@jest/globals';
import * as werift from 'werift';
import { offeredVideo, matchingVideo } from '../../src/embedded-origin/webrtc-codecs.js';
import { WebrtcRooms } from '../../src/embedded-origin/webrtc-rooms.js';
import { systemClock } from '../../src/net/clock.js';
import { fakeClock } from '../fakes/clock.js';

const opened: werift.RTCPeerConnection[] = [];
const rooms: { all: WebrtcRooms; ids: string[] }[] = [];

afterEach(async () => {
  for (const { all, ids } of rooms.splice(0)) for (const id of ids) all.end(id);
  await Promise.all(opened.splice(0).map((pc) => pc.close()));
});

function client(codecs: readonly werift.RTCRtpCodecParameters[]): werift.RTCPeerConnection {
  const pc = new werift.RTCPeerConnection({
    codecs: { audio: [werift.useOPUS()], video: [...codecs] },
    iceServers: [],
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    iceAdditionalHostAddresses: ['127.0.0.1'],
    bundlePolicy: 'max-bundle',
  });
  opened.push(pc);
  return pc;
}

async function offerOf(pc: werift.RTCPeerConnection): Promise<string> {
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription!.sdp;
}

function made(): { all: WebrtcRooms; ids: string[] } {
  const one = { all: new WebrtcRooms(werift, systemClock), ids: [] };
  rooms.push(one);
  return one;
}

describe('the embedded origin for WebRTC', () => {
  it('passes what is published on to everybody who watches, and key-frame requests back', async () => {
    const { all, ids } = made();
    const publisher = client([werift.useVP8()]);
    const track = new werift.MediaStreamTrack({ kind: 'video' });
    const sender = publisher.addTransceiver(track, { direction: 'sendonly' }).sender;
    let keyFrames = 0;
    sender.onPictureLossIndication.subscribe(() => (keyFrames += 1));
    const published = await all.publish('live/cam', await offerOf(publisher));
    if (!published.ok) throw new Error(`refused with ${published.status}`);
    ids.push(published.id);
    expect(published.sdp).toContain('127.0.0.1');
    expect(published.sdp).not.toMatch(/transport-cc|stun:/);
    await publisher.setRemoteDescription({ type: 'answer', sdp: published.sdp });
    await publisher.connectionStateChange.watch((state) => state === 'connected', 5000);

    const viewers = await Promise.all(
      [1, 2].map(async () => {
        const viewer = client([werift.useH264(), werift.useVP8()]);
        viewer.addTransceiver('video', { direction: 'recvonly' });
        const got: number[] = [];
        viewer.onTrack.subscribe((one) => {
          one.onReceiveRtp.subscribe(({ payload }) => got.push(payload.length));
        });
        const answer = await all.watch('live/cam', await offerOf(viewer));
        if (!answer.ok) throw new Error(`refused with ${answer.status}`);
        ids.push(answer.id);
        await viewer.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
        await viewer.connectionStateChange.watch((state) => state === 'connected', 5000);
        return got;
      }),
    );
    for (let number = 1; number < 500 && (viewers.some(({ length }) => length < 20) || keyFrames === 0); number++) {
      const header = new werift.RtpHeader({ sequenceNumber: number, timestamp: number * 3000, payloadType: 96 });
      track.writeRtp(new werift.RtpPacket(header, Buffer.alloc(321, 1)));
      await new Promise((done) => setTimeout(done, 10));
    }
    for (const got of viewers) expect(got.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 321));
    expect(keyFrames).toBeGreaterThan(0);
  }, 20_000);

  it('has one publisher a name, and nothing to show without one', async () => {
    const { all, ids } = made();
    const offer = async () => {
      const pc = client([werift.useVP8()]);
      pc.addTransceiver(new werift.MediaStreamTrack({ kind: 'video' }), { direction: 'sendonly' });
      return offerOf(pc);
    };
    expect(await all.watch('live/cam', await offer())).toEqual({ ok: false, status: 409 });
    const first = await all.publish('live/cam', await offer());
    if (!first.ok) throw new Error('refused');
    ids.push(first.id);
    expect(await all.publish('live/cam', await offer())).toEqual({ ok: false, status: 409 });
    expect(all.end(first.id)).toBe(true);
    expect(all.end(first.id)).toBe(false);
    const next = await all.publish('live/cam', await offer());
    expect(next.ok).toBe(true);
    if (next.ok) ids.push(next.id);
  });

  it('refuses what cannot be read or passed on', async () => {
    const { all } = made();
    expect(await all.publish('live/cam', 'nonsense')).toMatchObject({ ok: false });
    const strange = 'v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 MPV/90000\r\n';
    expect(await all.publish('live/cam', strange)).toEqual({ ok: false, status: 406 });
  });

  it('forgets a publisher that never connects', async () => {
    const clock = fakeClock();
    const all = new WebrtcRooms(werift, clock);
    const pc = client([werift.useVP8()]);
    pc.addTransceiver(new werift.MediaStreamTrack({ kind: 'video' }), { direction: 'sendonly' });
    const answer = await all.publish('live/cam', await offerOf(pc));
    if (!answer.ok) throw new Error('refused');
    clock.advance(30_000);
    expect(all.end(answer.id)).toBe(false);
  });
});

describe('the codecs of an offer', () => {
  const offer = [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=rtpmap:111 opus/48000/2',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 45',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:102 H264/90000',
    'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f',
    'a=rtpmap:103 H264/90000',
    'a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f',
    'a=rtpmap:104 H264/90000',
    'a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
    'a=rtpmap:45 AV1/90000',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    '',
  ].join('\r\n');
  it('are those that can be passed on, in their order', () => {
    expect(offeredVideo(offer).map(({ name }) => name)).toEqual(['VP8', 'H264', 'H264', 'AV1']);
    expect(offeredVideo('v=0\r\n')).toEqual([]);
  });

  it('are matched by name and profile', () => {
    const baseline = { name: 'H264', parameters: 'profile-level-id=42c01f;packetization-mode=1' };
    expect(matchingVideo(baseline, offer)?.parameters).toContain('42e01f');
    expect(matchingVideo({ name: 'H264', parameters: 'profile-level-id=640c1f' }, offer)?.parameters).toContain(
      '4d001f',
    );
    expect(matchingVideo({ name: 'VP9', parameters: '' }, offer)).toBeUndefined();
  });
});
