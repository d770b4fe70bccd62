import { createHash } from 'node:crypto';
import type { Clock } from '../../model/clock.js';

/** Most answers that are kept; the oldest goes first. */
export const MAX_CACHED_ANSWERS = 1000;

/** Answers of a server to questions that were asked before. */
export interface AnswerCache<T> {
  get(question: string): T | undefined;
  put(question: string, answer: T): void;
}

/**
 * Makes a small cache over whole questions. Only their digests are kept, since a question may hold a token; an answer is
 * forgotten after `ttlMs` (0: at once), or when the clock says that it comes from the future.
 */
export function createAnswerCache<T>(ttlMs: number, clock: Clock): AnswerCache<T> {
  const kept = new Map<string, { readonly answer: T; readonly atMs: number }>();
  const keyOf = (question: string): string => createHash('sha256').update(question).digest('base64');
  return {
    get(question) {
      if (ttlMs === 0) return undefined;
      const key = keyOf(question);
      const found = kept.get(key);
      if (found === undefined) return undefined;
      const ageMs = clock.now() - found.atMs;
      if (ageMs >= 0 && ageMs < ttlMs) return found.answer;
      kept.delete(key);
      return undefined;
    },
    put(question, answer) {
      if (ttlMs === 0) return;
      const key = keyOf(question);
      kept.delete(key);
      kept.set(key, { answer, atMs: clock.now() });
      if (kept.size <= MAX_CACHED_ANSWERS) return;
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    },
  };
}
