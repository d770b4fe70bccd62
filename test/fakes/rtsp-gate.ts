import { createHooks, DEFAULT_HOOKS } from '../../src/hooks/index.js';
import { createPipeline } from '../../src/hooks/pipeline.js';
import { createKeySet, type TokenPolicy } from '../../src/hooks/verify-token/index.js';
import { mintToken, type MintOptions } from '../../src/hooks/verify-token/mint.js';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { Secret } from '../../src/model/secret.js';
import type { LogFields, Metrics } from '../../src/model/telemetry.js';
import { originCredentials, type CredentialsOption } from '../../src/origin/credentials.js';
import { createChooseOrigin } from '../../src/origin/pool.js';
import { createRelay } from '../../src/relay/relay.js';
import { createDoor, type DoorDeps } from '../../src/session/session.js';
import { createRtspTransport } from '../../src/transports/rtsp/index.js';
import { DEFAULT_RTSP_OPTIONS, type OpenDatagrams, type RtspOptions } from '../../src/transports/rtsp/options.js';
import { settle, streamPair, type FakeByteStream, type PairOptions } from './byte-stream.js';
import { fakeClock, type FakeClock } from './clock.js';
import { GATE_SECRET, type LoggedLine } from './gate.js';
import { RtspOriginDouble, type RtspOriginBehaviour } from './rtsp-origin.js';
import { RtspPeer } from './rtsp-peer.js';

/** What an RTSP gate is made of; all has a default. */
export interface RtspGateOptions {
  readonly policy?: Partial<TokenPolicy>;
  readonly rtsp?: Partial<RtspOptions>;
  readonly credentials?: CredentialsOption;
  readonly origin?: Partial<RtspOriginBehaviour>;
  readonly openDatagrams?: OpenDatagrams;
  readonly door?: Partial<DoorDeps>;
}

/** The RTSP half of a gateway without a network. */
export interface RtspGate {
  readonly clock: FakeClock;
  readonly lines: LoggedLine[];
  readonly counts: Map<string, number>;
  /** Origins that were dialled, in order. */
  readonly origins: RtspOriginDouble[];
  behaviour: Partial<RtspOriginBehaviour>;
  /** How many connections have not been reported gone. */
  readonly open: number;
  client(options?: PairOptions): RtspPeer;
  raw(options?: PairOptions): { readonly stream: FakeByteStream; readonly gateSide: FakeByteStream };
  token(claims?: Partial<MintOptions>): string;
  ends(): readonly LogFields[];
  decisions(): readonly LogFields[];
}

/** Makes a gate. */
export function makeRtspGate(options: RtspGateOptions = {}): RtspGate {
  const clock = fakeClock();
  const lines: LoggedLine[] = [];
  const counts = new Map<string, number>();
  const origins: RtspOriginDouble[] = [];
  const keys = createKeySet([{ id: 'main', algorithm: 'HS256', secret: new Secret(GATE_SECRET) }]);
  if (!keys.ok) throw new Error('the key of the tests was refused');
  const policy: TokenPolicy = {
    ...{ profile: 'red5', issuers: [], audiences: [], maxTtlS: 3600, leewayS: 0, keys: keys.keySet },
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
        endpoints: { rtsp: { host: 'origin.example', port: 8554, secure: false, rooms: 'name' } },
        credentials: options.credentials ?? { mode: 'strip' },
      },
    ],
    (origin, request) => originCredentials(origin.credentials, request, { nowMs: clock.now(), tokenId: 'fresh' }),
  );
  let ids = 0;
  let open = 0;
  const door = createDoor({
    decide: createPipeline(
      createHooks(
        DEFAULT_HOOKS.map((name) => ({ name })),
        { policy, clock },
      ),
      { clock, hookTimeoutMs: 3000 },
    ),
    chooseOrigin: choose,
    startRelay: createRelay({ clock, idleTimeoutMs: 15_000, viewerBufferBytes: 1 << 20, viewerStallMs: 10_000 }),
    log,
    metrics,
    clock,
    newId: () => `s${++ids}`,
    dialTimeoutMs: 5000,
    publisherConflict: 'reject',
    onExpiry: 'keep',
    isDraining: () => false,
    ...options.door,
  });
  const gate: RtspGate = {
    clock,
    lines,
    counts,
    origins,
    behaviour: options.origin ?? {},
    get open() {
      return open;
    },
    client: (pairOptions) => new RtspPeer(gate.raw(pairOptions).stream),
    raw(pairOptions) {
      const [gateSide, stream] = streamPair({ clock, ...pairOptions });
      open += 1;
      rtsp.accept(gateSide, () => (open -= 1));
      return { stream, gateSide };
    },
    token: (claims = {}) => mintToken({ key: keys.keySet.keys[0]!, ttlS: 60, ...claims }, clock.now() / 1000),
    ends: () => lines.filter(({ event }) => event === 'session.end').map(({ fields }) => fields),
    decisions: () => lines.filter(({ event }) => event === 'decision').map(({ fields }) => fields),
  };
  const dial = async (): Promise<ByteStream> => {
    await Promise.resolve();
    const [near, far] = streamPair({ clock });
    origins.push(new RtspOriginDouble(far, gate.behaviour));
    return near;
  };
  let salt = 0;
  const random = (size: number): Buffer => Buffer.alloc(size, ++salt);
  const { openDatagrams } = options;
  const rtsp = createRtspTransport(
    {
      door,
      dial,
      clock,
      log,
      metrics,
      random,
      setupStarted: () => () => undefined,
      ...(openDatagrams && { openDatagrams }),
    },
    { ...DEFAULT_RTSP_OPTIONS, ...options.rtsp },
  );
  return gate;
}

/** Lets everything that is under way arrive, however many hops it has. */
export async function quiet(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await settle();
}
