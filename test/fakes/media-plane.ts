import { GatewayError, WireError } from '../../src/model/errors.js';
import type { EndReason } from '../../src/model/leg.js';
import type {
  MediaPlane,
  MediaRole,
  MediaStats,
  OfferedMediaSession,
  MediaSession,
} from '../../src/transports/webrtc/media/media-plane.js';
import { checkClient, readDescription } from '../../src/transports/webrtc/wire/sdp-check.js';
import { readFragment } from '../../src/transports/webrtc/wire/sdp-fragment.js';

/** What was done to one session of the fake plane. */
export interface FakeMedia {
  readonly sessionId: string;
  readonly role: MediaRole;
  readonly calls: string[];
  /** Ends it from inside, as silence or a dead origin would. */
  over(reason: EndReason): void;
}

export interface FakeMediaPlane extends MediaPlane {
  readonly sessions: FakeMedia[];
  isFull: boolean;
}

const flow = { packets: 0, bytes: 0, bitrate: 0 };
const stats: MediaStats = { state: 'wait-client', client: undefined, fromClient: flow, fromOrigin: flow };

/** Marks where an SDP went through the plane, and takes out what must not pass. */
function edited(sdp: string, mark: string): string {
  return `${sdp.replace(/^a=(candidate|end-of-candidates).*\r?\n/gm, '').trimEnd()}\r\na=x-${mark}\r\n`;
}

/** A media plane without a network, which checks SDP as the real one does. */
export function fakeMediaPlane(): FakeMediaPlane {
  const sessions: FakeMedia[] = [];
  const make = (sessionId: string, role: MediaRole, ufrag: string) => {
    const calls: string[] = [];
    let told: ((reason: EndReason, error?: Error) => void) | undefined;
    let current = ufrag;
    let restarts = 0;
    sessions.push({ sessionId, role, calls, over: (reason) => told?.(reason) });
    return {
      calls,
      base: {
        patch(fragment: string) {
          const { ice } = readFragment(fragment);
          const isRestart = ice !== undefined && current !== '' && ice.ufrag !== current;
          current = ice?.ufrag ?? current;
          calls.push(isRestart ? 'restart' : 'trickle');
          if (!isRestart) return { kind: 'trickle' } as const;
          restarts += 1;
          return { kind: 'restart', fragment: `a=ice-lite\r\na=ice-ufrag:GW${restarts}\r\n` } as const;
        },
        run(onEnd: (reason: EndReason, error?: Error) => void) {
          calls.push('run');
          told = onEnd;
          return {
            clientBytes: 1000,
            originBytes: 10,
            stop: () => {
              calls.push('stop');
              told = undefined;
            },
          };
        },
        end: () => void calls.push('end'),
        stats: () => stats,
      },
    };
  };
  const plane: FakeMediaPlane = {
    sessions,
    isFull: false,
    usePublicAddresses: () => undefined,
    retire: () => undefined,
    resume: () => undefined,
    closed: new Promise(() => undefined),
    open({ sessionId, role, clientSdp }): MediaSession {
      if (plane.isFull) throw new GatewayError('media-full', 'gateway', 'too many sessions');
      const description = readDescription(clientSdp, { kind: 'offer' });
      checkClient(description, role);
      const { calls, base } = make(sessionId, role, description.ice.ufrag);
      calls.push('open');
      return {
        ...base,
        sdpForOrigin: edited(clientSdp, 'for-origin'),
        answer: (originSdp) => {
          calls.push('answer');
          readDescription(originSdp, { kind: 'answer' });
          return edited(originSdp, 'for-client');
        },
      };
    },
    openForOffer({ sessionId, role, originSdp }): OfferedMediaSession {
      readDescription(originSdp, { kind: 'offer' });
      const { calls, base } = make(sessionId, role, '');
      calls.push('openForOffer');
      return {
        ...base,
        sdpForClient: edited(originSdp, 'for-client'),
        answer: (clientSdp) => {
          readDescription(clientSdp, { kind: 'answer' });
          calls.push('answer');
          return edited(clientSdp, 'for-origin');
        },
      };
    },
    close: () => Promise.resolve(),
    address: { host: '127.0.0.1', port: 8189 },
    get counters(): never {
      throw new WireError('not-counted', 'nobody asks');
    },
  };
  return plane;
}
