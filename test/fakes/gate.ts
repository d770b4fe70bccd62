import { createHooks, DEFAULT_HOOKS, type HookName } from '../../src/hooks/index.js';
import { createLimiter, type LimitRules } from '../../src/hooks/limits/index.js';
import { createPipeline } from '../../src/hooks/pipeline.js';
import { createKeySet, type TokenPolicy } from '../../src/hooks/verify-token/index.js';
import { mintToken, type MintOptions } from '../../src/hooks/verify-token/mint.js';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { GatewayError } from '../../src/model/errors.js';
import { Secret } from '../../src/model/secret.js';
import type { LogFields, Metrics } from '../../src/model/telemetry.js';
import { originCredentials, type CredentialsOption } from '../../src/origin/credentials.js';
import { createChooseOrigin } from '../../src/origin/pool.js';
import type { RoomPlacement } from '../../src/origin/rooms.js';
import { createRelay } from '../../src/relay/relay.js';
import { createDoor, type DoorDeps } from '../../src/session/session.js';
import { createRtmpTransport } from '../../src/transports/rtmp/index.js';
import { DEFAULT_RTMP_OPTIONS, type RtmpOptions } from '../../src/transports/rtmp/options.js';
import { settle, streamPair, type FakeByteStream, type PairOptions } from './byte-stream.js';
import { fakeClock, type FakeClock } from './clock.js';
import { OriginDouble, type OriginBehaviour } from './rtmp-origin.js';
import { fixedRandom, RtmpPeer } from './rtmp-peer.js';

/** The secret of every gate in tests. */
export const GATE_SECRET = 'a secret of the tests, long enough for HS256';

const KEYS = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(GATE_SECRET) }]);

const NO_LIMITS: LimitRules = {
  ...{ allow: [], deny: [], attemptsPerAddress: 0, attemptsPerSubject: 0 },
  ...{ failuresPerToken: 0, failuresPerAddress: 0 },
};

/** What a gate is made of; all has a default. */
export interface GateOptions {
  readonly hooks?: readonly HookName[];
  readonly policy?: Partial<TokenPolicy>;
  readonly rtmp?: Partial<RtmpOptions>;
  /** Default: none. */
  readonly limits?: Partial<LimitRules>;
  readonly rooms?: RoomPlacement;
  readonly credentials?: CredentialsOption;
  readonly origin?: OriginBehaviour;
  /** The origin cannot be reached. */
  readonly unreachable?: boolean;
  readonly door?: Partial<DoorDeps>;
  readonly idleTimeoutMs?: number;
  readonly viewerBufferBytes?: number;
  readonly pair?: PairOptions;
  /** Of the connections to origins. */
  readonly originPair?: PairOptions;
}

/** One line of the log. */
export interface LoggedLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

/** The RTMP half of a gateway without a network: rooms as `gateway.ts` joins them, fake streams and a fake clock. */
export interface Gate {
  readonly clock: FakeClock;
  readonly lines: LoggedLine[];
  readonly counts: Map<string, number>;
  /** Origins that were dialled, in order. */
  readonly origins: OriginDouble[];
  /** The gateway's sides of the connections to them. */
  readonly originSides: FakeByteStream[];
  /** How the next origin behaves. */
  behaviour: OriginBehaviour;
  isUnreachable: boolean;
  isDraining: boolean;
  /** A client that has just connected; the handshake runs by itself. */
  client(options?: PairOptions): { peer: RtmpPeer; stream: FakeByteStream; gateSide: FakeByteStream };
  /** The gateway takes a stream of whatever kind. */
  accept(stream: ByteStream): void;
  /** How many connections have not been reported gone. */
  readonly open: number;
  /** The gateway's side of a fresh connection, for bytes that are no RTMP. */
  raw(options?: PairOptions): { stream: FakeByteStream; gateSide: FakeByteStream };
  token(claims?: Partial<MintOptions>): string;
  decisions(): readonly LogFields[];
  ends(): readonly LogFields[];
  readonly door: ReturnType<typeof createDoor>;
}

