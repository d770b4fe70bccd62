import type { OriginCredentials } from '../../model/leg.js';
import { Secret } from '../../model/secret.js';
import { writeBasic, writeBearer } from './wire/authorization.js';
import { pickChallenge, readChallenges, type DigestChallenge } from './wire/challenge.js';
import { writeDigest } from './wire/digest.js';

/** A request that has to be signed. */
export interface Signed {
  readonly method: string;
  /** Exactly as it stands in the request line. */
  readonly url: string;
}

/**
 * What the gateway shows an origin: a query for its URLs, and the answer to a challenge. With a token the token is the password,
 * as an origin that takes JWTs by Basic wants it.
 */
export class OriginAccount {
  /** Without the `?`; empty for none. */
  readonly query: string;
  readonly #username: string;
  readonly #password: Secret | undefined;
  readonly #token: Secret | undefined;
  readonly #random: (size: number) => Buffer;
  #sign: ((request: Signed) => string) | undefined;

  /** `credentials` are in the order in which the origin wants them, of a query percent-encoded. */
  constructor(credentials: OriginCredentials, random: (size: number) => Buffer) {
    const { placement, pairs } = credentials;
    this.#random = random;
    this.query = placement === 'query' ? pairs.map(([name, value]) => `${name}=${value.reveal()}`).join('&') : '';
    const plain = (name: string): Secret | undefined => {
      const value = pairs.find(([one]) => one === name)?.[1];
      return value === undefined || placement !== 'query' ? value : new Secret(decodeURIComponent(value.reveal()));
    };
    this.#username = plain('username')?.reveal() ?? '';
    this.#token = plain('token');
    this.#password = this.#token ?? plain('password');
  }

  /** The Authorization header of a request; undefined as long as the origin has not asked for one. */
  authorization(request: Signed): string | undefined {
    return this.#sign?.(request);
  }

  /** Prepares for what a 401 asks; false when it cannot be answered. `isSecond`: the request bore an answer already. */
  challenged(headers: readonly string[], isSecond: boolean): boolean {
    const challenge = pickChallenge(readChallenges(headers));
    const password = this.#password;
    if (challenge === undefined || password === undefined) return false;
    if (isSecond && !(challenge.scheme === 'digest' && challenge.stale)) return false;
    switch (challenge.scheme) {
      case 'digest':
        this.#sign = this.#digest(challenge, password);
        return true;
      case 'basic':
        this.#sign = () => writeBasic(this.#username, password);
        return true;
      case 'bearer': {
        const token = this.#token;
        if (token === undefined) return false;
        this.#sign = () => writeBearer(token);
        return true;
      }
    }
  }

  #digest(challenge: DigestChallenge, password: Secret): (request: Signed) => string {
    let count = 0;
    return ({ method, url }) => {
      count += 1;
      const cnonce = this.#random(8).toString('hex');
      return writeDigest(challenge, { username: this.#username, password, method, uri: url, count, cnonce });
    };
  }
}
