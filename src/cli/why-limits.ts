import type { Config } from '../config/config.js';
import { addressJudge, isFailure } from '../hooks/limits/index.js';
import type { RejectionCode } from '../model/rejection.js';
import { readAddress } from '../wire/cidr.js';

type Limits = Config['limits'];

/** What the lists of addresses say: the whole answer where that is a no, else undefined; a problem with the address itself. */
export function judgeAddress(
  limits: Limits,
  address: string | undefined,
): { readonly no?: string } | { readonly problem: string } {
  if (address === undefined) return {};
  if (readAddress(address) === undefined) return { problem: '--address is an IPv4 or IPv6 address' };
  const denied = addressJudge(limits)(address);
  if (denied === undefined) return {};
  return {
    no: `no: from ${address}\n    ${denied.code}: ${denied.detail}\n\nThe gateway does not look at the token then.\n`,
  };
}

/** What only the running gateway knows, one line each: addresses that were not asked about, and how often somebody came. */
export function limitNotes(
  limits: Limits,
  address: string | undefined,
  code: RejectionCode | undefined,
): readonly string[] {
  const { allow, deny, attemptsPerAddress, attemptsPerSubject, failuresPerToken } = limits;
  const notes: string[] = [];
  if (address === undefined && allow.length + deny.length > 0) {
    notes.push('Not asked here: whether the address may come in (limits.allow, limits.deny); --address IP does');
  }
  const rates = [
    ...(attemptsPerAddress > 0 ? ['limits.attemptsPerAddress'] : []),
    ...(attemptsPerSubject > 0 ? ['limits.attemptsPerSubject'] : []),
  ];
  if (rates.length > 0)
    notes.push(`Not asked here: limit-rate, since only the gateway counts attempts (${rates.join(', ')})`);
  if (code !== undefined && failuresPerToken > 0 && isFailure(code)) {
    notes.push(
      `After ${failuresPerToken} tries from one address the gateway says limit-rate, and judges it once a minute`,
    );
  }
  return notes.map((note) => `\n${note}\n`);
}
