import { randomBytes } from 'node:crypto';
import type * as Werift from 'werift';
import type { Clock } from '../model/clock.js';
import { matchingVideo, offeredVideo, type OfferedCodec } from './webrtc-codecs.js';

/** The package, as it was loaded. */
export type WeriftModule = typeof Werift;

/** A session that was opened, or the status that says why not. */
export type RoomsAnswer =
  { readonly ok: true; readonly id: string; readonly sdp: string } | { readonly ok: false; readonly status: number };

const HOST = '127.0.0.1';
/** A peer that never connects is forgotten. */
const CONNECT_TIMEOUT_MS = 30_000;
/** A publisher is not asked for key frames more often, however many viewers want one. */
const KEY_FRAME_GAP_MS = 300;
/** Chromium starts at 300 kb/s and is told little by werift's feedback. */
const START_BITRATE_KBPS = 1500;

interface Published {
  readonly video: OfferedCodec | undefined;
  /** What viewers get, by kind; filled from whatever track brings it. */
  readonly tracks: ReadonlyMap<'audio' | 'video', Werift.MediaStreamTrack>;
  readonly viewers: Set<string>;
  askKeyFrame(): void;
}

/** Streams of WebRTC: one publisher each, watched by many. Nothing is decoded; packets go on as they came. */
export class WebrtcRooms {
  readonly #werift: WeriftModule;
  readonly #clock: Clock;
  readonly #streams = new Map<string, Published>();
  readonly #sessions = new Map<string, { readonly pc: Werift.RTCPeerConnection; readonly onEnd: () => void }>();

  constructor(werift: WeriftModule, clock: Clock) {
    this.#werift = werift;
    this.#clock = clock;
  }

  /** Takes a publisher's offer. 409 when somebody publishes there, 406 without a codec that can be passed on. */
  async publish(path: string, sdp: string): Promise<RoomsAnswer> {
    if (!isOffer(sdp)) return { ok: false, status: 422 };
    if (this.#streams.has(path)) return { ok: false, status: 409 };
    const [video] = offeredVideo(sdp);
    if (video === undefined && /^m=video /m.test(sdp)) return { ok: false, status: 406 };
    const hint = `x-google-start-bitrate=${START_BITRATE_KBPS}`;
    const pc = this.#connection(video, hint, /^a=simulcast:[^\r\n]*send /m.test(sdp));
    const stream = this.#receive(pc, video);
    this.#streams.set(path, stream);
    return this.#answer(pc, sdp, () => {
      if (this.#streams.get(path) === stream) this.#streams.delete(path);
      for (const viewer of stream.viewers) this.end(viewer);
    });
  }

  /** Takes a viewer's offer. 409 when nobody publishes, 406 when the viewer cannot take what is sent. */
  async watch(path: string, sdp: string): Promise<RoomsAnswer> {
    if (!isOffer(sdp)) return { ok: false, status: 422 };
    const stream = this.#streams.get(path);
    if (stream === undefined) return { ok: false, status: 409 };
    const video = stream.video === undefined ? undefined : matchingVideo(stream.video, sdp);
    if (video === undefined && stream.video !== undefined && /^m=video /m.test(sdp)) return { ok: false, status: 406 };
    const pc = this.#connection(video, '');
    for (const track of stream.tracks.values()) {
      const sender = pc.addTransceiver(track, { direction: 'sendonly' }).sender;
      sender.onPictureLossIndication.subscribe(() => stream.askKeyFrame());
    }
    pc.connectionStateChange.subscribe((state) => {
      if (state === 'connected') stream.askKeyFrame();
    });
    const answer = await this.#answer(pc, sdp, (id) => stream.viewers.delete(id));
    if (answer.ok) stream.viewers.add(answer.id);
    return answer;
  }

