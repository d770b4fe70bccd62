import { createHash } from 'node:crypto';
import type { Clock } from '../../model/clock.js';
import type { Decision } from '../../model/decision.js';
import type { Decide } from '../../model/hook.js';
import { reject, REJECTIONS, type Rejection, type RejectionCode } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import { createNetworks, networkOf, readAddress, type Networks } from '../../wire/cidr.js';
import { createFailures } from './failures.js';
import { createRates } from './rates.js';

/** Most keys of one kind that are remembered; some 200 bytes each. */
const MAX_KEYS = 20_000;

/** What holds for those who ask, as a config says. */
export interface LimitRules {
  /** Networks; empty: all. */
  readonly allow: readonly string[];
  /** Networks; counts for more than `allow`. */
  readonly deny: readonly string[];
  /** Decisions a minute; 0 is no limit. */
  readonly attemptsPerAddress: number;
  readonly attemptsPerSubject: number;
  /** Failures after which a token, or an address, waits; 0 is never. */
  readonly failuresPerToken: number;
  readonly failuresPerAddress: number;
  /** Addresses that many clients come from, which are never taken for one client. */
  readonly isShared?: (address: string) => boolean;
}

/** Remembers who asked how often, whatever the config; the rules come with each config. */
export interface Limiter {
  /**
   * Puts the rules around a law. Codes: `address-denied`; `limit-rate`, of an address and of what has failed too often without
   * asking the law, of a subject after it. Throws WireError for a network that is none.
   */
  guard(decide: Decide, rules: LimitRules): Decide;
}

/** Makes a limiter that remembers nobody yet. */
export function createLimiter(clock: Pick<Clock, 'now'>): Limiter {
  const memory = {
    rates: { ofAddress: createRates(clock, MAX_KEYS), ofSubject: createRates(clock, MAX_KEYS) },
    failures: { ofToken: createFailures(clock, MAX_KEYS), ofAddress: createFailures(clock, MAX_KEYS) },
  };
  return { guard: (decide, rules) => guarded(memory, decide, rules) };
}

interface Memory {
  readonly rates: { readonly [Of in 'ofAddress' | 'ofSubject']: ReturnType<typeof createRates> };
  readonly failures: { readonly [Of in 'ofToken' | 'ofAddress']: ReturnType<typeof createFailures> };
}

function guarded({ rates, failures }: Memory, decide: Decide, rules: LimitRules): Decide {
  const judgeAddress = addressJudge(rules);
  const isShared = rules.isShared ?? (() => false);
  const { attemptsPerAddress, attemptsPerSubject, failuresPerToken, failuresPerAddress } = rules;

  const beforeLaw = (request: ConnectionRequest, network: string | undefined): Rejection | undefined => {
    if (network !== undefined && attemptsPerAddress > 0 && !rates.ofAddress.take(network, attemptsPerAddress)) {
      return reject('limit-rate', `the address has used up ${attemptsPerAddress} attempts a minute`);
    }
    // Who shows nothing guesses nothing yet: a connect whose token comes with the stream, a question that waits for a challenge.
    if (!showsSomething(request)) return undefined;
    // The address first: who waits for its sake must not use up the try of a token. A token never waits longer than its address.
    const ofAddress =
      network === undefined || failuresPerAddress === 0
        ? undefined
        : failures.ofAddress.waitsFor(network, failuresPerAddress);
    if (ofAddress !== undefined) return waits(`the address has failed ${failuresPerAddress} times`, ofAddress);
    if (failuresPerToken === 0 || failures.ofToken.isEmpty) return undefined;
    const ofToken = failures.ofToken.waitsFor(shownKey(request), failuresPerToken);
    const what = `what was shown has failed ${failuresPerToken} times from this address`;
    return ofToken && waits(what, ofToken);
  };

  const learn = (request: ConnectionRequest, network: string | undefined, decision: Decision): void => {
    if (!showsSomething(request)) return;
    if (decision.ok) {
      if (network !== undefined) failures.ofAddress.forget(network);
      if (!failures.ofToken.isEmpty) failures.ofToken.forget(shownKey(request));
      return;
    }
    const { code } = decision.rejection;
    if (!isFailure(code)) return;
    if (network !== undefined && failuresPerAddress > 0) failures.ofAddress.failed(network, code);
    if (failuresPerToken > 0) failures.ofToken.failed(shownKey(request), code);
  };

  return async (request) => {
    const { remoteAddress } = request;
    const denied = judgeAddress(remoteAddress);
    if (denied !== undefined) return { ok: false, rejection: denied };
    const network = isShared(remoteAddress) ? undefined : networkOf(remoteAddress);
    const early = beforeLaw(request, network);
    if (early !== undefined) return { ok: false, rejection: early };
    const decision = await decide(request);
    learn(request, network, decision);
    const subject = decision.ok ? decision.identity?.subject : undefined;
    if (subject === undefined || attemptsPerSubject === 0 || rates.ofSubject.take(subject, attemptsPerSubject)) {
      return decision;
    }
    const detail = `the subject has used up ${attemptsPerSubject} attempts a minute`;
    return { ok: false, rejection: reject('limit-rate', detail) };
  };
}

function waits(what: string, code: RejectionCode): Rejection {
  return reject('limit-rate', `${what}, last with ${code}; it is judged once a minute`);
}

/**
 * Whether a code counts as a failure: a guess that was wrong. A client that shows nothing at first, as Adobe's logins and RTSP do, has guessed nothing; one that comes
 * too early is right soon.
 */
export function isFailure(code: RejectionCode): boolean {
  return REJECTIONS[code].kind === 'unauthenticated' && code !== 'token-missing' && code !== 'token-not-yet-valid';
}

function showsSomething({ credential, account }: ConnectionRequest): boolean {
  return credential !== undefined || account !== undefined;
}

/** Stands for the address together with all that was shown, and tells neither. */
function shownKey({ remoteAddress, credential, account }: ConnectionRequest): string {
  const shown = credential ?? account;
  const parts = [networkOf(remoteAddress), credential?.token.reveal(), shown?.username, shown?.password?.reveal()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

/**
 * Makes what says `address-denied`, or undefined where the address may come in. What is no address may not, where there is any list.
 * Throws WireError for a network that is none.
 */
export function addressJudge(rules: Pick<LimitRules, 'allow' | 'deny'>): (address: string) => Rejection | undefined {
  const allow: Networks = createNetworks(rules.allow);
  const deny: Networks = createNetworks(rules.deny);
  if (allow.size === 0 && deny.size === 0) return () => undefined;
  return (address) => {
    if (readAddress(address) === undefined) return reject('address-denied', 'the address cannot be read');
    const entry = deny.find(address);
    if (entry !== undefined) return reject('address-denied', `${entry} of limits.deny holds the address`);
    if (allow.size === 0 || allow.has(address)) return undefined;
    return reject('address-denied', 'no network of limits.allow holds the address');
  };
}
