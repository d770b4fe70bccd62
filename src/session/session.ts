import type { Clock } from '../model/clock.js';
import type { Decide, Farewell } from '../model/hook.js';
import type { ChooseOrigin, Door, EndReason, LocateOrigin, OriginChoice, StartRelay } from '../model/leg.js';
import type { ConnectionRequest } from '../model/request.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { createCeiling } from './ceiling.js';
import { drain } from './drain.js';
import { NO_MEMORY, type TokenMemory } from './entrance.js';
import { createExpiry } from './expiry.js';
import { createQuota, type QuotaLimits } from './quota.js';
import { Registry, type PublisherConflict } from './registry.js';
import { sessionsMeant, type SessionFilter, type SessionInfo } from './session-info.js';
import { StreamSession, type SessionDeps } from './stream-session.js';
import { createTally } from './tally.js';
import { reachVerdict, recordVerdict } from './verdict.js';
import type { WatchRules } from './watching.js';

export type { TokenMemory } from './entrance.js';
export type { SessionFilter, SessionInfo } from './session-info.js';

/** Figures that a reload may change. */
export interface SessionRules extends QuotaLimits, Omit<WatchRules, 'onExpiry'> {
  /** A token opens one stream only. */
  readonly oneTimeTokens: boolean;
}

const NO_RULES: SessionRules = {
  ...{ expiryWarningMs: 0, expiryGraceMs: 0, publisherKbps: 0, oneTimeTokens: false },
  ...{ sessionsPerToken: 0, sessionsPerSubject: 0, viewersPerStream: 0 },
};

/** What the session room is given by the roof. Figures and policies are looked up each time, since a reload may change them. */
export interface DoorDeps {
  readonly decide: Decide;
  readonly chooseOrigin: ChooseOrigin;
  /** Where an origin is that has to be looked for. Default: nothing has. */
  readonly locate?: LocateOrigin;
  /** Told that an origin did not answer in time. */
  readonly onOriginSilent?: (origin: OriginChoice, request: ConnectionRequest) => void;
  readonly startRelay: StartRelay;
  /** Told once of each stream that the law let in, when it is over or came to nothing. */
  readonly onOver?: Farewell;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Ids that nobody can guess. */
  readonly newId: () => string;
  /** To open the origin's leg, handshake and commands included, at whichever origin can be reached. */
  readonly dialTimeoutMs: number;
  readonly publisherConflict: PublisherConflict;
  /** What happens to a session whose token expires. */
  readonly onExpiry: 'keep' | 'close';
  /** Looked up when they are needed. Default: no limits. */
  readonly rules?: () => SessionRules;
  /** Which tokens are revoked or used. Default: none. */
  readonly tokens?: TokenMemory;
  /** True: everything new is refused with `draining`. */
  readonly isDraining: () => boolean;
  /** Milliseconds of a clock that never jumps, with fractions, for durations. Default: whole milliseconds of `clock`. */
  readonly elapsedMs?: () => number;
}

/** The door, and what the roof and the admin may do with those inside. */
export interface SessionDoor extends Door {
  /** All that are being set up or run. */
  sessions(): readonly SessionInfo[];
  /** Ends every session, also those being set up. */
  endAll(reason: EndReason): void;
  /** Ends those that are meant, also while they are set up (`kicked`); how many they were. */
  kick(filter: SessionFilter): number;
  /** Ends those whose token has been revoked (`revoked`); how many they were. */
  endRevoked(): number;
  /** Lets all go: after `graceMs` those that are left, evenly over `spreadMs`. Nobody is kept from coming meanwhile. */
  drain(plan: {
    readonly graceMs: number;
    readonly spreadMs: number;
    /** Told of each one just before it is ended. */
    readonly onLetGo?: (info: SessionInfo) => void;
  }): Promise<void>;
}

/**
 * Makes the one way in, for all transports: decide, dial, confirm, relay.
 * Each request gets exactly one `decision` record; each session that was confirmed one `session.start` and one `session.end`.
 */
export function createDoor(deps: DoorDeps): SessionDoor {
  const { clock, log, metrics, newId, tokens = NO_MEMORY } = deps;
  const live = new Set<StreamSession>();
  const shared = shareDeps(deps, live);
  const endThose = (reason: EndReason, isOne: (session: StreamSession) => boolean): number => {
    const ones = [...live].filter(isOne);
    for (const session of ones) session.end(reason);
    return ones.length;
  };
  return {
    newSessionId: newId,
    decide: (request) => reachVerdict(shared, request),
    refused: (request, rejection) => {
      recordVerdict({ log, metrics }, request, { ok: false, rejection }, { identity: undefined, tookMs: 0 });
    },
    open: async (request, leg, signal) => {
      const session = new StreamSession(shared, request, {
        // The session room hands a leg back to the one who dialled it, and looks no further than its close().
        dial: (origin, dialSignal) => leg.dial(origin, dialSignal),
        confirm: (opened) => leg.confirm(opened as Awaited<ReturnType<typeof leg.dial>>),
        refuse: (rejection) => leg.refuse(rejection),
        goodbye: (reason) => leg.goodbye(reason),
      });
      live.add(session);
      return (await session.open(signal)) ? session : undefined;
    },
    sessions: () => [...live].map((session) => session.info()),
    endAll: (reason) => void endThose(reason, () => true),
    kick: (filter) => {
      const isMeant = sessionsMeant(filter);
      return endThose('kicked', (session) => isMeant(session.info()));
    },
    endRevoked: () =>
      endThose(
        'revoked',
        ({ identity, request }) =>
          request.credential !== undefined && identity !== undefined && tokens.whyRevoked(identity) !== undefined,
      ),
    drain({ onLetGo, ...plan }) {
      const letGo = (session: StreamSession): void => {
        onLetGo?.(session.info());
        session.end('draining');
      };
      return drain({ clock, ...plan, present: () => [...live].map((session) => ({ end: () => letGo(session) })) });
    },
  };
}

/** What all sessions of a door share. */
function shareDeps(deps: DoorDeps, live: Set<StreamSession>): SessionDeps {
  const { clock, metrics, rules = () => NO_RULES, tokens = NO_MEMORY } = deps;
  const elapsedMs = deps.elapsedMs ?? (() => clock.now());
  const tally = createTally(clock, metrics);
  return {
    ...deps,
    locate: deps.locate,
    onOriginSilent: deps.onOriginSilent,
    elapsedMs,
    get dialTimeoutMs() {
      return deps.dialTimeoutMs;
    },
    registry: new Registry(clock, () => deps.publisherConflict),
    entrance: { quota: createQuota(rules), tokens, isOneTime: () => rules().oneTimeTokens },
    watching: {
      expiry: createExpiry(clock),
      ceiling: createCeiling(clock, elapsedMs),
      rules: () => ({ ...rules(), onExpiry: deps.onExpiry }),
      nowMs: () => clock.now(),
    },
    onRunning: (session) => tally.add(session),
    farewell: deps.onOver,
    onOver: (session) => {
      live.delete(session);
      tally.remove(session);
    },
  };
}
