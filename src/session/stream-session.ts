import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Farewell } from '../model/hook.js';
import type { Identity } from '../model/identity.js';
import type {
  ChooseOrigin,
  ClientLeg,
  EndReason,
  LocateOrigin,
  OriginChoice,
  OriginLeg,
  RunningRelay,
  SessionHandle,
  StartRelay,
} from '../model/leg.js';
import { reject, type Rejection } from '../model/rejection.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { Log, LogEvent, LogFields, LogLevel, Metrics } from '../model/telemetry.js';
import { rejectionOf } from './dialling.js';
import { enter, type EntranceDeps, type Entry } from './entrance.js';
import { dialFirst } from './failover.js';
import type { Entrant } from './quota.js';
import type { Holder, Registry } from './registry.js';
import type { SessionInfo } from './session-info.js';
import { reachVerdict, type VerdictDeps } from './verdict.js';
import { watch, type WatchDeps } from './watching.js';

/** What every session shares. */
export interface SessionDeps extends VerdictDeps {
  readonly chooseOrigin: ChooseOrigin;
  readonly locate: LocateOrigin | undefined;
  readonly onOriginSilent: ((origin: OriginChoice, request: ConnectionRequest) => void) | undefined;
  readonly startRelay: StartRelay;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly dialTimeoutMs: number;
  readonly registry: Registry;
  readonly entrance: EntranceDeps;
  readonly watching: WatchDeps;
  /** Called when it begins to run and when it is over, for the list of sessions. */
  readonly onRunning: (session: StreamSession) => void;
  readonly onOver: (session: StreamSession) => void;
  /** Tells the hooks, if any, that a stream which was let in is over. */
  readonly farewell: Farewell | undefined;
}

/** Made once: an abort without a reason makes an error with a stack each time. */
const ENDED = new Error('the session has ended');

/** What a client hears when its session ends before it was confirmed. */
const REFUSED_FOR: Readonly<Partial<Record<EndReason, () => Rejection>>> = {
  'taken-over': () => reject('stream-busy', 'another session took the name over'),
  draining: () => reject('draining', 'the gateway stops'),
  revoked: () => reject('token-revoked', 'the token was revoked while the stream was set up'),
  kicked: () => reject('hook-denied', 'an operator ended the session while it was set up'),
};

/**
 * One stream from its request to its end: decide, dial, confirm, relay.
 * However it ends, the name is free, the relay stopped, the origin's leg closed and the client told, each exactly once.
 */
export class StreamSession implements SessionHandle, Holder {
  readonly id: string;
  readonly path: string;
  readonly role: 'publisher' | 'subscriber';
  readonly request: ConnectionRequest;
  readonly #deps: SessionDeps;
  readonly #client: ClientLeg<OriginLeg>;
  readonly #abort = new AbortController();
  readonly #askedAtMs: number;
  readonly #startedMs: number;
  #phase: 'asking' | 'confirmed' | 'over' = 'asking';
  /** The law and the gateway's own state said yes. */
  #isLetIn = false;
  #identity: Identity | undefined;
  #choice: OriginChoice | undefined;
  /** The origin holds our name, or may. */
  #isKnownToOrigin = false;
  #calledMs = 0;
  #originLeg: OriginLeg | undefined;
  #relay: RunningRelay | undefined;
  #runningSinceMs = 0;
  #confirmedAtMs: number | undefined;
  #entry: Entry | undefined;
  #stopWatching: () => void = () => undefined;
  #stopListening: () => void = () => undefined;

  constructor(deps: SessionDeps, request: ConnectionRequest, client: ClientLeg<OriginLeg>) {
    this.#deps = deps;
    this.#client = client;
    this.request = request;
    this.id = request.sessionId;
    this.path = pathOf(request.target);
    this.role = request.action === 'publish' ? 'publisher' : 'subscriber';
    this.#askedAtMs = deps.clock.now();
    this.#startedMs = deps.elapsedMs();
  }

  get subject(): string | undefined {
    return this.#identity?.subject;
  }

  /** Name of the origin that it is at, or is being opened at. */
  get origin(): string | undefined {
    return this.#choice?.name;
  }

  /** Whose token it is, once the law has said yes. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** Bytes that its relay has taken from the client so far. */
  get clientBytes(): number {
    return this.#relay?.clientBytes ?? 0;
  }

  /** Bytes that its relay has taken from the origin so far. */
  get originBytes(): number {
    return this.#relay?.originBytes ?? 0;
  }

