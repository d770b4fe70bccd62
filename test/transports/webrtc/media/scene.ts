import { createHash } from 'node:crypto';
import type { EndReason, RunningRelay } from '../../../../src/model/leg.js';
import type { LogFields } from '../../../../src/model/telemetry.js';
import type { MediaLimits } from '../../../../src/transports/webrtc/media/limits.js';
import type {
  MediaPlane,
  MediaRole,
  MediaSession,
  MediaSessionBase,
  OfferedMediaSession,
} from '../../../../src/transports/webrtc/media/media-plane.js';
import { createMediaPlane } from '../../../../src/transports/webrtc/media/plane.js';
import type { IceCredentials } from '../../../../src/transports/webrtc/wire/sdp-check.js';
import {
  hasIntegrity,
  integrityOf,
  readStun,
  type StunMessage,
} from '../../../../src/transports/webrtc/wire/stun-read.js';
import { writeStun, type StunDraft } from '../../../../src/transports/webrtc/wire/stun-write.js';
import { fakeClock, type FakeClock } from '../../../fakes/clock.js';
import { fakeNetwork, GATEWAY_IPV4, type Arrived, type FakeNetwork, type FakePeer } from '../../../fakes/udp.js';
import { CHROMIUM_OFFER, ORIGIN_ANSWER, ORIGIN_OFFER, sdpText, VIEWER_OFFER } from '../descriptions.js';

export const MEDIA_PORT = 8189;
export const CLIENT_HOST = '198.51.100.20';
export const ORIGIN_HOST = '10.0.0.5';

/** Bytes that nobody guesses, the same in every run. */
export function seededRandom(seed: string): (bytes: number) => Buffer {
  let count = 0;
  return (bytes) => createHash('sha512').update(`${seed} ${count++}`).digest().subarray(0, bytes);
}

/** Credentials out of SDP or a fragment. */
export function iceOf(text: string): IceCredentials {
  return {
    ufrag: /a=ice-ufrag:(\S+)/.exec(text)?.[1] ?? '',
    pwd: /a=ice-pwd:(\S+)/.exec(text)?.[1] ?? '',
  };
}

/** Datagrams by kind; `mark` tells one from another. */
export const datagram = {
  rtp: (mark: number) => Buffer.from([128, 96, 0, mark, 1, 2, 3, 4]),
  rtcp: (mark: number) => Buffer.from([128, 201, 0, mark, 1, 2, 3, 4]),
  hello: (mark: number) => Buffer.concat([Buffer.from([22, 254, 253, 0, 0, mark]), Buffer.alloc(1200)]),
  alert: () => Buffer.from([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0]),
};

/** A signed check that holds an attribute of `type`, without FINGERPRINT. */
export function signedUnknown({ ufrag, pwd, peer }: IceCredentials & { readonly peer: string }, type: number): Buffer {
  const draft = {
    kind: 'request',
    transaction: Buffer.alloc(12, 7),
    username: `${ufrag}:${peer}`,
    priority: 5,
  } as const;
  const whole = writeStun(draft, pwd);
  const bytes = Buffer.from(whole.subarray(0, -8));
  bytes.writeUInt16BE(bytes.length - 20, 2);
  bytes.writeUInt16BE(type, bytes.indexOf(Buffer.from([0, 0x24, 0, 4])));
  const at = bytes.length - 24;
  integrityOf(bytes, at, pwd).copy(bytes, at + 4);
  return bytes;
}

/** A client's address: makes checks and sees what comes back. */
export class FakeClient {
  readonly peer: FakePeer;
  readonly #scene: SceneCore;
  #transactions = 0;

  constructor(scene: SceneCore, host: string, port: number) {
    this.#scene = scene;
    this.peer = scene.net.peer(host, port);
  }

  /** The bytes of a check with `ice` of the gateway. */
  checkBytes(ice: IceCredentials, draft: Partial<StunDraft> = {}, password = ice.pwd): Buffer {
    const transaction = createHash('sha256')
      .update(`${this.peer.host} ${this.peer.port} ${this.#transactions++}`)
      .digest()
      .subarray(0, 12);
    const rest = { priority: 1, controlling: 7n, useCandidate: true, username: `${ice.ufrag}:EsAw`, ...draft };
    return writeStun({ kind: 'request', transaction, ...rest }, password);
  }

  /** Makes a check and gives what came back for it. */
  check(ice: IceCredentials, draft: Partial<StunDraft> = {}, password = ice.pwd): StunMessage | undefined {
    const bytes = this.checkBytes(ice, draft, password);
    const before = this.peer.inbox.length;
    this.send(bytes);
    const answers = this.peer.inbox.slice(before).filter(({ bytes: one }) => (one[0] ?? 255) < 4);
    const answer = answers.find(({ bytes: one }) => one.subarray(8, 20).equals(bytes.subarray(8, 20)));
    if (answer === undefined) return undefined;
    this.peer.inbox.splice(this.peer.inbox.indexOf(answer), 1);
    const message = readStun(answer.bytes);
    if (!hasIntegrity(answer.bytes, message, ice.pwd)) throw new Error('the answer is not signed');
    return message;
  }

