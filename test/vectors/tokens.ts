import type { RejectionCode } from '../../src/model/rejection.js';
import type { Action, TransportName } from '../../src/model/transport.js';
import type { KeySpec } from '../../src/hooks/verify-token/index.js';
import { Secret } from '../../src/model/secret.js';
import { vectorMaterial, type VectorContext } from './forge.js';
import { CLAIM_VECTORS } from './tokens-claims.js';
import { GRANT_VECTORS } from './tokens-grants.js';
import { HEADER_VECTORS } from './tokens-header.js';
import { SHAPE_VECTORS } from './tokens-shape.js';
import { SIGNATURE_VECTORS } from './tokens-signature.js';

/** What the token is asked to open: stream `live[/room]/cam`. `any` is the transport's natural action. */
export interface VectorQuestion {
  readonly action: Exclude<Action, 'connect'> | 'any';
  readonly room: string | null;
}

/** One forged or odd token, as data: every transport runs it unchanged. */
export interface TokenVector {
  readonly name: string;
  /** Why the verdict is what it is: a rule, a standard, somebody's failure. */
  readonly why: string;
  readonly expect: RejectionCode | 'ok';
  readonly build: (context: VectorContext) => string;
  readonly question: VectorQuestion;
  /** `red5` where absent. */
  readonly profile?: 'red5' | 'strict';
  /** Right only when gateway and builder see the very same second: for a clock that tests move. */
  readonly exactClock?: true;
}

/** The one policy under which all vectors are right; keys as they go to `createKeySet` or a config file. */
export const VECTOR_POLICY = {
  issuers: ['https://issuer.example', 'https://other-issuer.example'],
  audiences: ['portcullis-vectors'],
  maxTtlMinutes: 60,
  leewaySeconds: 0,
  keys: (): readonly KeySpec[] => {
    const material = vectorMaterial();
    return [
      { id: 'main', algorithm: 'HS256', secret: new Secret(material.secret) },
      { id: 'previous', algorithm: 'HS256', secret: new Secret(material.previousSecret) },
      { id: 'rsa', algorithm: 'RS256', pem: material.rsa.pem },
      { id: 'ec', algorithm: 'ES256', pem: material.ec.pem },
    ];
  },
} as const;

/** The actions a transport can ask for, its natural one first. */
export const ACTIONS_OF: Readonly<Record<TransportName, readonly Exclude<Action, 'connect'>[]>> = {
  RTMP: ['publish', 'subscribe'],
  RTSP: ['publish', 'subscribe'],
  WHIP: ['publish'],
  WHEP: ['subscribe'],
};

/** The action of a vector over a transport; undefined where that transport has no such action. */
export function actionFor(vector: TokenVector, transport: TransportName): Exclude<Action, 'connect'> | undefined {
  const { action } = vector.question;
  return ACTIONS_OF[transport].find((candidate) => action === 'any' || candidate === action);
}

/**
 * Whether a token arrives unchanged in any carrier (URL query, header, AMF string). Those with spaces, NUL, `&`, `%` or
 * letters beyond ASCII do so only where the carrier is raw, and those above 4 kB only where it is long enough.
 */
export function travelsEverywhere(token: string): boolean {
  return /^[\w.~-]{1,4096}$/.test(token);
}

/** All vectors. */
export const TOKEN_VECTORS: readonly TokenVector[] = [
  ...SHAPE_VECTORS,
  ...HEADER_VECTORS,
  ...SIGNATURE_VECTORS,
  ...CLAIM_VECTORS,
  ...GRANT_VECTORS,
];
