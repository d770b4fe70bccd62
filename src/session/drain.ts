import type { Clock } from '../model/clock.js';

/** How often it is looked whether all have gone by themselves. */
const LOOK_MS = 100;

/** One that can be let go. */
export interface Leaving {
  end(): void;
}

/** How running sessions are let go. */
export interface DrainPlan {
  readonly clock: Clock;
  /** How long they may go on by themselves. */
  readonly graceMs: number;
  /** Over how long those that are left are ended, evenly, so that they do not all come back elsewhere in one moment. */
  readonly spreadMs: number;
  /** Those that are there now. */
  readonly present: () => readonly Leaving[];
}

/** Resolves when nobody is left: all have gone by themselves, or have been let go one after the other. */
export async function drain({ clock, graceMs, spreadMs, present }: DrainPlan): Promise<void> {
  const pause = (delayMs: number): Promise<void> => new Promise((done) => void clock.after(delayMs, done));
  const deadlineMs = clock.now() + graceMs;
  while (present().length > 0 && clock.now() < deadlineMs) {
    await pause(Math.min(LOOK_MS, deadlineMs - clock.now()));
  }
  const startMs = clock.now();
  const total = present().length;
  while (present().length > 0) {
    const left = present();
    // Those who leave by themselves meanwhile count as let go.
    const due = Math.ceil((total * (clock.now() - startMs + LOOK_MS)) / Math.max(spreadMs, 1));
    for (const one of left.slice(0, Math.max(0, due - (total - left.length)))) one.end();
    if (present().length > 0) await pause(LOOK_MS);
  }
}
