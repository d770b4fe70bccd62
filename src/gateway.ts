import { randomBytes, randomUUID } from 'node:crypto';
import type { Config, HttpEndpoint } from './config/config.js';
import { createAdmin } from './admin/index.js';
import { joinWebrtc, listenForWebrtc, openMedia } from './gateway/webrtc.js';
import { createHooks, type HookDeps } from './hooks/index.js';
import { createPipeline } from './hooks/pipeline.js';
import { createKeySet, type KeySpec, type TokenPolicy } from './hooks/verify-token/index.js';
import type { ByteStream } from './model/byte-stream.js';
import type { Clock } from './model/clock.js';
import { GatewayError } from './model/errors.js';
import type { OriginChoice, StartRelay } from './model/leg.js';
import type { Log, Metrics } from './model/telemetry.js';
import { ENDPOINT_OF, type TransportName } from './model/transport.js';
import { createAdmission } from './net/admission.js';
import { dialTcp } from './net/dial.js';
import { listenHttp } from './net/http.js';
import { createPacer } from './net/pacing.js';
import { listenTcp } from './net/tcp.js';
import { listenTls } from './net/tls.js';
import { createUdpPairs } from './net/udp-pairs.js';
import { originCredentials, type CredentialsOption } from './origin/credentials.js';
import { createChooseOrigin } from './origin/pool.js';
import type { RoomPlacement } from './origin/rooms.js';
import { createOriginStates } from './origin/states.js';
import { createRelay } from './relay/relay.js';
import { createDoor } from './session/session.js';
import { createRtmpTransport } from './transports/rtmp/index.js';
import { createRtspTransport } from './transports/rtsp/index.js';
import type { MediaPlane } from './transports/webrtc/media/media-plane.js';

/** Where a listener can be reached. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A running gateway. */
export interface Gateway {
  /** By the listener's name in the config. */
  readonly addresses: Readonly<Record<string, ListenAddress>>;
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
}