  /** Whether a session of that id goes on. */
  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** Ends a session; false when there is none of that id. */
  end(id: string): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined) return false;
    this.#sessions.delete(id);
    session.onEnd();
    session.pc.close().catch(() => undefined);
    return true;
  }

  #connection(video: OfferedCodec | undefined, hint: string, hasLayers = false): Werift.RTCPeerConnection {
    const { RTCPeerConnection, RTCRtpCodecParameters, useNACK, useOPUS, usePLI, useREMB } = this.#werift;
    const { useSdesMid, useSdesRTPStreamId } = this.#werift;
    const parameters = [video?.parameters ?? '', hint].filter((part) => part !== '').join(';');
    const codec = video && {
      ...{ mimeType: `video/${video.name}`, clockRate: 90_000 },
      // No transport-wide feedback: werift's makes Chromium send less and less.
      rtcpFeedback: [useNACK(), usePLI(), useREMB()],
      ...(parameters !== '' && { parameters }),
    };
    return new RTCPeerConnection({
      codecs: { audio: [useOPUS()], video: codec === undefined ? [] : [new RTCRtpCodecParameters(codec)] },
      // Layers are told apart by what their packets say of themselves.
      headerExtensions: { audio: [], video: hasLayers ? [useSdesMid(), useSdesRTPStreamId()] : [] },
      iceServers: [],
      iceUseIpv6: false,
      iceUseTcp: false,
      // Loopback and nothing else.
      iceInterfaceAddresses: { udp4: HOST },
      iceAdditionalHostAddresses: [HOST],
      bundlePolicy: 'max-bundle',
    });
  }

  #receive(pc: Werift.RTCPeerConnection, video: OfferedCodec | undefined): Published {
    const { MediaStreamTrack } = this.#werift;
    const tracks = new Map([
      ['audio', new MediaStreamTrack({ kind: 'audio' })] as const,
      ...(video === undefined ? [] : [['video', new MediaStreamTrack({ kind: 'video' })] as const]),
    ]);
    let ask: () => void = () => undefined;
    let askedMs = -Infinity;
    const taken = new Set<string>();
    pc.onRemoteTransceiverAdded.subscribe(({ receiver, onTrack }) => {
      onTrack.subscribe((track) => {
        track.onReceiveRtp.once(({ header: { ssrc } }) => {
          // Of the layers of a simulcast the first that sends.
          if (taken.has(track.kind)) return;
          taken.add(track.kind);
          const out = track.kind === 'audio' || track.kind === 'video' ? tracks.get(track.kind) : undefined;
          track.onReceiveRtp.subscribe((packet) => {
            const copy = packet.clone();
            // Their numbers mean something else to every viewer.
            copy.header.extensions = [];
            out?.writeRtp(copy);
          });
          if (track.kind !== 'video') return;
          ask = () => void receiver.sendRtcpPLI(ssrc).catch(() => undefined);
          ask();
        });
      });
    });
    return {
      ...{ video, tracks, viewers: new Set() },
      askKeyFrame: () => {
        const nowMs = this.#clock.now();
        if (Math.abs(nowMs - askedMs) < KEY_FRAME_GAP_MS) return;
        askedMs = nowMs;
        ask();
      },
    };
  }

  async #answer(pc: Werift.RTCPeerConnection, sdp: string, onEnd: (id: string) => void): Promise<RoomsAnswer> {
    const id = randomBytes(16).toString('base64url');
    this.#sessions.set(id, { pc, onEnd: () => onEnd(id) });
    const cancel = this.#clock.after(CONNECT_TIMEOUT_MS, () => this.end(id));
    pc.connectionStateChange.subscribe((state) => {
      if (state === 'connected') cancel();
      if (state === 'failed' || state === 'closed') this.end(id);
    });
    try {
      await pc.setRemoteDescription({ type: 'offer', sdp });
      await pc.setLocalDescription(await pc.createAnswer());
      if (pc.iceGatheringState !== 'complete') {
        await pc.iceGatheringStateChange.watch((state) => state === 'complete', 5000);
      }
      const answer = pc.localDescription?.sdp;
      if (answer !== undefined) return { ok: true, id, sdp: answer };
    } catch {
      // An offer that werift cannot read.
    }
    cancel();
    this.end(id);
    return { ok: false, status: 422 };
  }
}

/** Without media werift would never be done with gathering. */
function isOffer(sdp: string): boolean {
  return sdp.startsWith('v=0') && /^m=/m.test(sdp);
}