  info(): SessionInfo {
    const { transport, secure, action, credential } = this.request;
    return {
      ...{ id: this.id, transport, secure, action },
      path: this.path,
      address: this.request.remoteAddress,
      subject: this.subject,
      issuer: this.#identity?.issuer,
      tokenId: this.#identity?.tokenId,
      token: credential?.token.fingerprint(),
      expiresAtS: this.#identity?.expiresAtS,
      origin: this.origin,
      isRunning: this.#phase === 'confirmed',
      askedAtMs: this.#askedAtMs,
      sinceMs: this.#confirmedAtMs,
      clientBytes: this.clientBytes,
      originBytes: this.originBytes,
    };
  }

  /** Runs the whole way in; true when the session runs (or has run). Never rejects. */
  async open(signal: AbortSignal): Promise<boolean> {
    const onAbort = (): void => this.end('client-closed');
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stopListening = () => signal.removeEventListener('abort', onAbort);
    const verdict = await reachVerdict(this.#deps, this.request, (identity) => this.#reserve(signal, identity));
    if (signal.aborted) this.end('client-closed');
    if (this.#isOver()) return false;
    if (!verdict.ok) {
      this.#refuse(verdict.rejection);
      return false;
    }
    try {
      const leg = await this.#dial();
      this.#noteCall();
      if (this.#isOver()) {
        this.#safely('close', () => leg.close());
        return false;
      }
      this.#originLeg = leg;
    } catch (error) {
      // An end from outside aborts the dial and has said all there was to say.
      if (!this.#isOver()) this.#dialFailed(error);
      return false;
    }
    this.#confirm(this.#originLeg);
    return true;
  }

  end(reason: EndReason, error?: Error): void {
    const phase = this.#phase;
    if (phase === 'over') return;
    this.#release(reason);
    if (phase === 'asking') {
      this.#abort.abort(ENDED);
      const setupMs = this.#sinceMs(this.#startedMs);
      this.#write('info', 'session.note', { note: 'ended-in-setup', reason, setupMs });
      const refusal = reason === 'client-closed' ? undefined : (REFUSED_FOR[reason]?.() ?? lost(reason));
      if (refusal !== undefined) this.#safely('refuse', () => this.#client.refuse(refusal));
      return;
    }
    this.#safely('stop', () => this.#relay?.stop());
    this.#safely('close', () => this.#originLeg?.close());
    this.#safely('goodbye', () => this.#client.goodbye(reason));
    this.#recordEnd(reason, error);
  }

  #reserve(signal: AbortSignal, identity: Identity | undefined): Rejection | undefined {
    this.#identity = identity;
    const isHere = !signal.aborted && !this.#isOver();
    const refusal = isHere ? this.#enter() : undefined;
    this.#isLetIn = refusal === undefined;
    // The client left while the law was thinking.
    if (this.#isOver()) this.#farewell('client-closed');
    return refusal;
  }

  #enter(): Rejection | undefined {
    const { registry, entrance } = this.#deps;
    const admit = (leaving?: Entrant): Rejection | undefined => {
      const entry = enter(entrance, this, this.#identity, leaving);
      if ('code' in entry) return entry;
      this.#entry = entry;
      return undefined;
    };
    return this.role === 'publisher' ? registry.reserve(this.path, this, admit) : admit();
  }

  #dial(): Promise<OriginLeg> {
    const { clock, elapsedMs, dialTimeoutMs, registry, chooseOrigin, locate, onOriginSilent } = this.#deps;
    const isPublisher = this.role === 'publisher';
    const candidates = [...chooseOrigin(this.request, isPublisher ? undefined : registry.originOf(this.path))];
    if (candidates.length === 0) {
      throw new GatewayError('origin-unavailable', 'origin', `no origin serves ${this.path}`);
    }
    return dialFirst({
      ...{ clock, elapsedMs, candidates, locate, request: this.request, client: this.#client },
      timeoutMs: dialTimeoutMs,
      signal: this.#abort.signal,
      onTry: (origin) => {
        this.#choice = origin;
        this.#isKnownToOrigin = true;
        this.#calledMs = this.#deps.elapsedMs();
      },
      onFailover: ({ name }, { message }) => {
        this.#noteCall('origin-unavailable', message);
        this.#deps.metrics.count('origin_failovers_total', { origin: name });
        this.#write('warn', 'session.note', { note: 'origin-passed-over', origin: name, detail: message });
      },
      onSilent: (origin) => onOriginSilent?.(origin, this.request),
      mayStillBeOurs: () => isPublisher && registry.wasJustReleased(this.path),
      onLate: (leg) => this.#safely('close', () => leg.close()),
      onRetry: (attempt) => this.#write('info', 'session.note', { note: 'origin-still-busy', attempt }),
    });
  }

  /** How calling the origin that is chosen went. */
  #noteCall(code?: string, detail?: string): void {
    if (!this.#deps.log.enabled('debug')) return;
    const outcome = code === undefined ? 'yes' : 'no';
    const call = { origin: this.#choice?.name, outcome, code, detail, ms: this.#sinceMs(this.#calledMs) };
    this.#write('debug', 'origin.dialled', call);
  }

  #dialFailed(error: unknown): void {
    const { rejection, isBug } = rejectionOf(error);
    // It said no: the name is not held there by us.
    if (rejection.code !== 'origin-unavailable') this.#isKnownToOrigin = false;
    if (isBug) this.#write('error', 'gateway.error', { during: 'dial', error });
    const { code, detail } = rejection;
    const setupMs = this.#sinceMs(this.#startedMs);
    if (this.#choice !== undefined) this.#noteCall(code, detail);
    const who = { address: this.request.remoteAddress, subject: this.subject };
    this.#write('warn', 'session.note', { note: 'refused', ...who, origin: this.#choice?.name, code, detail, setupMs });
    this.#refuse(rejection);
  }

  #confirm(leg: OriginLeg): void {
    const { metrics, startRelay, clock, onRunning } = this.#deps;
    this.#phase = 'confirmed';
    this.#runningSinceMs = this.#deps.elapsedMs();
    this.#confirmedAtMs = clock.now();
    onRunning(this);
    try {
      const ends = this.#client.confirm(leg);
      const setupMs = this.#sinceMs(this.#startedMs);
      metrics.observe('setup_seconds', this.#labels(), setupMs / 1000);
      this.#write('info', 'session.start', { subject: this.subject, origin: this.#choice?.name, setupMs });
      // Ended already, by the client's own haste or in confirm itself: then nothing may start.
      if (this.#isOver()) return;
      const onEnd = (reason: EndReason, error?: Error): void => this.end(reason, error);
      const relay = 'run' in ends ? ends.run(onEnd) : startRelay(ends, onEnd);
      this.#relay = relay;
      if (this.#isOver()) relay.stop();
      else this.#watch(relay);
    } catch (error) {
      this.#write('error', 'gateway.error', { during: 'confirm', error });
      this.end('gateway-error', error instanceof Error ? error : undefined);
    }
  }

  #watch(relay: RunningRelay): void {
    this.#stopWatching = watch(this.#deps.watching, {
      role: this.role,
      identity: this.#identity,
      clientBytes: () => relay.clientBytes,
      write: (level, event, fields) => this.#write(level, event, fields),
      end: (reason) => this.end(reason),
    });
  }

  #refuse(rejection: Rejection): void {
    this.#release('origin-error');
    this.#safely('refuse', () => this.#client.refuse(rejection));
  }

  /** Lets go of everything that would outlive the session. First, so that the name is free before anyone is told. */
  #release(reason: EndReason): void {
    this.#entry?.leave(this.#phase === 'confirmed');
    this.#phase = 'over';
    this.#stopListening();
    this.#stopWatching();
    this.#deps.registry.release(this.path, this, this.#isKnownToOrigin);
    this.#deps.onOver(this);
    this.#farewell(reason);
  }

  /** Those who said yes may want to know that it is over. */
  #farewell(reason: EndReason): void {
    if (!this.#isLetIn) return;
    this.#isLetIn = false;
    this.#deps.farewell?.(this.request, this.#identity, reason);
  }

  #recordEnd(reason: EndReason, error: Error | undefined): void {
    this.#deps.metrics.count('sessions_ended_total', { ...this.#labels(), reason });
    if (!this.#deps.log.enabled('info')) return;
    const { remoteAddress: address, credential } = this.request;
    this.#write('info', 'session.end', {
      address,
      subject: this.subject,
      tokenId: this.#identity?.tokenId,
      token: credential?.token.fingerprint(),
      origin: this.#choice?.name,
      reason,
      durationMs: Math.round(this.#sinceMs(this.#runningSinceMs)),
      clientBytes: this.clientBytes,
      originBytes: this.originBytes,
      error: error?.message,
    });
  }

  #labels(): { readonly transport: string; readonly role: string } {
    return { transport: this.request.transport, role: this.role };
  }
  #sinceMs(startMs: number): number {
    return Math.round((this.#deps.elapsedMs() - startMs) * 1000) / 1000;
  }
  #isOver(): boolean {
    return this.#phase === 'over';
  }
  #write(level: LogLevel, event: LogEvent, fields: LogFields): void {
    const { id: session, path } = this;
    const { transport, action } = this.request;
    this.#deps.log.write(level, event, { session, transport, action, path, ...fields });
  }

  /** A leg that throws must not keep the rest of the teardown from happening. */
  #safely(during: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#write('error', 'gateway.error', { during, error });
    }
  }
}

function lost(reason: EndReason): Rejection {
  return reject('origin-unavailable', `the session was ended before it began: ${reason}`);
}
