import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import type { Identity } from '../../model/identity.js';
import { reject } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { Action } from '../../model/transport.js';
import { applyRestriction } from '../restriction.js';
import { createCaller, type Asked, type Caller, type CallerOptions, type CallTarget } from './caller.js';
import type { Form } from './form.js';
import { createJsonForm } from './json-form.js';
import { hasShownAnything, ROUND_TRIP, roundTripFields } from './round-trip.js';

export type { BreakerState } from './breaker.js';
export type { CallOutcome } from './caller.js';

/** One `call-http` of the config. */
export interface CallHttpOptions extends CallerOptions {
  /** Names the hook in log and metrics. */
  readonly id: string;
  readonly form: 'json' | 'round-trip';
  readonly actions: readonly Action[];
  /** The verdict when the server cannot be asked. What it answers is never softened by this. */
  readonly onFailure: 'refuse' | 'allow';
  /** json: the token goes along. */
  readonly sendToken: boolean;
  /** round-trip: a connect without a token is refused. */
  readonly clientTokenRequired: boolean;
  /** round-trip: told when a publisher is gone. */
  readonly invalidate?: CallTarget;
  /** What the server is told of the trace that the question is part of. @see W3C Trace Context §3.2 */
  readonly traceParentOf?: (request: ConnectionRequest) => string | undefined;
}

/** Never fires: nobody waits for what is told to it. */
const UNHURRIED = new AbortController().signal;

/**
 * The hook that asks a server. Codes: what the server says, else `hook-denied`; `hook-failed` when it cannot be asked or
 * answers nonsense; `token-missing` when a round-trip server says no to somebody who has shown nothing.
 */
export function callHttpHook(options: CallHttpOptions): Hook {
  const caller = createCaller(options);
  return options.form === 'json' ? jsonHook(options, caller) : roundTripHook(options, caller);
}

function jsonHook(options: CallHttpOptions, caller: Caller): Hook {
  const { id, actions, sendToken, cacheMs } = options;
  const form = createJsonForm({ sendToken, sendSessionId: cacheMs === 0 });
  return {
    name: id,
    actions,
    decide: (request, identity, signal) => judge(request, identity, signal, { options, caller, form }),
  };
}

function roundTripHook(options: CallHttpOptions, caller: Caller): Hook {
  const { id, clientTokenRequired, invalidate } = options;
  const actions = options.actions.filter((action) => action !== 'connect');
  return {
    name: id,
    actions: clientTokenRequired ? ['connect', ...actions] : actions,
    async decide(request, identity, signal): Promise<Decision> {
      // At connect the contract wants the token to be there, and asks nobody.
      if (request.action === 'connect') {
        if (request.credential !== undefined) return { ok: true };
        return {
          ok: false,
          rejection: reject('token-missing', `${id} wants a token at connect (clientTokenRequired)`),
        };
      }
      const decision = await judge(request, identity, signal, { options, caller, form: ROUND_TRIP });
      if (decision.ok || decision.rejection.code !== 'hook-denied' || hasShownAnything(request)) return decision;
      // So that clients that show nothing before they are asked get to hear that they should.
      return { ok: false, rejection: reject('token-missing', `${id}: nothing was shown that could be judged`) };
    },
    ...(invalidate && {
      onEnd: (request: ConnectionRequest) =>
        request.action === 'publish'
          ? caller.tell(JSON.stringify(roundTripFields(request)), invalidate, UNHURRIED)
          : undefined,
    }),
  };
}

interface Judging {
  readonly options: CallHttpOptions;
  readonly caller: Caller;
  readonly form: Form;
}

async function judge(
  request: ConnectionRequest,
  identity: Identity | undefined,
  signal: AbortSignal,
  { options, caller, form }: Judging,
): Promise<Decision> {
  const { id, clock, onFailure, traceParentOf } = options;
  const asked: Asked = await caller.ask(form.question(request, identity), (body) => form.read(body), {
    signal,
    traceParent: traceParentOf?.(request),
  });
  switch (asked.says) {
    case 'yes':
      return applyRestriction(request, identity, asked.restriction, clock.now());
    case 'no':
      return { ok: false, rejection: reject(asked.code, `${id}: ${asked.detail}`) };
    case 'nothing':
      if (onFailure === 'allow') return { ok: true };
      return { ok: false, rejection: reject('hook-failed', `${id}: ${asked.detail}`) };
    case 'nonsense':
      return { ok: false, rejection: reject('hook-failed', `${id}: ${asked.detail}`) };
  }
}
