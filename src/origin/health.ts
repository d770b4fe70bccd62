import type { Clock } from '../model/clock.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { EndpointKind } from '../model/transport.js';
import type { Standing } from './pool.js';
import { shareOf } from './rendezvous.js';

/** How one origin is watched. */
export interface HealthOption {
  readonly name: string;
  /** Where it is; another place is another origin, of which nothing is known yet. */
  readonly place: string;
  /** What is asked at each check; empty: it is judged by the calls of real streams only. */
  readonly checks: readonly EndpointKind[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row, of checks and of calls, after which it is down. */
  readonly failures: number;
  /** Good checks in a row after which it is up again. */
  readonly successes: number;
  /** How long it is left alone after it went down the first time; twice as long each further time … */
  readonly ejectMs: number;
  /** … but no longer than this. An origin that was up for so long begins anew. */
  readonly maxEjectMs: number;
  /** Time in which its share of the paths grows back. */
  readonly slowStartMs: number;
}

/** Asks an origin whether it lives. Rejects when it does not; `signal` fires at the timeout. */
export type CheckOrigin = (name: string, kind: EndpointKind, signal: AbortSignal) => Promise<void>;

/** One origin, as an operator sees it. */
export interface OriginState {
  readonly name: string;
  /** `unknown`: nobody has called it yet; it is treated as up. */
  readonly state: 'unknown' | 'up' | 'down';
  /** It takes no new streams. */
  readonly isDrained: boolean;
  /** Failures in a row. */
  readonly failures: number;
  /** Why it is down. */
  readonly detail: string | undefined;
}

/** What is known of the origins. It outlives a reload of the config. */
export interface OriginHealth {
  /** From now on these are the origins; what is known of those that stay as they were is kept. */
  use(options: readonly HealthOption[]): void;
  /** A call of a real stream reached it. */
  answered(name: string): void;
  /** A call did not, or was not answered in time; `detail` is for log and operator. */
  failed(name: string, detail: string): void;
  standingOf(name: string, path: string): Standing;
  /** In the order of the config. */
  list(): readonly OriginState[];
  /** Whether it takes new streams; running ones stay. False when there is no origin of that name. */
  drain(name: string, isDrained: boolean): boolean;
  /** Ends all checks. */
  stop(): void;
}

/** What the health of origins is watched with. */
export interface HealthDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly check: CheckOrigin;
}

/** Makes the memory of how origins are, and the checks. Each change is one line of the log, and `origin_up`. */
export function createOriginHealth(deps: HealthDeps): OriginHealth {
  let watched = new Map<string, WatchedOrigin>();
  return {
    use(options) {
      const next = new Map<string, WatchedOrigin>();
      for (const option of options) {
        const known = watched.get(option.name);
        const isSame = known !== undefined && JSON.stringify(known.option) === JSON.stringify(option);
        if (!isSame) known?.stop();
        next.set(option.name, isSame ? known : new WatchedOrigin(option, deps, known));
      }
      for (const [name, gone] of watched) {
        if (next.has(name)) continue;
        gone.stop();
        deps.metrics.gauge('origin_up', { origin: name }, undefined);
      }
      watched = next;
    },
    answered: (name) => watched.get(name)?.answered(),
    failed: (name, detail) => watched.get(name)?.failed(detail),
    standingOf: (name, path) => watched.get(name)?.standing(path) ?? 'ready',
    list: () => [...watched.values()].map((one) => one.describe()),
    drain(name, isDrained) {
      const origin = watched.get(name);
      origin?.drain(isDrained);
      return origin !== undefined;
    },
    stop() {
      for (const origin of watched.values()) origin.stop();
      watched.clear();
    },
  };
}

/** One origin: unknown or up, then down and left alone for a while, then up again with a growing share. */
class WatchedOrigin {
  readonly option: HealthOption;
  readonly #deps: HealthDeps;
  #state: OriginState['state'] = 'unknown';
  #isDrained = false;
  #detail: string | undefined;
  #failures = 0;
  #successes = 0;
  /** It went down a moment ago and is left alone. */
  #isHeld = false;
  #ejectMs = 0;
  /** When it came back, or undefined if it never was down. */
  #recoveredMs: number | undefined;
  #isChecking = false;
  #abort = new AbortController();
  #cancelHold: () => void = () => undefined;
  #cancelCheck: () => void = () => undefined;

  /** `known`: what was known of the one it takes the place of. */
  constructor(option: HealthOption, deps: HealthDeps, known: WatchedOrigin | undefined) {
    this.option = option;
    this.#deps = deps;
    this.#isDrained = known === undefined ? false : known.#isDrained;
    if (known?.option.place === option.place && known.#state !== 'unknown') {
      this.#state = known.#state;
      this.#detail = known.#detail;
      this.#ejectMs = known.#ejectMs;
      this.#recoveredMs = known.#recoveredMs;
    } else if (known !== undefined) {
      // Another machine, of which nothing is known yet.
      deps.metrics.gauge('origin_up', { origin: option.name }, undefined);
    }
    this.#checkLater();
  }

