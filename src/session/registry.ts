import type { Clock } from '../model/clock.js';
import type { EndReason } from '../model/leg.js';
import { reject, type Rejection } from '../model/rejection.js';
import type { Entrant } from './quota.js';

/** An origin may still hold a name for so long after we have let go of it. */
const JUST_RELEASED_MS = 5_000;

/** What happens when a name is taken by a live publisher. */
export type PublisherConflict = 'reject' | 'takeover-same-subject' | 'takeover';

/** Who holds the name of a stream. */
export interface Holder extends Entrant {
  readonly id: string;
  /** Whose token it came with; a holder without one is nobody's equal. */
  readonly subject: string | undefined;
  /** Name of the origin that it is at. */
  readonly origin?: string | undefined;
  end(reason: EndReason): void;
}

/** Which publisher holds which path, on this gateway. */
export class Registry {
  readonly #clock: Clock;
  readonly #conflict: () => PublisherConflict;
  readonly #holders = new Map<string, Holder>();
  /** When a path was released, oldest first. */
  readonly #released = new Map<string, number>();

  constructor(clock: Clock, conflict: () => PublisherConflict) {
    this.#clock = clock;
    this.#conflict = conflict;
  }

  /**
   * Takes `path` for `holder` at once, so that two that dial the same name cannot race.
   * Ends the one who has it where the policy says so; else it stays untouched and `stream-busy` comes back.
   * `enter` has the last word before anybody is ended.
   */
  reserve(path: string, holder: Holder, enter: (leaving?: Entrant) => Rejection | undefined): Rejection | undefined {
    const present = this.#holders.get(path);
    if (present !== undefined && !this.#mayTakeOver(present, holder)) {
      return reject('stream-busy', `session ${present.id} publishes it`);
    }
    const refusal = enter(present);
    if (refusal !== undefined) return refusal;
    present?.end('taken-over');
    this.#holders.set(path, holder);
    return undefined;
  }

  /** Lets go of `path` if `holder` has it. `wasAtOrigin`: an origin knew the name and may need a moment to forget it. */
  release(path: string, holder: Holder, wasAtOrigin: boolean): void {
    if (this.#holders.get(path) !== holder) return;
    this.#holders.delete(path);
    if (!wasAtOrigin) return;
    const nowMs = this.#clock.now();
    this.#released.delete(path);
    this.#released.set(path, nowMs);
    for (const [oldPath, releasedMs] of this.#released) {
      if (isRecent(releasedMs, nowMs)) break;
      this.#released.delete(oldPath);
    }
  }

  /** Name of the origin at which `path` is published from here. */
  originOf(path: string): string | undefined {
    return this.#holders.get(path)?.origin;
  }

  /** Whether we let go of this name ourselves in the last 5 seconds. */
  wasJustReleased(path: string): boolean {
    const releasedMs = this.#released.get(path);
    return releasedMs !== undefined && isRecent(releasedMs, this.#clock.now());
  }

  #mayTakeOver(present: Holder, newcomer: Holder): boolean {
    switch (this.#conflict()) {
      case 'reject':
        return false;
      case 'takeover-same-subject':
        return present.subject !== undefined && present.subject === newcomer.subject;
      case 'takeover':
        return true;
    }
  }
}

function isRecent(releasedMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - releasedMs) <= JUST_RELEASED_MS;
}
