import type { Clock } from '../model/clock.js';
import type { LiveSocket } from '../net/web-socket.js';
import type { EventType, Feed, LiveEvent } from './feed.js';

/** What clients of the live events may cost. */
export interface LiveEventLimits {
  readonly maxClients: number;
  /** Events that wait for one client; beyond them it is dropped. */
  readonly maxWaiting: number;
  /** A client that has not answered the ping before is dropped at the next. */
  readonly pingMs: number;
}

/** Limits for a few operators. */
export const LIVE_EVENT_LIMITS: LiveEventLimits = { maxClients: 16, maxWaiting: 256, pingMs: 15_000 };

/** Codes with which a WebSocket is closed. @see RFC 6455 §7.4 */
export const CLOSE_CODES = { goingAway: 1001, tooSlow: 4008 } as const;

/** Who listens now. */
export interface LiveEvents {
  readonly isFull: () => boolean;
  /** Sends it what happens from now on, of these types. */
  join(socket: LiveSocket, types: ReadonlySet<EventType>): void;
  /** Sends everybody away. */
  stop(): void;
}

/**
 * Makes what sends events to clients. One that reads too slowly is closed with 4008, since what it would miss cannot be told.
 */
export function createLiveEvents(feed: Feed, clock: Clock, limits: LiveEventLimits = LIVE_EVENT_LIMITS): LiveEvents {
  const clients = new Set<LiveSocket>();
  return {
    isFull: () => clients.size >= limits.maxClients,
    join(socket, types) {
      if (clients.size >= limits.maxClients) {
        socket.close(CLOSE_CODES.tooSlow, 'too many clients');
        return;
      }
      clients.add(socket);
      let waiting = 0;
      const leave = feed.listen((event) => {
        if (!types.has(event.type)) return;
        if (waiting >= limits.maxWaiting) {
          end();
          socket.close(CLOSE_CODES.tooSlow, 'too slow');
          // Whoever reads nothing does not answer the close either.
          clock.after(limits.pingMs, () => socket.destroy());
          return;
        }
        waiting += 1;
        socket.send(eventText(event), () => {
          waiting -= 1;
        });
      });
      const stopPings = keepAlive(socket, clock, limits.pingMs);
      const end = (): void => {
        leave();
        stopPings();
        clients.delete(socket);
      };
      socket.onClose(end);
    },
    stop() {
      for (const socket of clients) socket.close(CLOSE_CODES.goingAway, 'the gateway stops');
    },
  };
}

/** One event as clients get it. */
export function eventText({ id, atMs, type, event, fields }: LiveEvent): string {
  return JSON.stringify({ id, atMs, type, event, fields });
}

function keepAlive(socket: LiveSocket, clock: Clock, pingMs: number): () => void {
  let isAlive = true;
  let cancel = (): void => undefined;
  const ping = (): void => {
    if (!isAlive) {
      socket.destroy();
      return;
    }
    isAlive = false;
    socket.ping();
    cancel = clock.after(pingMs, ping);
  };
  cancel = clock.after(pingMs, ping);
  socket.onPong(() => {
    isAlive = true;
  });
  return () => cancel();
}
