import type { Clock } from '../model/clock.js';
import type { Decision } from '../model/decision.js';
import type { Decide, Hook } from '../model/hook.js';
import type { Identity } from '../model/identity.js';
import { REJECTIONS, reject, type RejectionCode } from '../model/rejection.js';
import type { ConnectionRequest } from '../model/request.js';
import type { Action } from '../model/transport.js';
import { narrowIdentity } from './narrow.js';

/** What the pipeline needs beside its hooks. */
export interface PipelineOptions {
  readonly clock: Clock;
  /** How long one hook may think. */
  readonly hookTimeoutMs: number;
  /** Told of every throw and late answer, for the log; its own throw is swallowed. */
  readonly onHookError?: (hook: Hook, error: unknown) => void;
  /** Told of every answer, and how long it took; its own throw is swallowed. */
  readonly onAsked?: (
    hook: Hook,
    request: ConnectionRequest,
    answer: { readonly decision: Decision; readonly tookMs: number },
  ) => void;
  /** Milliseconds of a clock that never jumps, with fractions. Default: whole milliseconds of `clock`. */
  readonly elapsedMs?: () => number;
}

/** Marks an answer that did not come in time. */
const LATE = Symbol('late');

function no(code: RejectionCode, detail: string): Decision {
  return { ok: false, rejection: reject(code, detail) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isIdentity(value: unknown): value is Identity {
  return isRecord(value) && typeof value['expiresAtS'] === 'number' && !Number.isNaN(value['expiresAtS']);
}

/**
 * Reads what a hook gave back. User modules are written in JavaScript too, so the type says nothing here;
 * undefined is anything that is not exactly a Decision.
 */
function readDecision(answer: unknown): Decision | undefined {
  if (!isRecord(answer)) return undefined;
  const { ok, identity, rejection } = answer;
  if (ok === true) {
    if (identity === undefined) return { ok };
    return isIdentity(identity) ? { ok, identity } : undefined;
  }
  if (ok !== false || !isRecord(rejection)) return undefined;
  const { code, detail } = rejection;
  if (typeof code !== 'string' || !Object.hasOwn(REJECTIONS, code) || typeof detail !== 'string') return undefined;
  // Made anew, so that the kind is the table's and not the hook's.
  return no(code as RejectionCode, detail);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isRecord(value) && typeof value['then'] === 'function';
}

/** Waits for the answer, but no longer than the deadline. A synchronous answer costs no timer. */
async function inTime(answer: unknown, clock: Clock, timeoutMs: number): Promise<unknown> {
  if (!isThenable(answer)) return answer;
  let cancel = (): void => undefined;
  const deadline = new Promise<typeof LATE>((resolve) => {
    cancel = clock.after(timeoutMs, () => resolve(LATE));
  });
  try {
    return await Promise.race([answer, deadline]);
  } finally {
    cancel();
  }
}

/**
 * Joins hooks into the one function that decides: in order, the first no wins, a yes of all that want the action is a yes.
 *
 * Codes of its own: `hook-failed` when a hook throws, answers late or answers with something that is no Decision;
 * `hook-denied` when the list is empty or no hook in it wants to judge the stream, because silence is not consent; a connect,
 * which opens nothing, passes where hooks want to judge streams only.
 * The function that comes back never rejects and never answers later than `hookTimeoutMs` for each hook.
 */
export function createPipeline(hooks: readonly Hook[], options: PipelineOptions): Decide {
  const { clock, hookTimeoutMs, onHookError, onAsked, elapsedMs = () => clock.now() } = options;
  const asking = (action: Action): readonly Hook[] => hooks.filter((hook) => hook.actions.includes(action));
  // Sorted now: a hook whose actions cannot be read stops the start, not a decision.
  const asked = { connect: asking('connect'), publish: asking('publish'), subscribe: asking('subscribe') };
  const isEmpty = hooks.length === 0;

  function fail(hook: Hook, error: unknown, what: string): Decision {
    try {
      onHookError?.(hook, error);
    } catch {
      // Who listens can not veto.
    }
    return no('hook-failed', `hook ${hook.name} ${what}`);
  }

  function tell(...told: Parameters<NonNullable<typeof onAsked>>): void {
    try {
      onAsked?.(...told);
    } catch {
      // Who listens can not veto.
    }
  }

  async function ask(
    hook: Hook,
    request: ConnectionRequest,
    identity: Identity | undefined,
    abort: AbortController,
  ): Promise<Decision> {
    const startedMs = clock.now();
    try {
      const given = hook.decide(request, identity, abort.signal);
      // Blocking is late as well; measured over the synchronous part only, where a wall clock that jumps hardly matters.
      const leftMs = Math.min(hookTimeoutMs, hookTimeoutMs - (clock.now() - startedMs));
      const answer = await inTime(given, clock, leftMs);
      if (answer === LATE || leftMs < 0) {
        const late = new Error(`missed its deadline of ${hookTimeoutMs} ms`);
        abort.abort(late);
        return fail(hook, late, late.message);
      }
      return (
        readDecision(answer) ?? fail(hook, new TypeError('not a Decision'), 'gave back something that is no decision')
      );
    } catch (error) {
      return fail(hook, error, 'threw');
    }
  }

  return async (request) => {
    if (isEmpty) {
      return no('hook-denied', 'the hook list is empty; an open gateway must be written in the config: hooks: [open]');
    }
    const list = asked[request.action];
    if (list.length === 0) {
      // A connect opens nothing. Who only wants to judge streams will be asked about the stream.
      if (request.action === 'connect') return { ok: true };
      return no('hook-denied', `no hook wants to judge ${request.action}`);
    }

    const abort = new AbortController();
    let identity: Identity | undefined;
    for (const hook of list) {
      const askedMs = elapsedMs();
      const decision = await ask(hook, request, identity, abort);
      tell(hook, request, { decision, tookMs: elapsedMs() - askedMs });
      if (!decision.ok) return decision;
      identity = narrowIdentity(identity, decision.identity);
    }
    return identity === undefined ? { ok: true } : { ok: true, identity };
  };
}