  send(bytes: Buffer): void {
    this.peer.send(bytes, MEDIA_PORT, GATEWAY_IPV4);
    this.#scene.net.settle();
  }

  /** What has arrived besides answers. */
  received(): Buffer[] {
    return this.peer.take().map(({ bytes }) => bytes);
  }
}

/** How an origin treats checks. */
export type OriginManner = 'answers' | 'silent' | 'conflict' | 'forbids' | 'unsigned' | 'forges';

/** An origin's address: answers checks in its manner, keeps everything else. */
export class FakeOrigin {
  readonly peer: FakePeer;
  manner: OriginManner = 'answers';
  /** Credentials of the gateway towards it. */
  gateway: IceCredentials = { ufrag: '', pwd: '' };
  ice: IceCredentials = { ufrag: 'orig', pwd: '0123456789abcdefghijkl' };
  readonly checks: StunMessage[] = [];
  readonly answers: StunMessage[] = [];
  readonly media: Buffer[] = [];
  /** Where the gateway's checks came from. */
  from: { port: number; host: string } | undefined;
  readonly #scene: SceneCore;
  #transactions = 0;

  constructor(scene: SceneCore, host: string, port: number) {
    this.#scene = scene;
    this.peer = scene.net.peer(host, port);
    this.peer.onDatagram = (arrived) => this.#received(arrived);
  }

  /** Makes a check of its own towards the gateway. */
  check(draft: Partial<StunDraft> = {}, password = this.gateway.pwd): StunMessage | undefined {
    const transaction = createHash('sha256')
      .update(`${this.peer.port} ${this.#transactions++}`)
      .digest()
      .subarray(0, 12);
    const username = `${this.gateway.ufrag}:${this.ice.ufrag}`;
    this.answers.splice(0);
    this.send(writeStun({ kind: 'request', transaction, username, priority: 1, ...draft }, password));
    return this.answers.find((answer) => answer.transaction.equals(transaction));
  }

  send(bytes: Buffer): void {
    const to = this.from ?? this.#scene.originSocket();
    this.peer.send(bytes, to.port, to.host);
    this.#scene.net.settle();
  }

  #received({ bytes, port, host }: Arrived): void {
    if ((bytes[0] ?? 255) > 3) {
      this.media.push(bytes);
      return;
    }
    const message = readStun(bytes);
    if (message.kind !== 'request') {
      if (!hasIntegrity(bytes, message, this.gateway.pwd)) throw new Error('the answer is not signed');
      this.answers.push(message);
      return;
    }
    if (!hasIntegrity(bytes, message, this.ice.pwd)) throw new Error('the check is not signed');
    this.from = { port, host };
    this.checks.push(message);
    const draft = this.#answerTo(message, { port, host });
    if (draft !== undefined) {
      const reply = writeStun(
        { transaction: message.transaction, ...draft },
        this.manner === 'forges' ? 'x' : this.ice.pwd,
      );
      this.peer.send(this.manner === 'unsigned' ? unsigned(reply) : reply, port, host);
    }
  }

  #answerTo(message: StunMessage, mapped: { port: number; host: string }): Omit<StunDraft, 'transaction'> | undefined {
    switch (this.manner) {
      case 'silent':
        return undefined;
      case 'conflict':
        return message.controlling === undefined
          ? { kind: 'success', mapped }
          : { kind: 'error', error: { code: 487, reason: 'Role Conflict' } };
      case 'forbids':
        return { kind: 'error', error: { code: 403, reason: 'Forbidden' } };
      default:
        return { kind: 'success', mapped };
    }
  }
}

/** The header alone: what it says is signed by nobody. */
function unsigned(bytes: Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, 20));
  header.writeUInt16BE(0, 2);
  return header;
}

/** What a scene is built on. */
export interface SceneCore {
  readonly net: FakeNetwork;
  readonly originSocket: () => { port: number; host: string };
}

/** What a test may want otherwise. */
export interface SceneOptions {
  readonly role?: MediaRole;
  readonly limits?: Partial<MediaLimits>;
  readonly maxSessions?: number;
  readonly host?: string;
  readonly publicAddresses?: readonly string[];
  readonly clientSdp?: string;
  readonly originSdp?: string;
}

