import { createHash } from 'node:crypto';
import { reject, type Rejection } from '../model/rejection.js';
import type { ConnectionRequest } from '../model/request.js';

/** Sessions at once, those being set up included; 0 is no limit. */
export interface QuotaLimits {
  readonly sessionsPerToken: number;
  readonly sessionsPerSubject: number;
  readonly viewersPerStream: number;
}

/** Who wants to enter. */
export interface Entrant {
  readonly request: ConnectionRequest;
  readonly path: string;
  readonly subject: string | undefined;
}

/** Counts sessions by token, subject and stream. */
export interface Quota {
  /**
   * What to call when it is over, or `limit-connections`. Counted at once, so that two that are set up cannot race.
   * `leaving` makes room: it ends if this one is let in.
   */
  readonly enter: (entrant: Entrant, leaving?: Entrant) => (() => void) | Rejection;
}

interface Wish {
  readonly key: string;
  readonly limit: number;
  readonly detail: string;
}

/** Makes the counter; limits are looked up at each entry, and nobody is put out because one was lowered. */
export function createQuota(limits: () => QuotaLimits): Quota {
  const counts = new Map<string, number>();
  return {
    enter(entrant, leaving) {
      const wishes = wishesOf(entrant, limits());
      const freed = new Set(leaving && wishesOf(leaving, limits()).map(({ key }) => key));
      const full = wishes.find(({ key, limit }) => (counts.get(key) ?? 0) - (freed.has(key) ? 1 : 0) >= limit);
      if (full !== undefined) return reject('limit-connections', full.detail);
      for (const { key } of wishes) counts.set(key, (counts.get(key) ?? 0) + 1);
      return () => {
        for (const { key } of wishes.splice(0)) {
          const left = (counts.get(key) ?? 1) - 1;
          if (left > 0) counts.set(key, left);
          else counts.delete(key);
        }
      };
    },
  };
}

function wishesOf({ request, path, subject }: Entrant, limits: QuotaLimits): Wish[] {
  const { sessionsPerToken, sessionsPerSubject, viewersPerStream } = limits;
  const wishes: Wish[] = [];
  const { credential, action } = request;
  if (sessionsPerToken > 0 && credential !== undefined) {
    const key = `token ${createHash('sha256').update(credential.token.reveal()).digest('base64')}`;
    wishes.push({ key, limit: sessionsPerToken, detail: `the token has ${sessionsPerToken} sessions already` });
  }
  if (sessionsPerSubject > 0 && subject !== undefined) {
    const detail = `the subject has ${sessionsPerSubject} sessions already`;
    wishes.push({ key: `subject ${subject}`, limit: sessionsPerSubject, detail });
  }
  if (viewersPerStream > 0 && action === 'subscribe') {
    const detail = `the stream has ${viewersPerStream} viewers already`;
    wishes.push({ key: `viewers ${path}`, limit: viewersPerStream, detail });
  }
  return wishes;
}
