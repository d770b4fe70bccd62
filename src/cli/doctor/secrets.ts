import type { Config } from '../../config/config.js';
import type { Secret } from '../../model/secret.js';
import { findingsOf, type Finding } from './finding.js';

/** As many bytes as a signature of HS256 has. @see RFC 7518 §3.2 */
const ENOUGH_BYTES = 32;

/** For what only opens a door that can be rate-limited. */
const ENOUGH_TOKEN_BYTES = 16;

/** Bits below which a text was thought out rather than drawn. */
const FEW_BITS = 100;

const WORDS = /secret|password|passwd|change.?me|example|portcullis|red5|qwert|letmein|default|1234567|abcdef/i;

const MAKE_ONE = 'Make one: openssl rand -base64 48';

/** Looks at every secret of the config: how long, and whether it could be guessed. Says nothing of what it is. */
export function checkSecrets({ auth, listen, origins }: Config): readonly Finding[] {
  return [
    ...auth.keys.flatMap((key) =>
      key.kind === 'secret' ? [checkSecret(`auth.keys ${key.id}`, key.secret, ENOUGH_BYTES)] : [],
    ),
    ...(listen.admin?.token === undefined
      ? []
      : [checkSecret('listen.admin.token', listen.admin.token, ENOUGH_TOKEN_BYTES)]),
    ...origins.flatMap(({ name, credentials }) =>
      credentials.mode === 'remint' ? [checkSecret(`origin ${name}, remint`, credentials.key, ENOUGH_BYTES)] : [],
    ),
  ];
}

function checkSecret(about: string, secret: Secret, enoughBytes: number): Finding {
  const { fine, warning, fault } = findingsOf('secret', about);
  const text = secret.reveal();
  const bytes = Buffer.byteLength(text);
  if (bytes < enoughBytes) return fault(`${bytes} bytes; ${enoughBytes} are needed`, MAKE_ONE);
  if (WORDS.test(text) || bitsOf(text) < FEW_BITS) {
    return warning(`${bytes} bytes, but it looks thought out: it can be guessed from one token`, MAKE_ONE);
  }
  return fine(`${bytes} bytes`);
}

/** An estimate of what it would take to guess a text from how often its characters come, and how often runs go on. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const perChar = [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
  let surprises = 0;
  for (let at = 1; at < text.length; at += 1) {
    const step = text.charCodeAt(at) - text.charCodeAt(at - 1);
    if (Math.abs(step) > 1) surprises += 1;
  }
  return perChar * Math.min(surprises + 1, periodOf(text));
}

/** The length of the shortest part that the text repeats. */
function periodOf(text: string): number {
  const doubled = text + text;
  return doubled.indexOf(text, 1);
}
