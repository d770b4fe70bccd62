import { randomBytes } from 'node:crypto';
import { createFeed } from './admin/index.js';
import type { Config } from './config/config.js';
import { adminPorts, feedListener, hear, openAdmin, type Operator } from './gateway/admin.js';
import type { ImportModule } from './gateway/foreign-hooks.js';
import { createLasting, type Lasting } from './gateway/lasting.js';
import { createListenerSet, type ListenAddress } from './gateway/listener-set.js';
import { admitted, listenerWishes, type ListenerParts } from './gateway/listeners.js';
import { createLive } from './gateway/live.js';
import { createMediaPorts } from './gateway/media-ports.js';
import { createTrustedProxies } from './gateway/proxies.js';
import { sessionRulesOf } from './gateway/session-rules.js';
import { createTracing } from './gateway/tracing.js';
import { framersOf, type AddressOf } from './gateway/wall.js';
import { joinWebrtc, listenForWebrtc } from './gateway/webrtc.js';
import type { Clock } from './model/clock.js';
import { GatewayError } from './model/errors.js';
import type { OriginChoice } from './model/leg.js';
import type { ConnectionRequest } from './model/request.js';
import type { Log, LogEvent, LogFields, Metrics } from './model/telemetry.js';
import { ENDPOINT_OF } from './model/transport.js';
import { createAdmission } from './net/admission.js';
import type { OriginHealth } from './origin/health.js';
import { createDoor, type SessionDoor, type SessionInfo } from './session/session.js';
import type { Revocations } from './store/revocations.js';
import { tapLog } from './telemetry/log-taps.js';
import { createRtmpTransport } from './transports/rtmp/index.js';
import { createRtspTransport } from './transports/rtsp/index.js';

/** A running gateway. */
export interface Gateway {
  /** Those that are open now, by the listener's name in the config. */
  readonly addresses: Readonly<Record<string, ListenAddress>>;
  /**
   * Puts another config in force without ending anything; one at a time. Lines that come back say what waits for a restart.
   * Rejects with GatewayError `listen-failed`, `config-keys`, `config-hooks`, `config-traces`, `config-revocations` or `certificate-unusable`; then the
   * old one stays whole.
   */
  reload(config: Config): Promise<readonly string[]>;
  /** The streams that are set up or run, and how to end some of them. */
  readonly sessions: Pick<SessionDoor, 'sessions' | 'kick'>;
  /** How the origins are, and how to let one have no new streams. */
  readonly origins: Pick<OriginHealth, 'list' | 'drain'>;
  /** Tells operators who listen of an event that was logged outside the gateway. */
  hear(event: LogEvent, fields: LogFields): void;
  /** What is revoked; an addition ends the sessions that it fits. */
  readonly revocations: Revocations;
  /**
   * Refuses new streams at once, lets running ones go on for up to `graceMs`, then ends them evenly over
   * `limits.drainSpreadSeconds`, and stops. The listeners answer until the end.
   */
  drain(graceMs: number): Promise<void>;
  /** Ends everything now. */
  stop(): Promise<void>;
}

/** What the rooms share. */
export interface GatewayDeps {
  readonly log: Log;
  readonly metrics: Metrics & { render(): string };
  readonly clock: Clock;
  /** Loads a module of `hooks` by its URL. Default: as Node does. */
  readonly importModule?: ImportModule;
  /** Of the gateway, for those who collect traces. */
  readonly version?: string;
  /** The bytes of a file, for `auth.revocations`; throws the system's error. */
  readonly readFile?: (path: string) => Buffer;
  /** What the admin API can ask of the program around the gateway; what is absent has no route. */
  readonly operator?: Operator;
}

/** Listeners of another config that are open; `notes`: what waits for a restart. */
interface Changeover {
  readonly use: () => void;
  readonly notes: readonly string[];
}

/** How long origins and clients of WebRTC may take to hear that their sessions are over. */
const FAREWELL_MS = 2500;

/**
 * Builds every room and introduces them to each other, then opens the listeners.
 * Rejects with GatewayError `listen-failed`, `config-keys`, `config-hooks`, `config-traces`, `config-revocations` or `certificate-unusable`;
 * nothing stays open then.
 */
