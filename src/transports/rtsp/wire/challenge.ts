import { isToken } from './head.js';
import { quote, readParameter, splitOutsideQuotes } from './quoted.js';

/** Parts (challenges and their parameters) of all WWW-Authenticate headers of a response. */
export const MAX_CHALLENGE_PARTS = 128;

/** One way in that a server offers. */
export type Challenge =
  | { readonly scheme: 'basic'; readonly realm: string }
  | { readonly scheme: 'bearer'; readonly realm: string }
  | DigestChallenge
  /** Another scheme, an algorithm or a qop that the gateway does not know, or a digest without its nonce. */
  | { readonly scheme: 'unusable' };

/** A Digest challenge that can be answered. @see RFC 7616 §3.3 */
export interface DigestChallenge {
  readonly scheme: 'digest';
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly algorithm: 'MD5' | 'SHA-256';
  /** Old cameras say nothing, and stumble over an answer that says it. */
  readonly namesAlgorithm: boolean;
  /** `none`: the short form of RFC 2069. */
  readonly qop: 'auth' | 'none';
  /** The answer was right, its nonce too old: try again without asking anybody. */
  readonly stale: boolean;
}

/**
 * Reads all WWW-Authenticate headers of a response: one challenge a header, or several in one, each with commas of its own.
 * Throws WireError `too-many-parts`; a part that is nonsense belongs to no challenge and is left out.
 * @see RFC 9110 §11.6.1
 */
export function readChallenges(values: readonly string[]): Challenge[] {
  const challenges: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
  for (const part of splitOutsideQuotes(values.join(','), ',', MAX_CHALLENGE_PARTS)) {
    const { scheme, rest } = cutScheme(part);
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    addParameter(challenges.at(-1)?.parameters, rest);
  }
  return challenges.map(({ scheme, parameters }) => readChallenge(scheme, parameters));
}

/** The strongest challenge that the gateway can answer (RTSP-14): SHA-256, MD5, then Basic; Bearer last, as few mean it. */
export function pickChallenge(
  challenges: readonly Challenge[],
): Exclude<Challenge, { scheme: 'unusable' }> | undefined {
  const wishes = ['SHA-256', 'MD5', 'basic', 'bearer'];
  const nameOf = (one: Challenge) => (one.scheme === 'digest' ? one.algorithm : one.scheme);
  const picked = wishes.map((wish) => challenges.find((one) => nameOf(one) === wish)).find(Boolean);
  return picked === undefined || picked.scheme === 'unusable' ? undefined : picked;
}

/** The challenge the gateway offers, alone: beside Digest, ffmpeg and GStreamer would choose that, and a digest hides the token. */
export function writeBasicChallenge(realm: string): string {
  return `Basic realm=${quote(realm)}`;
}

/** The parameters of one challenge or one digest, names in lower case; the first of a name counts. Throws WireError `too-many-parts`. */
export function readParameters(text: string, maxParts: number): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of splitOutsideQuotes(text, ',', maxParts)) addParameter(parameters, part);
  return parameters;
}

function addParameter(parameters: Map<string, string> | undefined, part: string): void {
  const { name, value } = readParameter(part);
  const known = name.toLowerCase();
  if (value !== undefined && isToken(known) && parameters?.has(known) === false) parameters.set(known, value);
}

/** A part that starts with a word and no `=` behind it starts a challenge. */
function cutScheme(part: string): { readonly scheme: string | undefined; readonly rest: string } {
  const [, scheme, rest = ''] = /^([^\s=]+)(?:\s+([^\s=].*))?$/s.exec(part) ?? [];
  return scheme !== undefined && isToken(scheme) ? { scheme, rest } : { scheme: undefined, rest: part };
}

function readChallenge(scheme: string, parameters: ReadonlyMap<string, string>): Challenge {
  const realm = parameters.get('realm') ?? '';
  if (scheme === 'basic' || scheme === 'bearer') return { scheme, realm };
  return (scheme === 'digest' ? readDigest(realm, parameters) : undefined) ?? { scheme: 'unusable' };
}

function readDigest(realm: string, parameters: ReadonlyMap<string, string>): DigestChallenge | undefined {
  const nonce = parameters.get('nonce');
  const named = parameters.get('algorithm')?.toUpperCase();
  const algorithm = named ?? 'MD5';
  const qops = parameters.get('qop')?.toLowerCase().split(',', 8);
  const qop = qops === undefined ? 'none' : 'auth';
  if (nonce === undefined || (algorithm !== 'MD5' && algorithm !== 'SHA-256')) return undefined;
  if (qops?.some((one) => one.trim() === 'auth') === false) return undefined;
  const opaque = parameters.get('opaque');
  const stale = parameters.get('stale')?.toLowerCase() === 'true';
  const kept = opaque === undefined ? {} : { opaque };
  return { scheme: 'digest', realm, nonce, ...kept, algorithm, namesAlgorithm: named !== undefined, qop, stale };
}
