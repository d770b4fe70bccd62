import type { StreamTarget } from '../../model/request.js';
import { cutSignature, isSecretAlgorithm } from './algorithms.js';
import { span, quote } from './finding.js';
import { readGrants } from './grants.js';
import { findSecretMistakes } from './secret-mistakes.js';
import type { JsonObject } from './strict-parse.js';
import { signatureHolds, type TokenPolicy } from './verify.js';

/** A difference of clocks that is blamed on clocks, seconds. */
const CLOCK_SKEW_S = 60;

/** Times above this are milliseconds: as seconds they would lie beyond the year 5000. */
const FIRST_MILLISECONDS = 1e11;

/** What the recognisers look at: the token without its wrapping, and what of it can be read at all. */
export interface MistakeCase {
  /** As it was given. */
  readonly given: string;
  /** Without prefix, quotes and white space. */
  readonly text: string;
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly policy: TokenPolicy;
  readonly nowS: number;
  readonly target: StreamTarget;
}

type Recogniser = (found: MistakeCase) => readonly string[];

function unwrap(given: string): string {
  return given
    .trim()
    .replace(/^["'`]|["'`]$/g, '')
    .replace(/^(authorization:\s*)?bearer\s+/i, '')
    .replace(/^[?&]?token=/, '')
    .trim();
}

/** Reads a part as well as it goes; what cannot be read is empty. */
function readLoosely(part: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    return new Map();
  }
}

const wrapping: Recogniser = ({ given, text }) => {
  if (/^\s*["'`]?(authorization:\s*)?bearer\s/i.test(given)) {
    return ['the token begins with "Bearer ": outside of an Authorization header give the bare token'];
  }
  return given === text ? [] : ['there are quotes, spaces or a parameter name around the token: give the bare token'];
};

const cutOff: Recogniser = ({ text, header, claims }) => {
  const parts = text.split('.');
  const [, , signature = ''] = parts;
  const isShort = parts.length === 3 && cutSignature(header.get('alg'), signature) !== undefined;
  const isMissingParts = text.startsWith('ey') && parts.length < 3;
  if (!isShort && !isMissingParts) return [];
  const where = claims.size === 0 ? 'in its payload' : 'in its signature';
  return [
    `the token is cut off ${where}, after ${text.length} characters: some clients cut what they send (ffmpeg its RTMP path and query at 1023 bytes, RTSP passwords near 127); carry it elsewhere or make it shorter`,
  ];
};

const otherAlgorithm: Recogniser = ({ header, policy }) => {
  const alg = header.get('alg');
  const known = [...new Set(policy.keys.keys.map((key) => key.algorithm))];
  if (alg === undefined || known.some((algorithm) => algorithm === alg)) return [];
  return [
    `the token says alg ${quote(alg)}, the keys are for ${known.join(', ') || 'nothing'}: sign with one of these or add its key`,
  ];
};

const namedKey: Recogniser = ({ header, policy, text }) => {
  const named = policy.keys.keys.find((key) => key.id === header.get('kid'));
  if (named === undefined || signatureHolds(text, named)) return [];
  const other = policy.keys.keys.find((key) => key !== named && signatureHolds(text, key));
  return other === undefined ? [] : [`kid names key ${quote(named.id)}, but key ${quote(other.id)} signed the token`];
};

const otherSecret: Recogniser = ({ text, header, policy }) => {
  const keys = policy.keys.keys.filter(
    (key) => isSecretAlgorithm(key.algorithm) && key.algorithm === header.get('alg'),
  );
  return keys.some((key) => signatureHolds(text, key)) ? [] : keys.flatMap((key) => findSecretMistakes(text, key));
};

const milliseconds: Recogniser = ({ claims }) =>
  ['exp', 'nbf', 'iat']
    .filter((name) => Number(claims.get(name)) > FIRST_MILLISECONDS && typeof claims.get(name) === 'number')
    .map((name) => `${name} is in milliseconds: divide by 1000, JWT times are seconds`);

const textDates: Recogniser = ({ claims }) =>
  ['exp', 'nbf', 'iat']
    .filter((name) => typeof claims.get(name) === 'string')
    .map((name) => `${name} is a text: it must be a JSON number of seconds`);

const ceiling: Recogniser = ({ claims, policy, nowS }) => {
  const exp = claims.get('exp');
  if (typeof exp !== 'number' || exp > FIRST_MILLISECONDS) return [];
  const beyondS = exp - nowS - policy.maxTtlS;
  if (beyondS <= policy.leewayS) return [];
  return [
    `exp is ${span(beyondS)} beyond the ceiling (auth.maxTtlMinutes): make the token shorter-lived or raise the ceiling`,
  ];
};

const clockSkew: Recogniser = ({ claims, policy, nowS }) => {
  const { exp, nbf } = { exp: claims.get('exp'), nbf: claims.get('nbf') };
  const agoS = typeof exp === 'number' ? nowS - exp : -1;
  const aheadS = typeof nbf === 'number' ? nbf - nowS : -1;
  const beyondS = typeof exp === 'number' ? exp - nowS - policy.maxTtlS : -1;
  const isNear = (seconds: number): boolean => seconds >= 0 && seconds > policy.leewayS && seconds <= CLOCK_SKEW_S;
  if (!isNear(agoS) && !isNear(aheadS) && !isNear(beyondS)) return [];
  return [
    `a time is off by no more than ${span(CLOCK_SKEW_S)}: compare the clocks of issuer and gateway, or set auth.leewaySeconds`,
  ];
};

const issuer: Recogniser = ({ claims, policy }) => {
  const iss = claims.get('iss');
  if (policy.issuers.length === 0 || typeof iss !== 'string' || policy.issuers.includes(iss)) return [];
  const bare = (text: string): string => text.toLowerCase().replace(/\/$/, '');
  const twin = policy.issuers.find((known) => bare(known) === bare(iss));
  if (twin !== undefined) return [`iss is ${quote(iss)}, configured is ${quote(twin)}: case and the last slash count`];
  return [`the token is of another issuer: ${quote(iss)}`];
};

const roleWords: Recogniser = ({ claims, policy }) =>
  readGrants(claims, policy.profile).roles.words.flatMap((word) => {
    const plain = word
      .toLowerCase()
      .replaceAll('_', '-')
      .replace(/^red5-/, '');
    if (word === `red5-${plain}` || (plain !== 'publisher' && plain !== 'subscriber')) return [];
    return [`the role ${quote(word)} is not known, "red5-${plain}" is meant: roles are lower-case, with red5- before`];
  });

const TRANSPORT_HINTS: Readonly<Record<string, string>> = {
  RTMPS: 'RTMP covers it',
  RTMPT: 'RTMP is the word for RTMP',
  RTSPS: 'RTSP covers it',
  WEBRTC: 'WHIP is the word for publishing, WHEP for subscribing',
  RTC: 'WHIP is the word for publishing, WHEP for subscribing',
};

const transportWords: Recogniser = ({ claims, policy }) =>
  readGrants(claims, policy.profile)
    .transports.words.filter((word) => !/^(rtmp|rtsp|whip|whep)$/i.test(word))
    .map((word) => {
      const hint = TRANSPORT_HINTS[word.toUpperCase()] ?? 'the words are RTMP, RTSP, WHIP, WHEP';
      return `red5-transport has the unknown word ${quote(word)}: ${hint}`;
    });

const roomWords: Recogniser = ({ claims, policy, target }) => {
  const rooms = readGrants(claims, policy.profile).rooms.words;
  const { app, room, name } = target;
  if (rooms.length === 0 || (room !== null && rooms.includes(room))) return [];
  const bare = (text: string): string => text.replace(/^\/+|\/+$/g, '');
  const found: string[] = [];
  for (const word of rooms) {
    if (room !== null && word.toLowerCase() === room.toLowerCase()) {
      found.push(`red5-room has ${quote(word)}, the path has ${quote(room)}: rooms differ by case`);
    } else if (room !== null && bare(word) === room) {
      found.push(`red5-room has ${quote(word)}: write the room without slashes at its ends`);
    } else if (room !== null && [`${app}/${room}`, `${room}/${String(name)}`].includes(bare(word))) {
      found.push(`red5-room has ${quote(word)}: write only what stands between app and name`);
    }
  }
  return found;
};

const lostSegments: Recogniser = ({ claims, policy, target }) => {
  const rooms = readGrants(claims, policy.profile).rooms.words;
  if (rooms.length === 0) return [];
  const countOf = (room: string): number => room.split('/').filter((segment) => segment !== '').length;
  const segments = countOf(target.room ?? '');
  const least = Math.min(...rooms.map(countOf));
  if (segments >= least) return [];
  return [
    `the path has ${segments} room segments, each room of the token at least ${least}: the client may have lost segments; ffmpeg and librtmp put only the first two in the app, and cut path and query at 1023 bytes`,
  ];
};

const RECOGNISERS: readonly Recogniser[] = [
  wrapping,
  cutOff,
  otherAlgorithm,
  namedKey,
  otherSecret,
  milliseconds,
  textDates,
  ceiling,
  clockSkew,
  issuer,
  roleWords,
  transportWords,
  roomWords,
  lostSegments,
];

/** Recognises the usual mistakes in a token, each as one sentence with what to do. The token itself is in none of them. */
export function findMistakes(
  given: string,
  question: { readonly target: StreamTarget },
  policy: TokenPolicy,
  nowS: number,
): readonly string[] {
  const text = unwrap(given);
  const [header, payload] = text.split('.');
  const found: MistakeCase = {
    given,
    text,
    header: readLoosely(header),
    claims: readLoosely(payload),
    policy,
    nowS,
    target: question.target,
  };
  return RECOGNISERS.flatMap((recognise) => recognise(found));
}
