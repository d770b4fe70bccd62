import type { AdminEndpoint, Config } from '../config/config.js';
import { createAdmin, type Admin, type AdminOptions, type AdminPorts, type Feed } from '../admin/index.js';
import { effectiveConfig } from '../config/effective.js';
import { explainToken } from '../hooks/verify-token/explain.js';
import { createKeySet, joinKeys } from '../hooks/verify-token/index.js';
import { mintToken } from '../hooks/verify-token/mint.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import type { LogEvent, LogFields } from '../model/telemetry.js';
import type { ReadForwarded } from '../net/http-request.js';
import { createAdmission } from '../net/admission.js';
import { listenHttpServer } from '../net/http-server.js';
import { loadWebSockets } from '../net/web-socket.js';
import type { SessionDoor } from '../session/session.js';
import type { LogListener } from '../telemetry/log-taps.js';
import { plainValue } from '../telemetry/plain-value.js';
import { redact } from '../telemetry/redact.js';
import { normalisePartialPath, normaliseStreamPath } from '../wire/stream-path.js';
import type { KeySources } from './key-sources.js';
import type { Closable } from './listener-set.js';
import type { Live } from './live.js';
import type { OriginCare } from './origin-care.js';
import { planMint } from './minting.js';
import { claimPolicyOf, keySpecsOf } from './token-keys.js';
import type { LastingTokenMemory } from './token-memory.js';
import { pagesUrl, wallOf, type AddressOf } from './wall.js';

/** What only the program around the gateway can do. */
export interface Operator {
  readonly reload?: AdminPorts['reload'];
  readonly drain?: AdminPorts['drain'];
}

/** What the windows are joined to. */
export interface AdminJoints {
  readonly live: Live;
  readonly door: Pick<SessionDoor, 'sessions' | 'kick'>;
  readonly originCare: OriginCare;
  readonly memory: LastingTokenMemory;
  readonly keySources: KeySources;
  readonly clock: Clock;
  readonly render: () => string;
  readonly notReady: () => string | undefined;
  readonly operator: Operator | undefined;
  readonly addressOf: AddressOf;
}

const ROLES = { publisher: 'red5-publisher', subscriber: 'red5-subscriber' } as const;

/** Lets `feed` hear what the log is told, for as long as `isWatched`. What is for debugging only is no news for operators. */
export function feedListener(feed: Feed, isWatched: () => boolean): LogListener {
  return {
    wants: (level) => level !== 'debug' && isWatched(),
    hear: (event, fields) => hear(feed, event, fields),
  };
}

/** Tells `feed` of an event of the log, without what is secret in it. */
export function hear(feed: Feed, event: LogEvent, fields: LogFields): void {
  feed.take(event, () => plainValue(fields) as Readonly<Record<string, unknown>>);
}

/** What the windows look at and act on. */
export function adminPorts(joints: AdminJoints): AdminPorts {
  const { live, door, originCare, memory, render, notReady, operator, addressOf } = joints;
  const { revocations } = memory;
  return {
    ...{ render, notReady, revocations },
    sessions: () => door.sessions(),
    kick: (wish) => door.kick(wish),
    origins: () => originViews(joints),
    drainOrigin: (name, isDrained) => originCare.health.drain(name, isDrained),
    config: () => effectiveConfig(live.now.config),
    mint: (wish) => mint(live.now.config, wish, joints.clock.now() / 1000),
    why: (wish) => why(joints, wish),
    reload: operator?.reload,
    drain: operator?.drain,
    watchUrl: () => {
      const base = pagesUrl(live.now.config.listen, addressOf);
      return base && `${base}/watch`;
    },
    wall: () => wallOf(live.now.config, addressOf),
  };
}

function originViews({ live, originCare }: AdminJoints): ReturnType<AdminPorts['origins']> {
  const { origins } = live.now.config;
  return originCare.health.list().map((state) => ({
    ...state,
    offersWhep: origins.some(({ name, http }) => name === state.name && http !== undefined),
  }));
}