interface Closable {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const DRAIN_POLL_MS = 100;
/** How long origins and clients of WebRTC may take to hear that their sessions are over. */
const FAREWELL_MS = 2500;

/**
 * Builds every room and introduces them to each other, then opens the listeners.
 * Rejects with GatewayError `listen-failed` or `config-keys`; nothing stays open then.
 */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log, metrics, clock } = deps;
  const state = { isDraining: false };
  const pacer = createPacer(config.relay.paceMs);
  const decide = createPipeline(
    createHooks(
      config.hooks.map((name) => ({ name })),
      hookDeps(config, clock),
    ),
    {
      clock,
      hookTimeoutMs: config.limits.hookTimeoutSeconds * 1000,
      onHookError: (hook, error) => {
        metrics.count('hook_errors_total', { hook: hook.name });
        log.write('error', 'gateway.error', { hook: hook.name, error });
      },
    },
  );
  const chooseOrigin = createChooseOrigin(originOptions(config), (origin, request) =>
    originCredentials(placedFor(request.transport, origin.credentials), request, {
      nowMs: clock.now(),
      tokenId: randomUUID(),
    }),
  );
  const door = createDoor({
    decide,
    chooseOrigin,
    startRelay: paced(relayOf(config, clock), pacer),
    log,
    metrics,
    clock,
    newId: () => randomBytes(9).toString('base64url'),
    dialTimeoutMs: config.limits.dialTimeoutSeconds * 1000,
    publisherConflict: config.relay.publisherConflict,
    onExpiry: config.auth.onExpiry,
    isDraining: () => state.isDraining,
    elapsedMs: () => performance.now(),
  });
  const states = createOriginStates(log, metrics);
  const dial = async (origin: OriginChoice, signal: AbortSignal): Promise<ByteStream> => {
    const { name, host, port, secure } = origin;
    try {
      const stream = await dialTcp({ host, port, secure, timeoutMs: config.limits.dialTimeoutSeconds * 1000, signal });
      states.answered(name);
      return stream;
    } catch (error) {
      if (!signal.aborted) states.failed(name, error instanceof Error ? error.message : 'unknown');
      throw error;
    }
  };
  const tongue = {
    door,
    dial,
    clock,
    log,
    metrics,
    random: randomBytes,
    setupStarted: () => pacer.setupStarted(),
  };
  const limits = {
    handshakeTimeoutMs: config.limits.handshakeTimeoutSeconds * 1000,
    publishTimeoutMs: config.limits.publishTimeoutSeconds * 1000,
    preDecisionBytes: config.limits.preDecisionBytes,
    maxUnauthenticated: config.limits.unauthenticated || Infinity,
  };
  const rtmp = createRtmpTransport({ ...tongue, chooseOrigin }, { ...limits, allowRecord: config.relay.allowRecord });
  const rtsp = createRtspTransport({ ...tongue, ...datagramsOf(config) }, limits);
  const media = await openMedia(config, deps);
  const webrtc = joinWebrtc(config, { door, states, clock, log, metrics, media });
  const admission = createAdmission(config.limits, (reason, transport) =>
    metrics.count('connections_refused_total', { transport, reason }),
  );
  const admitted =
    (transport: TransportName, accept: (stream: ByteStream, onGone: () => void) => void) =>
    (stream: ByteStream): void => {
      const onGone = admission.admit(stream, transport);
      if (onGone === undefined) return;
      const count = (): void => metrics.gauge('connections', { transport }, admission.total(transport));
      count();
      accept(stream, () => {
        onGone();
        count();
      });
    };
  const listeners = await openListeners(config, deps, {
    media,
    RTMP: admitted('RTMP', (stream, onGone) => rtmp.accept(stream, onGone)),
    RTSP: admitted('RTSP', (stream, onGone) => rtsp.accept(stream, onGone)),
    isReady: () => (state.isDraining ? 'draining' : undefined),
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
  };
  return {
    addresses: Object.fromEntries([...listeners].map(([name, { host, port }]) => [name, { host, port }])),
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

interface ListenerUsers {
  /** Open already, since its port is part of what others say. */
  readonly media: MediaPlane | undefined;
  readonly RTMP: (stream: ByteStream) => void;
  readonly RTSP: (stream: ByteStream) => void;
  /** Why the gateway is not ready, or undefined when it is. */
  readonly isReady: () => string | undefined;
  readonly listenHttp: (
    endpoint: HttpEndpoint,
    isSecure: boolean,
    onError: (error: Error) => void,
  ) => Promise<Closable>;
}

async function openListeners(config: Config, deps: GatewayDeps, users: ListenerUsers): Promise<Map<string, Closable>> {
  const { log, metrics } = deps;
  const { rtmp, rtmps, rtsp, rtsps, http, https, admin } = config.listen;
  const onError = (error: Error): void => log.write('error', 'gateway.error', { error });
  const opened = new Map<string, Closable>();
  const open = async (name: string, listening: Promise<Closable>): Promise<void> => {
    const listener = await listening;
    opened.set(name, listener);
    log.write('info', 'listener.open', { listener: name, host: listener.host, port: listener.port });
  };
  const secure = (at: ListenAddress, transport: 'RTMP' | 'RTSP'): Promise<Closable> =>
    listenTls({
      ...at,
      certificates: config.tls.certificates.map(({ key, ...one }) => ({ ...one, key: key.reveal() })),
      timeoutMs: config.limits.handshakeTimeoutSeconds * 1000,
      onStream: users[transport],
      onError,
      onBadHandshake: (reason) => metrics.count('connections_refused_total', { transport, reason }),
    });
  try {
    if (users.media !== undefined) {
      const { address } = users.media;
      await open('media', Promise.resolve({ ...address, close: () => users.media?.close() ?? Promise.resolve() }));
    }
    if (rtmp !== undefined) await open('rtmp', listenTcp({ ...rtmp, onStream: users.RTMP, onError }));
    if (rtmps !== undefined) await open('rtmps', secure(rtmps, 'RTMP'));
    if (rtsp !== undefined) await open('rtsp', listenTcp({ ...rtsp, onStream: users.RTSP, onError }));
    if (rtsps !== undefined) await open('rtsps', secure(rtsps, 'RTSP'));
    if (http !== undefined) await open('http', users.listenHttp(http, false, onError));
    if (https !== undefined) await open('https', users.listenHttp(https, true, onError));
    if (admin !== undefined) {
      const handler = createAdmin({
        token: admin.token,
        openPaths: config.admin.openPaths,
        render: () => metrics.render(),
        notReady: users.isReady,
      });
      await open(
        'admin',
        listenHttp({ host: admin.host, port: admin.port, handle: (...request) => handler.handle(...request) }),
      );
    }
    return opened;
  } catch (error) {
    await Promise.all([...opened.values()].map((listener) => listener.close()));
    throw error;
  }
}

/** Absent when media come by TCP only. */
function datagramsOf(config: Config) {
  const { rtsp } = config.listen;
  if (rtsp?.udpPorts === undefined) return {};
  const pairs = createUdpPairs({ host: rtsp.host, ...rtsp.udpPorts });
  return { openDatagrams: (peer: Parameters<typeof pairs.open>[0]) => pairs.open(peer) };
}

function hookDeps(config: Config, clock: Clock): HookDeps {
  const { auth } = config;
  const specs = auth.keys.map((key): KeySpec => {
    const base = { id: key.id, algorithm: key.algorithm };
    switch (key.kind) {
      case 'secret':
        return { ...base, secret: key.secret, encoding: key.encoding, allowWeakSecret: auth.allowWeakSecret };
      case 'public-key':
        return { ...base, pem: key.publicKey };
      case 'jwks':
        return { ...base, jwks: key.jwks };
    }
  });
  const made = createKeySet(specs);
  if (!made.ok) {
    const faults = made.faults.map((fault) => `auth.keys[${fault.index}] (${fault.keyId}): ${fault.message}`);
    throw new GatewayError('config-keys', 'gateway', faults.join('\n'));
  }
  const policy: TokenPolicy = {
    keys: made.keySet,
    profile: auth.profile,
    issuers: auth.issuers,
    audiences: auth.audiences,
    maxTtlS: auth.maxTtlMinutes * 60,
    leewayS: auth.leewaySeconds,
  };
  return { policy, clock };
}

function originOptions(config: Config) {
  return config.origins.map(({ name, rtmp, rtsp, http, rooms, apps, credentials }) => ({
    name,
    endpoints: {
      ...(rtmp && { rtmp: { ...rtmp, rooms } }),
      ...(rtsp && { rtsp: { ...rtsp, rooms: inUrl(rooms) } }),
      ...(http && { http: { ...http, rooms: inUrl(rooms) } }),
    },
    credentials,
    ...(apps === undefined ? {} : { apps }),
  }));
}

/** Where credentials stand is a choice of RTMP's; the others have places of their own. */
function placedFor(transport: TransportName, option: CredentialsOption): CredentialsOption {
  return option.mode === 'strip' || ENDPOINT_OF[transport] !== 'http' ? option : { ...option, placement: 'query' };
}

/** In a URL, app and name are one path: where they meet does not matter. */
function inUrl(rooms: RoomPlacement): RoomPlacement {
  return rooms === 'flat' ? 'flat' : 'name';
}

function relayOf(config: Config, clock: Clock): StartRelay {
  return createRelay({
    clock,
    idleTimeoutMs: config.limits.idleTimeoutSeconds * 1000,
    viewerBufferBytes: config.relay.viewerBufferBytes,
    viewerStallMs: config.relay.viewerStallSeconds * 1000,
  });
}

/** A relay that tells the pacer when it runs. */
function paced(start: StartRelay, pacer: { relayStarted(): () => void }): StartRelay {
  return (ends, onEnd) => {
    const over = pacer.relayStarted();
    const relay = start(ends, (reason, error) => {
      over();
      onEnd(reason, error);
    });
    return {
      get clientBytes() {
        return relay.clientBytes;
      },
      get originBytes() {
        return relay.originBytes;
      },
      stop() {
        over();
        relay.stop();
      },
    };
  };
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
