import { randomBytes, randomInt } from 'node:crypto';
import type { Config } from './config/config.js';
import { createForeignHooks, type ImportModule } from './gateway/foreign-hooks.js';
import { admitted, openListeners, type ListenAddress } from './gateway/listeners.js';
import { createKeySources } from './gateway/key-sources.js';
import { createLive } from './gateway/live.js';
import { restartNotes } from './gateway/restart-notes.js';
import { joinWebrtc, listenForWebrtc, openMedia } from './gateway/webrtc.js';
import type { Clock } from './model/clock.js';
import type { OriginChoice } from './model/leg.js';
import type { ConnectionRequest } from './model/request.js';
import type { Log, Metrics } from './model/telemetry.js';
import { ENDPOINT_OF } from './model/transport.js';
import { createAdmission } from './net/admission.js';
import { createPacer } from './net/pacing.js';
import { createUdpPairs } from './net/udp-pairs.js';
import { createDoor } from './session/session.js';
import { createRtmpTransport } from './transports/rtmp/index.js';
import { createRtspTransport } from './transports/rtsp/index.js';

/** A running gateway. */
export interface Gateway {
  /** By the listener's name in the config. */
  readonly addresses: Readonly<Record<string, ListenAddress>>;
  /**
   * Puts another config in force without ending anything; lines that come back say what waits for a restart.
   * Rejects with GatewayError `config-keys` or `config-hooks`; then the old one stays whole.
   */
  reload(config: Config): Promise<readonly string[]>;
  /** Refuses new streams at once, lets running ones go on for up to `graceMs`, then ends them and stops. */
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
}

const DRAIN_POLL_MS = 100;
/** How long origins and clients of WebRTC may take to hear that their sessions are over. */
const FAREWELL_MS = 2500;

/**
 * Builds every room and introduces them to each other, then opens the listeners.
 * Rejects with GatewayError `listen-failed`, `config-keys` or `config-hooks`; nothing stays open then.
 */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log, metrics, clock } = deps;
  const state = { isDraining: false };
  const pacer = createPacer(config.relay.paceMs);
  const foreignHooks = createForeignHooks(deps);
  const keySources = createKeySources({ ...deps, random: () => randomInt(1000) / 1000 });
  const prepare = (next: Config): Promise<unknown> =>
    Promise.all([foreignHooks.prepare(next), keySources.prepare(next)]);
  await prepare(config).catch((error: unknown) => {
    keySources.stop();
    throw error;
  });
  const live = createLive(config, { ...deps, pacer, foreignHooks, keySources });
  const door = createDoor({
    decide: (request) => live.now.decide(request),
    chooseOrigin: (request, preferred) => live.now.origins.choose(request, preferred),
    startRelay: (ends, onEnd) => live.now.startRelay(ends, onEnd),
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
    isDraining: () => state.isDraining,
    elapsedMs: () => performance.now(),
  });
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
  const rtsp = createRtspTransport({ ...tongue, ...datagramsOf(config) }, live.options);
  const media = await openMedia(config, deps);
  const webrtc = joinWebrtc(live, { door, clock, log, metrics, media });
  const admission = createAdmission(live.limits, (reason, transport) =>
    metrics.count('connections_refused_total', { transport, reason }),
  );
  const listeners = await openListeners(config, deps, {
    media,
    RTMP: admitted('RTMP', (stream, onGone) => rtmp.accept(stream, onGone), { admission, metrics }),
    RTSP: admitted('RTSP', (stream, onGone) => rtsp.accept(stream, onGone), { admission, metrics }),
    isReady: () => (state.isDraining ? 'draining' : keySources.notReady(live.now.config)),
    listenHttp: (endpoint, isSecure, onError) =>
      listenForWebrtc(config, endpoint, isSecure, { transport: webrtc, admission, metrics, clock, onError }),
  });
  const close = async (): Promise<void> => {
    // So that no origin keeps a session of ours, but no origin keeps us either.
    await Promise.race([webrtc.settled(), pause(clock, FAREWELL_MS)]);
    await Promise.all(
      [...listeners].map(async ([name, listener]) => {
        await listener.close();
        log.write('info', 'listener.closed', { listener: name });
      }),
    );
    pacer.stop();
    keySources.stop();
  };
  return {
    addresses: Object.fromEntries([...listeners].map(([name, { host, port }]) => [name, { host, port }])),
    async reload(next) {
      const notes = restartNotes(live.now.config, next);
      try {
        await prepare(next);
        live.use(next);
      } finally {
        foreignHooks.keep(live.now.config);
        keySources.keep(live.now.config);
      }
      return notes;
    },
    async drain(graceMs) {
      state.isDraining = true;
      const deadline = clock.now() + graceMs;
      while (door.sessions().length > 0 && clock.now() < deadline) await pause(clock, DRAIN_POLL_MS);
      const isCut = door.sessions().some(({ transport }) => ENDPOINT_OF[transport] === 'http');
      door.endAll('draining');
      // Who gets a no to its checks knows at once; who gets nothing believes in us for a quarter of a minute.
      if (isCut) await pause(clock, FAREWELL_MS);
      await close();
    },
    async stop() {
      state.isDraining = true;
      door.endAll('draining');
      await close();
    },
  };
}

/** Absent when media come by TCP only. */
function datagramsOf(config: Config) {
  const { rtsp } = config.listen;
  if (rtsp?.udpPorts === undefined) return {};
  const pairs = createUdpPairs({ host: rtsp.host, ...rtsp.udpPorts });
  return { openDatagrams: (peer: Parameters<typeof pairs.open>[0]) => pairs.open(peer) };
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
