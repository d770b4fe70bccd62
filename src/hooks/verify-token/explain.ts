import type { Decision } from '../../model/decision.js';
import type { RejectionCode } from '../../model/rejection.js';
import type { StreamTarget } from '../../model/request.js';
import { Secret } from '../../model/secret.js';
import type { Action, TransportName } from '../../model/transport.js';
import { judgeRole } from '../require-role/index.js';
import { judgeRoom } from '../require-room/index.js';
import { judgeTransport } from '../require-transport/index.js';
import { CLAIM_CHECKS, readIdentity } from './claims.js';
import { failed, passed, skipped, type Finding } from './finding.js';
import { readGrants, type Profile } from './grants.js';
import { findMistakes } from './mistakes.js';
import { checkHeader, parseToken, type ParsedToken } from './strict-parse.js';
import { checkAlgorithm, checkRevocation, checkSignature, judgeToken, type TokenPolicy } from './verify.js';

/** What the token is asked to open. */
export interface TokenQuestion {
  readonly transport: TransportName;
  readonly action: Action;
  readonly target: StreamTarget;
}

/** One rung of the explanation, in the order in which the gateway climbs. */
export type ExplanationStep = Finding & { readonly name: string };

/** Why a token is let in or not. Holds claims' values, never the token. */
export interface Explanation {
  readonly ok: boolean;
  /** The code the gateway refuses with; absent when it does not. */
  readonly code?: RejectionCode;
  /** The detail of the refusal. */
  readonly detail?: string;
  readonly profile: Profile;
  readonly steps: readonly ExplanationStep[];
  /** Usual mistakes that this token shows, each with what to do. */
  readonly mistakes: readonly string[];
}

/** The hooks that `explainToken` follows when it is not told of others. */
const ALL_HOOKS: readonly string[] = ['require-transport', 'require-role', 'require-room'];

type HookJudge = readonly [hook: string, step: string, judge: () => Decision, readAs: string];

function hookSteps(parsed: ParsedToken, question: TokenQuestion, profile: Profile): readonly HookJudge[] {
  const identity = readIdentity(parsed.claims, profile);
  const grants = readGrants(parsed.claims, profile);
  const { transport, action, target } = question;
  return [
    ['require-transport', 'red5-transport', () => judgeTransport(identity, transport), grants.transports.text],
    ['require-role', 'roles', () => judgeRole(identity, action), grants.roles.text],
    ['require-room', 'red5-room', () => judgeRoom(identity, target, action), grants.rooms.text],
  ];
}

function toFinding(decision: Decision, readAs: string): Finding {
  if (decision.ok) return passed(readAs);
  return failed(decision.rejection.code, `${decision.rejection.detail}; ${readAs}`);
}

/** All rungs, also those behind the first that broke: who mends a token wants to see everything at once. */
function climb(
  text: string,
  question: TokenQuestion,
  policy: TokenPolicy,
  nowMs: number,
  hooks: readonly string[],
): readonly ExplanationStep[] {
  const parsed = parseToken(text);
  if (!parsed.ok) {
    const rest = ['header', 'algorithm', 'signature', ...CLAIM_CHECKS.map((rung) => rung.name)];
    const unread = [...rest, 'revocation', 'red5-transport', 'roles', 'red5-room'];
    return [
      { name: 'shape', ...failed('token-malformed', parsed.text) },
      ...unread.map((name) => ({ name, ...skipped('the token cannot be read') })),
    ];
  }
  const { header, claims } = parsed.value;
  const algorithm = checkAlgorithm(header, policy.keys);
  return [
    { name: 'shape', ...passed(`3 parts, ${text.length} characters`) },
    { name: 'header', ...checkHeader(header) },
    { name: 'algorithm', ...algorithm },
    {
      name: 'signature',
      ...(algorithm.outcome === 'ok'
        ? checkSignature(text, header, policy.keys)
        : skipped('no key of this algorithm; all that follows is unverified')),
    },
    ...CLAIM_CHECKS.map(({ name, check }) => ({ name, ...check(claims, policy, nowMs / 1000) })),
    { name: 'revocation', ...checkRevocation(readIdentity(claims, policy.profile), policy) },
    ...hookSteps(parsed.value, question, policy.profile).map(([hook, name, judge, readAs]) => ({
      name,
      ...(hooks.includes(hook) ? toFinding(judge(), readAs) : skipped(`${hook} is not among the hooks`)),
    })),
  ];
}

/** The gateway's own answer, by the functions that the hooks use. */
function decide(
  token: Secret,
  question: TokenQuestion,
  policy: TokenPolicy,
  nowMs: number,
  hooks: readonly string[],
): Decision {
  const verdict = judgeToken(token, policy, nowMs);
  if (!verdict.ok) return verdict;
  const judges: Readonly<Record<string, () => Decision>> = {
    'require-transport': () => judgeTransport(verdict.identity, question.transport),
    'require-role': () => judgeRole(verdict.identity, question.action),
    'require-room': () => judgeRoom(verdict.identity, question.target, question.action),
  };
  for (const hook of hooks) {
    const decision = judges[hook]?.();
    if (decision?.ok === false) return decision;
  }
  return { ok: true };
}

/**
 * Explains, rung by rung, what a token passes and what it fails and by how much, with the mistakes it shows.
 *
 * `nowMs` is milliseconds since 1970; `hooks` are the names in the config, in order (all three `require-` hooks if absent).
 * The steps behind a broken signature are unverified and only there to help; `ok` and `code` are the gateway's verdict.
 */
export function explainToken(
  token: string,
  question: TokenQuestion,
  policy: TokenPolicy,
  nowMs: number,
  hooks: readonly string[] = ALL_HOOKS,
): Explanation {
  const decision = decide(new Secret(token), question, policy, nowMs, hooks);
  const { profile } = policy;
  const steps = climb(token, question, policy, nowMs, hooks);
  const mistakes = findMistakes(token, question, policy, nowMs / 1000);
  if (decision.ok) return { ok: true, profile, steps, mistakes };
  const { code, detail } = decision.rejection;
  return { ok: false, code, detail, profile, steps, mistakes };
}
