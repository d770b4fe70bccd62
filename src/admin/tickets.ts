import type { Clock } from '../model/clock.js';
import { Secret } from '../model/secret.js';

/** How long a ticket may wait for its WebSocket. */
export const TICKET_LIFE_MS = 30_000;

/** Most that wait at once. */
export const MAX_TICKETS = 64;

/** Words that open one WebSocket each, since pages cannot send the token with it. */
export interface Tickets {
  /** A new one; undefined when too many wait. */
  issue(): Secret | undefined;
  /** Whether it was one, and it is none any more. */
  take(ticket: Secret): boolean;
}

/** Keeps tickets until they are used or too old. `random`: words that nobody can guess. */
export function createTickets(clock: Clock, random: () => string): Tickets {
  const waiting: { readonly ticket: Secret; readonly untilMs: number }[] = [];
  const tidy = (): void => {
    const nowMs = clock.now();
    while (waiting[0] !== undefined && waiting[0].untilMs <= nowMs) waiting.shift();
  };
  return {
    issue() {
      tidy();
      if (waiting.length >= MAX_TICKETS) return undefined;
      const ticket = new Secret(random());
      waiting.push({ ticket, untilMs: clock.now() + TICKET_LIFE_MS });
      return ticket;
    },
    take(ticket) {
      tidy();
      const place = waiting.findIndex((one) => one.ticket.equals(ticket));
      if (place >= 0) waiting.splice(place, 1);
      return place >= 0;
    },
  };
}