/** A media plane on a network and a clock of the test, with one client and one origin. */
export interface Scene extends SceneCore {
  readonly clock: FakeClock;
  readonly plane: MediaPlane;
  readonly client: FakeClient;
  readonly origin: FakeOrigin;
  readonly ends: { readonly reason: EndReason; readonly code: unknown }[];
  readonly log: { readonly event: string; readonly fields: LogFields }[];
  /** Called for each line of the log before it is kept. */
  onLog: ((level: string) => void) | undefined;
  /** Asking for random bytes throws. */
  isOutOfRandomness: boolean;
  readonly counted: Map<string, number>;
  /** A session of which client and origin know the credentials. */
  readonly answered: (options?: SceneOptions) => Talk<MediaSession>;
  readonly offered: (options?: SceneOptions) => Talk<OfferedMediaSession>;
  readonly clientAt: (host: string, port: number) => FakeClient;
  readonly originAt: (host: string, port: number) => FakeOrigin;
  /** Moves time and carries what it sends. */
  readonly pass: (ms: number) => void;
  readonly drops: () => Readonly<Record<string, number>>;
}

/** A session with what its parties know. */
export interface Talk<Session extends MediaSessionBase> {
  readonly session: Session;
  /** The gateway's credentials towards the client. */
  readonly ice: IceCredentials;
  readonly toOrigin: string;
  readonly toClient: string;
  /** Runs it; ends are kept in the scene. */
  readonly run: () => RunningRelay;
}

/** Sets it up. */
export async function openScene(given: SceneOptions = {}): Promise<Scene> {
  const net = fakeNetwork();
  const clock = fakeClock();
  const log: { event: string; fields: LogFields }[] = [];
  const counted = new Map<string, number>();
  const ends: { reason: EndReason; code: unknown }[] = [];
  let scene = undefined as Scene | undefined;
  const random = seededRandom('scene');
  const plane = await createMediaPlane({
    host: given.host ?? '0.0.0.0',
    port: MEDIA_PORT,
    publicAddresses: given.publicAddresses ?? [GATEWAY_IPV4],
    clock,
    random: (bytes) => {
      if (scene?.isOutOfRandomness === true) throw new Error('no randomness');
      return random(bytes);
    },
    log: {
      enabled: () => true,
      write: (level, event, fields) => {
        scene?.onLog?.(level);
        log.push({ event, fields });
      },
    },
    metrics: {
      count: (name, labels, by = 1) => {
        const key = [name, ...Object.values(labels ?? {})].join(' ');
        counted.set(key, (counted.get(key) ?? 0) + by);
      },
      gauge: () => undefined,
      observe: () => undefined,
    },
    openUdp: net.open,
    ...(given.limits !== undefined && { limits: given.limits }),
    maxSessions: given.maxSessions,
  });
  const core: SceneCore = {
    net,
    originSocket: () => {
      const port = net.gatewayPorts.at(-1);
      return { port: port?.port ?? 0, host: GATEWAY_IPV4 };
    },
  };
  const client = new FakeClient(core, CLIENT_HOST, 5000);
  const origin = new FakeOrigin(core, ORIGIN_HOST, 10200);
  let count = 0;
  const talk = <Session extends MediaSessionBase>(session: Session, toOrigin: string, toClient: string) => {
    origin.gateway = iceOf(toOrigin);
    return {
      session,
      toOrigin,
      toClient,
      ice: iceOf(toClient),
      run: () => session.run((reason, error) => void ends.push({ reason, code: (error as { code?: unknown }).code })),
    };
  };
  const who = (options: SceneOptions) => ({
    sessionId: `session-${count++}`,
    role: options.role ?? given.role ?? 'publisher',
  });
  const offerOf = (role: MediaRole) => sdpText(role === 'publisher' ? CHROMIUM_OFFER : VIEWER_OFFER);
  scene = {
    ...core,
    onLog: undefined,
    isOutOfRandomness: false,
    ...{ clock, plane, client, origin, ends, log, counted },
    answered(options = {}) {
      const input = who(options);
      const session = plane.open({ ...input, clientSdp: options.clientSdp ?? offerOf(input.role) });
      const toClient = session.answer(options.originSdp ?? sdpText(ORIGIN_ANSWER));
      return talk(session, session.sdpForOrigin, toClient);
    },
    offered(options = {}) {
      const input = { ...who(options), role: options.role ?? 'subscriber' } as const;
      const session = plane.openForOffer({ ...input, originSdp: options.originSdp ?? sdpText(ORIGIN_OFFER) });
      return talk(session, '', session.sdpForClient);
    },
    clientAt: (host, port) => new FakeClient(core, host, port),
    originAt: (host, port) => new FakeOrigin(core, host, port),
    pass(ms) {
      const end = clock.now() + ms;
      while (clock.now() < end) {
        clock.advance(Math.min(50, end - clock.now()));
        net.settle();
      }
    },
    drops: () => Object.fromEntries(Object.entries(plane.counters.dropped).filter(([, value]) => value > 0)),
  };
  return scene;
}
