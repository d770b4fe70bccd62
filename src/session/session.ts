import type { Clock } from '../model/clock.js';
import type { Decide, Farewell } from '../model/hook.js';
import type { ChooseOrigin, Door, EndReason, LocateOrigin, OriginChoice, StartRelay } from '../model/leg.js';
import type { ConnectionRequest } from '../model/request.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { createExpiry } from './expiry.js';
import { Registry, type PublisherConflict } from './registry.js';
import { StreamSession, type SessionInfo } from './stream-session.js';
import { createTally } from './tally.js';
import { reachVerdict, recordVerdict } from './verdict.js';

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
}

/**
 * Makes the one way in, for all transports: decide, dial, confirm, relay.
 * Each request gets exactly one `decision` record; each session that was confirmed one `session.start` and one `session.end`.
 */
export function createDoor(deps: DoorDeps): SessionDoor {
  const { clock, log, metrics, newId } = deps;
  const tally = createTally(clock, metrics);
  const live = new Set<StreamSession>();
  const shared = {
    ...deps,
    locate: deps.locate,
    onOriginSilent: deps.onOriginSilent,
    elapsedMs: deps.elapsedMs ?? (() => clock.now()),
    get dialTimeoutMs() {
      return deps.dialTimeoutMs;
    },
    get onExpiry() {
      return deps.onExpiry;
    },
    registry: new Registry(clock, () => deps.publisherConflict),
    expiry: createExpiry(clock),
    onRunning: (session: StreamSession) => tally.add(session),
    farewell: deps.onOver,
    onOver: (session: StreamSession) => {
      live.delete(session);
      tally.remove(session);
    },
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
    endAll: (reason) => {
      for (const session of [...live]) session.end(reason);
    },
  };
}
