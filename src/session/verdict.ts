import type { Decision } from '../model/decision.js';
import type { Decide } from '../model/hook.js';
import type { Identity } from '../model/identity.js';
import { reject, type Rejection } from '../model/rejection.js';
import { pathOf, type ConnectionRequest } from '../model/request.js';
import type { Log, Metrics } from '../model/telemetry.js';

/** What a verdict is made and recorded with. */
export interface VerdictDeps {
  readonly decide: Decide;
  readonly isDraining: () => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds of a clock that never jumps, with fractions. */
  readonly elapsedMs: () => number;
}

/** Asked when the law said yes: whether the gateway's own state allows it too. */
export type LastWord = (identity: Identity | undefined) => Rejection | undefined;

/** Reaches the verdict on a request and writes the one record of it. Never rejects. Without `lastWord` no stream comes of a yes. */
export async function reachVerdict(
  deps: VerdictDeps,
  request: ConnectionRequest,
  lastWord?: LastWord,
): Promise<Decision> {
  const startedMs = deps.elapsedMs();
  const decision = await ask(deps, request);
  const refusal = decision.ok ? lastWord?.(decision.identity) : undefined;
  const verdict: Decision = refusal === undefined ? decision : { ok: false, rejection: refusal };
  const identity = decision.ok ? decision.identity : undefined;
  const isMereQuestion = lastWord === undefined && request.action !== 'connect';
  recordVerdict(deps, request, verdict, { identity, isMereQuestion, tookMs: deps.elapsedMs() - startedMs });
  return verdict;
}

async function ask(deps: VerdictDeps, request: ConnectionRequest): Promise<Decision> {
  if (deps.isDraining()) return { ok: false, rejection: reject('draining', 'the gateway takes no new streams') };
  try {
    return await deps.decide(request);
  } catch (error) {
    // The pipeline promises never to; a broken promise is a no.
    deps.log.write('error', 'gateway.error', { session: request.sessionId, during: 'decide', error });
    return { ok: false, rejection: reject('hook-failed', 'the pipeline itself failed') };
  }
}

/** Writes the record of a verdict, the same for every transport, and counts it. */
export function recordVerdict(
  deps: Pick<VerdictDeps, 'log' | 'metrics'>,
  request: ConnectionRequest,
  verdict: Decision,
  more: { readonly identity: Identity | undefined; readonly isMereQuestion?: boolean; readonly tookMs: number },
): void {
  const { transport, action, credential } = request;
  const outcome = verdict.ok ? 'yes' : 'no';
  const code = verdict.ok ? 'none' : verdict.rejection.code;
  deps.metrics.count('decisions_total', { transport, action, outcome, code });
  deps.metrics.observe('decision_seconds', {}, more.tookMs / 1000);
  if (!deps.log.enabled('info')) return;
  deps.log.write('info', 'decision', {
    session: request.sessionId,
    transport,
    action,
    secure: request.secure,
    address: request.remoteAddress,
    path: pathOf(request.target),
    subject: more.identity?.subject,
    tokenId: more.identity?.tokenId,
    issuer: more.identity?.issuer,
    token: credential?.token.fingerprint(),
    carrier: credential?.carrier,
    outcome,
    code: verdict.ok ? undefined : code,
    detail: verdict.ok ? undefined : verdict.rejection.detail,
    // A yes that no stream follows: about who wants to change a session of WebRTC, or looks for ICE servers.
    opens: more.isMereQuestion === true ? false : undefined,
    ms: Math.round(more.tookMs * 1000) / 1000,
  });
}