const mint = (
  { auth }: Config,
  wish: Parameters<AdminPorts['mint']>[0],
  nowS: number,
): ReturnType<AdminPorts['mint']> => {
  const { key: keyId, ttlSeconds: ttlS, roles, ...claims } = wish;
  const plan = planMint(auth, {
    ...claims,
    ...(roles !== undefined && { roles: roles.map((role) => ROLES[role]) }),
    ...(ttlS !== undefined && { ttlS }),
    ...(keyId !== undefined && { keyId }),
  });
  if (!plan.ok) {
    const noKey = 'the config holds no such secret to sign with';
    return {
      ok: false,
      problem: plan.problem === 'no-key' ? noKey : `auth.maxTtlMinutes allows ${auth.maxTtlMinutes * 60} s`,
    };
  }
  const { options } = plan;
  try {
    const token = new Secret(mintToken(options, nowS));
    return { ok: true, token, expiresAtS: Math.floor(nowS) + options.ttlS };
  } catch (error) {
    if (error instanceof GatewayError) return { ok: false, problem: error.message };
    throw error;
  }
};

const why = (
  { live, keySources, memory, clock }: AdminJoints,
  { token, action, transport, path }: Parameters<AdminPorts['why']>[0],
): ReturnType<AdminPorts['why']> => {
  const read = action === 'connect' ? normalisePartialPath(path) : normaliseStreamPath(path);
  if (!read.ok) return { problem: `path: ${read.detail}` };
  const { config } = live.now;
  const hooks = config.hooks.map(({ name }) => name);
  if (!hooks.includes('verify-token')) return { problem: 'verify-token is not among the hooks of the config' };
  const made = createKeySet(keySpecsOf(config.auth));
  if (!made.ok) return { problem: 'the keys of the config cannot be used' };
  const { whyRevoked } = memory.tokens;
  const keys = joinKeys(made.keySet.keys, keySources.of(config));
  const policy = { ...claimPolicyOf(config.auth), keys, whyRevoked };
  const { ok, code, detail, steps, mistakes } = explainToken(
    token.reveal(),
    { transport, action, target: read.target },
    policy,
    clock.now(),
    hooks,
  );
  return {
    ...{
      ok,
      code,
      detail: detail === undefined ? undefined : redact(detail),
      mistakes: mistakes.map((text) => redact(text)),
    },
    steps: steps.map(({ name, outcome, text }) => ({ name, outcome, text: redact(text) })),
  };
};

/** What the windows are opened with. */
export interface OpenAdminOptions extends Omit<AdminOptions, 'host' | 'token' | 'openPaths' | 'attempts'> {
  readonly live: Live;
  /** How the operator's address is found; absent: it is the peer's. */
  readonly forwarded: ReadForwarded | undefined;
  readonly onError: (error: Error) => void;
}

/** Connections at once, in all and from one address; a dashboard has seven at most. */
const MAX_CONNECTIONS = 256;
const MAX_PER_ADDRESS = 128;

/** Opens the operator's listener. Rejects with GatewayError `listen-failed`. */
export async function openAdmin(
  { host, port, token }: AdminEndpoint,
  { live, forwarded, onError, ...parts }: OpenAdminOptions,
): Promise<Closable> {
  const { clock } = parts;
  const admin: Admin = createAdmin({
    ...{ ...parts, host, token },
    get openPaths() {
      return live.now.config.admin.openPaths;
    },
    attempts: () => ({
      failuresPerAddress: live.now.config.admin.failuresPerAddress,
      isShared: live.now.isShared,
    }),
  });
  const limits = {
    connections: MAX_CONNECTIONS,
    perAddress: (address: string): number => (live.now.isShared(address) ? 0 : MAX_PER_ADDRESS),
  };
  const admission = createAdmission(limits, (reason) =>
    parts.metrics.count('connections_refused_total', { transport: 'ADMIN', reason }),
  );
  const upgrade = await loadWebSockets();
  const listener = await listenHttpServer({
    ...{ host, port, clock, forwarded, onError, handle: admin.handle, refuse: admin.refuse },
    admit: (remoteAddress, destroy) => admission.admit({ remoteAddress, destroy }),
    webSockets: { upgrade, ask: admin.ask },
  });
  return {
    ...listener,
    close: async (graceMs) => {
      admin.stop();
      await listener.close(graceMs);
    },
  };
}