/** Makes a gate. */
export function makeGate(options: GateOptions = {}): Gate {
  const keys = KEYS;
  if (!keys.ok) throw new Error('the key of the tests was refused');
  const clock = fakeClock();
  const lines: LoggedLine[] = [];
  const counts = new Map<string, number>();
  const origins: OriginDouble[] = [];
  const originSides: FakeByteStream[] = [];
  const policy: TokenPolicy = {
    profile: 'red5',
    issuers: [],
    audiences: [],
    maxTtlS: 3600,
    leewayS: 0,
    keys: keys.keySet,
    ...options.policy,
  };
  const log = {
    write: (level: string, event: string, fields: LogFields) => void lines.push({ level, event, fields }),
    enabled: () => true,
  };
  const metrics: Metrics = {
    count: (name, labels = {}, by = 1) => {
      const key = `${name}${JSON.stringify(labels)}`;
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    gauge: (name, labels) => metrics.count(name, labels),
    observe: (name, labels) => metrics.count(name, labels),
  };
  const choose = createChooseOrigin(
    [
      {
        name: 'origin',
        endpoints: {
          rtmp: { host: 'origin.example', port: 1935, secure: false, rooms: options.rooms ?? 'app' },
        },
        credentials: options.credentials ?? { mode: 'strip' },
      },
    ],
    (origin, request) => originCredentials(origin.credentials, request, { nowMs: clock.now(), tokenId: 'fresh' }),
  );
  let ids = 0;
  let open = 0;
  const gate: Omit<Gate, 'door'> = {
    clock,
    lines,
    counts,
    origins,
    originSides,
    behaviour: options.origin ?? {},
    isUnreachable: options.unreachable ?? false,
    isDraining: false,
    client(pairOptions) {
      const { stream, gateSide } = gate.raw(pairOptions);
      return { peer: new RtmpPeer(stream, 'client'), stream, gateSide };
    },
    raw(pairOptions) {
      const [gateSide, stream] = streamPair({ clock, ...options.pair, ...pairOptions });
      gate.accept(gateSide);
      return { stream, gateSide };
    },
    accept(stream) {
      open += 1;
      rtmp.accept(stream, () => (open -= 1));
    },
    get open() {
      return open;
    },
    token: (claims = {}) => mintToken({ key: keys.keySet.keys[0]!, ttlS: 60, ...claims }, clock.now() / 1000),
    decisions: () => lines.filter(({ event }) => event === 'decision').map(({ fields }) => fields),
    ends: () => lines.filter(({ event }) => event === 'session.end').map(({ fields }) => fields),
  };
  const dial = async (): Promise<ByteStream> => {
    await Promise.resolve();
    if (gate.isUnreachable) throw new GatewayError('origin-unavailable', 'origin', 'connection refused');
    const [near, far] = streamPair({ clock, ...options.originPair });
    origins.push(new OriginDouble(far, gate.behaviour));
    originSides.push(near);
    return near;
  };
  const hooks = createHooks(
    (options.hooks ?? DEFAULT_HOOKS).map((name) => ({ name })),
    { policy, clock },
  );
  const law = createPipeline(hooks, { clock, hookTimeoutMs: 3000 });
  const door = createDoor({
    decide: createLimiter(clock).guard(law, { ...NO_LIMITS, ...options.limits }),
    chooseOrigin: choose,
    startRelay: createRelay({
      clock,
      idleTimeoutMs: options.idleTimeoutMs ?? 15_000,
      viewerBufferBytes: options.viewerBufferBytes ?? 1 << 20,
      viewerStallMs: 10_000,
    }),
    log,
    metrics,
    clock,
    newId: () => `s${++ids}`,
    dialTimeoutMs: 5000,
    publisherConflict: 'reject',
    onExpiry: 'keep',
    isDraining: () => gate.isDraining,
    ...options.door,
  });
  const rtmp = createRtmpTransport(
    { door, chooseOrigin: choose, dial, clock, log, metrics, random: fixedRandom, setupStarted: () => () => undefined },
    { ...DEFAULT_RTMP_OPTIONS, ...options.rtmp },
  );
  return Object.assign(gate, { door });
}

/** Lets everything that is under way arrive, however many hops it has. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await settle();
}
