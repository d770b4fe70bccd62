import type { Clock } from '../model/clock.js';
import type { Metrics } from '../model/telemetry.js';
import type { StreamSession } from './stream-session.js';

/** How often the bytes of running sessions are added to the counters. */
const ADD_UP_MS = 5_000;

/** Keeps the gauge of sessions and the byte counters, with one timer for all. */
export interface Tally {
  add(session: StreamSession): void;
  /** Harmless for one that was never added. */
  remove(session: StreamSession): void;
}

interface Counted {
  clientBytes: number;
  originBytes: number;
}

/** Makes the tally. Bytes are counted while a session runs, not only at its end, so that rates can be drawn. */
export function createTally(clock: Clock, metrics: Metrics): Tally {
  const running = new Map<StreamSession, Counted>();
  const sizes = new Map<string, number>();
  let cancel: (() => void) | undefined;

  const resize = (session: StreamSession, by: number): void => {
    const labels = { transport: session.request.transport, role: session.role };
    const key = `${labels.transport} ${labels.role}`;
    const size = (sizes.get(key) ?? 0) + by;
    sizes.set(key, size);
    metrics.gauge('sessions', labels, size);
  };
  const addUp = (session: StreamSession, counted: Counted): void => {
    const { transport } = session.request;
    const { clientBytes, originBytes } = session;
    if (clientBytes > counted.clientBytes) {
      metrics.count('relay_bytes_total', { transport, direction: 'in' }, clientBytes - counted.clientBytes);
    }
    if (originBytes > counted.originBytes) {
      metrics.count('relay_bytes_total', { transport, direction: 'out' }, originBytes - counted.originBytes);
    }
    counted.clientBytes = clientBytes;
    counted.originBytes = originBytes;
  };
  const tick = (): void => {
    cancel = clock.after(ADD_UP_MS, tick);
    for (const [session, counted] of running) addUp(session, counted);
  };

  return {
    add(session) {
      running.set(session, { clientBytes: 0, originBytes: 0 });
      resize(session, 1);
      cancel ??= clock.after(ADD_UP_MS, tick);
    },
    remove(session) {
      const counted = running.get(session);
      if (counted === undefined) return;
      running.delete(session);
      addUp(session, counted);
      resize(session, -1);
      if (running.size > 0) return;
      cancel?.();
      cancel = undefined;
    },
  };
}