  answered(): void {
    // That it takes connections tells less than a check does.
    if (this.#isChecked() && this.#state !== 'unknown') return;
    this.#failures = 0;
    this.#detail = undefined;
    if (this.#state !== 'up') this.#rise();
  }

  failed(detail: string): void {
    this.#fail(detail);
    if (this.#isChecked() && !this.#isChecking) void this.#checkAll();
  }

  standing(path: string): Standing {
    if (this.#isDrained) return 'drained';
    // Without checks, only a stream can find out whether it is back.
    if (this.#state === 'down') return this.#isHeld || this.#isChecked() ? 'down' : 'ready';
    if (this.#recoveredMs === undefined) return 'ready';
    const upForMs = this.#deps.clock.now() - this.#recoveredMs;
    if (upForMs < 0 || upForMs >= this.option.slowStartMs) return 'ready';
    return shareOf(this.option.name, `slow start ${path}`) < upForMs / this.option.slowStartMs ? 'ready' : 'spare';
  }

  describe(): OriginState {
    const { name } = this.option;
    return {
      ...{ name, state: this.#state, isDrained: this.#isDrained },
      ...{ failures: this.#failures, detail: this.#detail },
    };
  }

  drain(isDrained: boolean): void {
    if (this.#isDrained === isDrained) return;
    this.#isDrained = isDrained;
    const state = isDrained ? 'drained' : 'undrained';
    this.#deps.log.write('info', 'origin.state', { origin: this.option.name, state });
  }

  stop(): void {
    this.#cancelHold();
    this.#cancelCheck();
    this.#abort.abort();
  }

  #isChecked(): boolean {
    return this.option.checks.length > 0;
  }

  #fail(detail: string): void {
    this.#successes = 0;
    this.#failures += 1;
    this.#detail = detail;
    if (this.#state === 'down') {
      // Whoever calls it while it is left alone has no other; that tells nothing new.
      if (!this.#isHeld) this.#hold();
    } else if (this.#failures >= this.option.failures) this.#fall(detail);
  }

  #fall(detail: string): void {
    const { clock, log, metrics } = this.#deps;
    const { name, maxEjectMs } = this.option;
    const isSteady = this.#recoveredMs === undefined || Math.abs(clock.now() - this.#recoveredMs) >= maxEjectMs;
    if (isSteady) this.#ejectMs = 0;
    this.#state = 'down';
    metrics.gauge('origin_up', { origin: name }, 0);
    this.#hold();
    log.write('warn', 'origin.state', { origin: name, state: 'down', detail, ejectedMs: this.#ejectMs });
  }

  #hold(): void {
    const { ejectMs, maxEjectMs } = this.option;
    this.#ejectMs = Math.min(maxEjectMs, this.#ejectMs === 0 ? ejectMs : this.#ejectMs * 2);
    this.#isHeld = true;
    this.#cancelHold();
    this.#cancelHold = this.#deps.clock.after(this.#ejectMs, () => {
      this.#isHeld = false;
      if (this.#successes >= this.option.successes) this.#rise();
    });
  }

  #rise(): void {
    const { clock, log, metrics } = this.#deps;
    const wasDown = this.#state === 'down';
    this.#state = 'up';
    this.#cancelHold();
    this.#isHeld = false;
    metrics.gauge('origin_up', { origin: this.option.name }, 1);
    if (!wasDown) return;
    this.#recoveredMs = clock.now();
    log.write('info', 'origin.state', { origin: this.option.name, state: 'up' });
  }

  #checkLater(): void {
    if (!this.#isChecked() || this.#abort.signal.aborted) return;
    this.#cancelCheck = this.#deps.clock.after(this.option.intervalMs, () => void this.#checkAll());
  }

  /** All that is checked has to answer: publisher and viewers of one stream may come by different ways, and must meet. */
  async #checkAll(): Promise<void> {
    this.#isChecking = true;
    this.#cancelCheck();
    const results = await Promise.all(this.option.checks.map((kind) => this.#checkOne(kind)));
    this.#isChecking = false;
    if (this.#abort.signal.aborted) return;
    const failure = results.find((result) => result !== undefined);
    if (failure === undefined) this.#passed();
    // While it is left alone, a failed check is no news.
    else this.#fail(failure);
    this.#checkLater();
  }

  #passed(): void {
    this.#failures = 0;
    this.#detail = undefined;
    this.#successes += 1;
    if (this.#state === 'unknown') this.#rise();
    else if (this.#state === 'down' && !this.#isHeld && this.#successes >= this.option.successes) this.#rise();
  }

  /** What went wrong, or undefined. */
  async #checkOne(kind: EndpointKind): Promise<string | undefined> {
    const { clock, check } = this.#deps;
    const { name, timeoutMs } = this.option;
    const deadline = new AbortController();
    let cancel = (): void => undefined;
    const late = new Promise<string>((resolve) => {
      const giveUp = (why: string): void => {
        resolve(`${kind}: ${why}`);
        deadline.abort();
      };
      const onStop = (): void => giveUp('the checks have ended');
      const cancelTimer = clock.after(timeoutMs, () => giveUp(`no answer to a check within ${timeoutMs} ms`));
      this.#abort.signal.addEventListener('abort', onStop, { once: true });
      cancel = () => {
        cancelTimer();
        this.#abort.signal.removeEventListener('abort', onStop);
      };
    });
    const asked = (async () => check(name, kind, deadline.signal))().then(
      () => undefined,
      (error: unknown) => `${kind}: ${error instanceof Error ? error.message : 'the check failed'}`,
    );
    return Promise.race([asked, late]).finally(() => cancel());
  }
}
