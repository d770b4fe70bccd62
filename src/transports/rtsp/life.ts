import type { Clock } from '../../model/clock.js';
import { SESSION_SLACK_S, SESSION_TIMEOUT_S } from './options.js';

/** The shortest timeout that is advertised: an origin that says less is kept alive all the same. */
const MIN_TIMEOUT_S = 5;

/** What a session's life depends on. */
export interface LifeContext {
  /** From the start to the first media. */
  readonly setupTimeoutMs: number;
  /** What the origin has said, in seconds. */
  readonly originTimeoutS: () => number | undefined;
  /** Whether silence of the client means that it is gone: its connection does not tell by itself. */
  readonly mustSpeak: () => boolean;
  readonly keepOriginAlive: () => void;
  readonly onDead: (why: string) => void;
}

/**
 * The timers of one session: keeps the origin's leg alive whatever the client does, and ends a session whose client has fallen
 * silent where that means something. Counts ticks and not time, so that a clock that is set kills nobody.
 */
export class Life {
  readonly #clock: Clock;
  readonly #context: LifeContext;
  #cancelTick: () => void = () => undefined;
  #cancelSetup: () => void = () => undefined;
  #silentMs = 0;
  #isStopped = false;

  constructor(clock: Clock, context: LifeContext) {
    this.#clock = clock;
    this.#context = context;
  }

  /** Seconds that the client is told: the smaller of both legs. */
  get timeoutS(): number {
    const origin = this.#context.originTimeoutS() ?? SESSION_TIMEOUT_S;
    return Math.max(MIN_TIMEOUT_S, Math.min(SESSION_TIMEOUT_S, origin));
  }

  start(): void {
    const { setupTimeoutMs, onDead } = this.#context;
    this.#cancelSetup = this.#clock.after(setupTimeoutMs, () =>
      onDead(`no media were asked for in ${setupTimeoutMs} ms`),
    );
    this.#tickLater();
  }

  /** The client has said something, or its receiver reports have. */
  heard(): void {
    this.#silentMs = 0;
  }

  /** The origin may have said how long it keeps a silent session. */
  retime(): void {
    this.#cancelTick();
    if (!this.#isStopped) this.#tickLater();
  }

  /** Media are on their way. */
  flows(): void {
    this.#cancelSetup();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTick();
    this.#cancelSetup();
  }

  #tickLater(): void {
    // Twice in the origin's own time, which may be shorter than what is advertised.
    const originS = this.#context.originTimeoutS() ?? SESSION_TIMEOUT_S;
    const everyMs = (Math.min(originS, this.timeoutS) * 1000) / 2;
    this.#cancelTick = this.#clock.after(everyMs, () => this.#tick(everyMs));
  }

  #tick(passedMs: number): void {
    this.#silentMs += passedMs;
    const limitS = this.timeoutS + SESSION_SLACK_S;
    if (this.#context.mustSpeak() && this.#silentMs > limitS * 1000) {
      this.#context.onDead(`the client was silent for more than ${limitS} s`);
      return;
    }
    this.#context.keepOriginAlive();
    if (!this.#isStopped) this.#tickLater();
  }
}
