import type { Identity } from '../../model/identity.js';
import type { RejectionCode } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import { parseObject } from '../verify-token/strict-parse.js';
import type { Restriction } from '../restriction.js';

/** What a server has said to a question. `nonsense` is an answer that is none. */
export type Answer =
  | { readonly says: 'yes'; readonly restriction: Restriction }
  | { readonly says: 'no'; readonly code: RejectionCode; readonly detail: string }
  | { readonly says: 'nonsense'; readonly detail: string };

/** How a server is asked, and how its answers are read. Pure. */
export interface Form {
  /** The body of the question, JSON; holds all that the answer may depend on. */
  question(request: ConnectionRequest, identity: Identity | undefined): string;
  /** Reads the body of an answer whose status was 200. */
  read(body: string): Answer;
}

/** The object in a body; undefined when there is none, or when one of its names stands twice. */
export function readAnswerObject(body: string): ReadonlyMap<string, unknown> | undefined {
  // Some servers put a byte order mark in front. @see RFC 8259 §8.1
  const parsed = parseObject(Buffer.from(body.replace(/^\uFEFF/, ''), 'utf8'), 'payload');
  return parsed.ok ? parsed.value : undefined;
}
