import { asError } from '../../../net/thrown.js';
import type { PlaneParts } from './plane-parts.js';

/** What patience leads to. None may throw but `ask`. */
export interface PatienceEvents {
  /** A check is due. */
  ask(): void;
  /** There were no answers for too long. Once; nothing is asked any more. */
  onGivenUp(code: string, message: string): void;
  /** `ask` threw. Once; nothing is asked any more. */
  onFault(error: Error): void;
}

/** A consent check comes after 0.8 to 1.2 of its time. @see RFC 7675 §5.1 */
const MIN_SHARE = 0.8;
const SHARE_SPAN = 0.4;

/**
 * When an origin is asked again, and when it is given up: `connecting -> consenting <-> doubting`. Times count only while the
 * loop runs.
 * @see RFC 8445 §14, RFC 7675 §5.1
 */
export class Patience {
  readonly #parts: Pick<PlaneParts, 'clock' | 'random' | 'limits'>;
  readonly #events: PatienceEvents;
  #mode: 'connecting' | 'consenting' | 'doubting' = 'connecting';
  /** Time without an answer. */
  #silentMs = 0;
  #gapMs = 0;
  #cancel: () => void = () => undefined;

  constructor(parts: Pick<PlaneParts, 'clock' | 'random' | 'limits'>, events: PatienceEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** Asks now, and again and again. */
  start(): void {
    this.#gapMs = this.#parts.limits.checkMinMs;
    this.#insist();
  }

  /** The address that counts has answered. */
  answered(): void {
    this.#silentMs = 0;
    if (this.#mode === 'consenting') return;
    const isFirst = this.#mode === 'connecting';
    this.#mode = 'consenting';
    if (isFirst) this.#consentIn(this.#parts.limits.settleMs);
    else this.#consent();
  }

  /**
   * The system of that address says that nobody is there. Anybody can write such a message, so it only makes us ask: whoever
   * is there answers.
   */
  refused(): void {
    if (this.#mode !== 'consenting') return;
    this.#mode = 'doubting';
    this.#silentMs = 0;
    this.start();
  }

  /** Nothing is asked any more. Idempotent. */
  stop(): void {
    this.#cancel();
  }

  /** Asks ever less often until the time is over. */
  #insist(): void {
    const { connectMs, refusedMs, checkMaxMs } = this.#parts.limits;
    const isNew = this.#mode === 'connecting';
    const mostMs = isNew ? connectMs : refusedMs;
    const leftMs = mostMs - this.#silentMs;
    if (leftMs <= 0) {
      if (isNew) this.#events.onGivenUp('origin-media-unreachable', `no answer within ${mostMs} ms`);
      else this.#events.onGivenUp('origin-media-closed', `its port is closed, and no answer came within ${mostMs} ms`);
      return;
    }
    const delayMs = Math.min(this.#gapMs, leftMs);
    this.#gapMs = Math.min(this.#gapMs * 2, checkMaxMs);
    this.#after(delayMs, () => this.#insist());
    this.#events.ask();
  }

  #consent(): void {
    const share = MIN_SHARE + (SHARE_SPAN * (this.#parts.random(1)[0] ?? 0)) / 255;
    this.#consentIn(this.#parts.limits.consentMs * share);
  }

  #consentIn(delayMs: number): void {
    this.#after(delayMs, () => {
      const { consentLostMs } = this.#parts.limits;
      if (this.#silentMs >= consentLostMs) {
        this.#events.onGivenUp('origin-consent-expired', `no answer to a check for ${consentLostMs} ms`);
        return;
      }
      this.#consent();
      this.#events.ask();
    });
  }

  /** Calls later, in the place of what was to be called, and counts the time as one without an answer. */
  #after(delayMs: number, call: () => void): void {
    this.#cancel();
    this.#cancel = this.#parts.clock.after(delayMs, () => {
      this.#silentMs += delayMs;
      try {
        call();
      } catch (error) {
        this.#events.onFault(asError(error));
      }
    });
  }
}
