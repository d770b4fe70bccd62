import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';

/** The secret of one test file. */
export const secret = randomBytes(32).toString('hex');

/** Now, in the seconds of a token, moved by `offsetS`. */
export function nowS(offsetS = 0): number {
  return Math.floor(Date.now() / 1000) + offsetS;
}

/** Signs a token; five minutes long and for everything unless the claims say otherwise. */
export function token(claims: Readonly<Record<string, unknown>> = {}, key: string = secret): string {
  return jwt.sign({ sub: 'tester', exp: nowS(300), ...claims }, key, { algorithm: 'HS256', noTimestamp: true });
}