export async function startGateway(config: Config, given: GatewayDeps): Promise<Gateway> {
  const { metrics, clock } = given;
  const feed = createFeed(() => clock.now());
  const state = { isDraining: false, isStopped: false, isWatched: config.listen.admin !== undefined };
  const elapsedMs = (): number => performance.now();
  const tracing = createTracing({ log: given.log, metrics, clock, elapsedMs, version: given.version });
  const log = tapLog(given.log, [feedListener(feed, () => state.isWatched), tracing]);
  const deps = { ...given, log, tracing, elapsedMs };
  const lasting = await createLasting(config, deps);
  const { memory, originCare, keySources, foreignHooks, certificates, pacer } = lasting;
  const live = await orStop(lasting, () => createLive(config, { ...deps, ...lasting }));
  const door = createDoor({
    decide: (request) => live.now.decide(request),
    chooseOrigin: (request, preferred) => live.now.origins.choose(request, preferred),
    startRelay: (ends, onEnd) => live.now.startRelay(ends, onEnd),
    locate: (origin, request, signal) => live.now.origins.locate(origin, request, signal),
    onOriginSilent: ({ name }) => originCare.health.failed(name, 'it did not answer in time'),
    onOver: (request, identity, reason) => live.now.farewell(request, identity, reason),
    log,
    metrics,
    clock,
    newId: () => randomBytes(9).toString('base64url'),
    get dialTimeoutMs() {
      return live.now.config.limits.dialTimeoutSeconds * 1000;
    },
    get publisherConflict() {
      return live.now.config.relay.publisherConflict;
    },
    get onExpiry() {
      return live.now.config.auth.onExpiry;
    },
    rules: () => sessionRulesOf(live.now.config),
    tokens: memory.tokens,
    isDraining: () => state.isDraining,
    elapsedMs,
  });
  memory.revocations.enforceBy(() => door.endRevoked());
  const tongue = {
    door,
    dial: (origin: OriginChoice, signal: AbortSignal) => live.now.origins.dial(origin, signal),
    chooseOrigin: (request: ConnectionRequest) => live.now.origins.choose(request),
    clock,
    log,
    metrics,
    random: randomBytes,
    setupStarted: () => pacer.setupStarted(),
  };
  const rtmp = createRtmpTransport(tongue, live.options);
  const rtsp = createRtspTransport(
    {
      ...tongue,
      get openDatagrams() {
        return live.now.openDatagrams;
      },
    },
    live.options,
  );
  const maxSessions = (): number => live.now.config.limits.connections;
  const mediaPorts = createMediaPorts({ clock, log, metrics, maxSessions });
  const webrtc = joinWebrtc(live, { door, clock, log, metrics, mediaPorts });
  const proxies = createTrustedProxies({ live, log, metrics });
  const admission = createAdmission(live.limits, (reason, transport) =>
    metrics.count('connections_refused_total', { transport, reason }),
  );
  const listeners = createListenerSet(log);
  const addressOf: AddressOf = (name) => listeners.at(name);
  const parts: ListenerParts = {
    ...{ log, metrics, certificates, proxies },
    RTMP: admitted('RTMP', (stream, onGone) => rtmp.accept(stream, onGone), { admission, metrics }),
    RTSP: admitted('RTSP', (stream, onGone) => rtsp.accept(stream, onGone), { admission, metrics }),
    openAdmin: (endpoint, onError) => {
      const notReady = (): string | undefined => (state.isDraining ? 'draining' : keySources.notReady(live.now.config));
      const { operator } = deps;
      const joints = { live, door, originCare, memory, keySources, clock };
      const ports = adminPorts({ ...joints, render: () => metrics.render(), notReady, operator, addressOf });
      const random = (): string => randomBytes(24).toString('base64url');
      const forwarded = proxies.forwardedOf(endpoint);
      return openAdmin(endpoint, { live, ports, feed, log, metrics, clock, random, forwarded, onError });
    },
    openHttp: (name, opening) => {
      const framedBy = (): readonly string[] => framersOf(live.now.config.listen.admin, addressOf);
      return listenForWebrtc(name, opening, { live, transport: webrtc, admission, proxies, metrics, clock, framedBy });
    },
  };
  /** Opens what a config names beyond what is open; `use` closes the rest. */
  const changeover = async (next: Config): Promise<Changeover> => {
    const media = await mediaPorts.prepare(next);
    try {
      const useListeners = await listeners.prepare(listenerWishes(next, parts));
      const use = (): void => {
        useListeners();
        media.use();
      };
      return { use, notes: media.notes };
    } catch (error) {
      await media.drop();
      throw error;
    }
  };
  (await orStop(lasting, () => changeover(config))).use();
  originCare.use(config);
  const close = async (): Promise<void> => {
    // So that no origin keeps a session of ours, but no origin keeps us either. Nor does a server that is told of the end.
    // All at once: whoever stops the process counts on it.
    await atMost(clock, FAREWELL_MS, Promise.all([webrtc.settled(), foreignHooks.settled(), tracing.close()]));
    await Promise.all([listeners.close(), mediaPorts.close()]);
    state.isStopped = true;
    lasting.stop();
  };
  return {
    sessions: door,
    revocations: memory.revocations,
    hear: (event, fields) => hear(feed, event, fields),
    origins: originCare.health,
    get addresses() {
      const { address: media } = mediaPorts;
      return { ...(media && { media }), ...listeners.addresses };
    },
    async reload(next) {
      const mustRun = (): void => {
        if (state.isStopped) throw new GatewayError('listen-failed', 'gateway', 'the gateway stops');
      };
      mustRun();
      try {
        const useLasting = await lasting.prepare(next);
        mustRun();
        const useLive = live.prepare(next);
        const { use: useListeners, notes } = await changeover(next);
        // From here on nothing can fail. Listeners first, so that those which close hear of no certificate that is not theirs.
        useListeners();
        state.isWatched = next.listen.admin !== undefined;
        useLive();
        useLasting();
        return notes;
      } finally {
        // What was begun before the end must not outlive it.
        if (state.isStopped) lasting.stop();
        else lasting.keep(live.now.config);
      }
    },
    async drain(graceMs) {
      state.isDraining = true;
      const spreadMs = live.now.config.limits.drainSpreadSeconds * 1000;
      const cut = { isHttp: false };
      const onLetGo = ({ transport }: SessionInfo): void => {
        cut.isHttp ||= ENDPOINT_OF[transport] === 'http';
      };
      await door.drain({ graceMs, spreadMs, onLetGo });
      // Who gets a no to its checks knows at once; who gets nothing believes in us for a quarter of a minute.
      if (cut.isHttp) await pause(clock, FAREWELL_MS);
      await close();
    },
    async stop() {
      state.isDraining = true;
      door.endAll('draining');
      await close();
    },
  };
}

/** What comes of `make`; whatever is looked after in the background ends when nothing does. */
async function orStop<T>(lasting: Lasting, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    lasting.stop();
    throw error;
  }
}

/** Waits for something that never rejects, but no longer than `timeoutMs`. */
function atMost(clock: Clock, timeoutMs: number, waited: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(timeoutMs, resolve);
    void waited.then(() => {
      cancel();
      resolve();
    });
  });
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
