import { randomBytes, randomUUID } from 'node:crypto';
import type { Config } from './config/config.js';
import { createAdmin } from './admin/index.js';
import { createHooks, type HookDeps } from './hooks/index.js';
import { createPipeline } from './hooks/pipeline.js';
import { createKeySet, type KeySpec, type TokenPolicy } from './hooks/verify-token/index.js';
import type { ByteStream } from './model/byte-stream.js';
import type { Clock } from './model/clock.js';
import { GatewayError } from './model/errors.js';
import type { OriginChoice, StartRelay } from './model/leg.js';
import type { Log, Metrics } from './model/telemetry.js';
import { createAdmission } from './net/admission.js';
import { dialTcp } from './net/dial.js';
import { listenHttp } from './net/http.js';
import { createPacer } from './net/pacing.js';
import { listenTcp } from './net/tcp.js';
import { listenTls } from './net/tls.js';
import { originCredentials } from './origin/credentials.js';
import { createChooseOrigin } from './origin/pool.js';
import type { RoomPlacement } from './origin/rooms.js';
import { createOriginStates } from './origin/states.js';
import { createRelay } from './relay/relay.js';
import { createDoor } from './session/session.js';
import { createRtmpTransport } from './transports/rtmp/index.js';

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
    originCredentials(origin.credentials, request, { nowMs: clock.now(), tokenId: randomUUID() }),
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
  const rtmp = createRtmpTransport(
    {
      door,
      chooseOrigin,
      dial,
      clock,
      log,
      metrics,
      random: randomBytes,
      setupStarted: () => pacer.setupStarted(),
    },
    {
      handshakeTimeoutMs: config.limits.handshakeTimeoutSeconds * 1000,
      publishTimeoutMs: config.limits.publishTimeoutSeconds * 1000,
      preDecisionBytes: config.limits.preDecisionBytes,
      maxUnauthenticated: config.limits.unauthenticated || Infinity,
      allowRecord: config.relay.allowRecord,
    },
  );
  const admission = createAdmission(config.limits, (reason) =>
    metrics.count('connections_refused_total', { transport: 'RTMP', reason }),
  );
  const listeners = await openListeners(config, deps, {
    rtmp: (stream) => {
      const onGone = admission.admit(stream);
      if (onGone === undefined) return;
      metrics.gauge('connections', { transport: 'RTMP' }, admission.total());
      rtmp.accept(stream, () => {
        onGone();
        metrics.gauge('connections', { transport: 'RTMP' }, admission.total());
      });
    },
    isReady: () => (state.isDraining ? 'draining' : undefined),
  });
  const close = async (): Promise<void> => {
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
      door.endAll('draining');
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
  readonly rtmp: (stream: ByteStream) => void;
  /** Why the gateway is not ready, or undefined when it is. */
  readonly isReady: () => string | undefined;
}

async function openListeners(config: Config, deps: GatewayDeps, users: ListenerUsers): Promise<Map<string, Closable>> {
  const { log, metrics } = deps;
  const { rtmp, rtmps, admin } = config.listen;
  const onError = (error: Error): void => log.write('error', 'gateway.error', { error });
  const opened = new Map<string, Closable>();
  const open = async (name: string, listening: Promise<Closable>): Promise<void> => {
    const listener = await listening;
    opened.set(name, listener);
    log.write('info', 'listener.open', { listener: name, host: listener.host, port: listener.port });
  };
  try {
    if (rtmp !== undefined) await open('rtmp', listenTcp({ ...rtmp, onStream: users.rtmp, onError }));
    if (rtmps !== undefined) {
      const onBadHandshake = (reason: string): void =>
        metrics.count('connections_refused_total', { transport: 'RTMP', reason });
      const certificates = config.tls.certificates.map(({ cert, key, serverNames }) => ({
        cert,
        key: key.reveal(),
        serverNames,
      }));
      const timeoutMs = config.limits.handshakeTimeoutSeconds * 1000;
      await open(
        'rtmps',
        listenTls({ ...rtmps, certificates, timeoutMs, onStream: users.rtmp, onError, onBadHandshake }),
      );
    }
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
