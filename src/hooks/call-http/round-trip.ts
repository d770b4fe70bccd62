import type { ConnectionRequest } from '../../model/request.js';
import { looksLikeJwt } from '../../wire/credential-parts.js';
import { readAnswerObject, type Answer, type Form } from './form.js';

/**
 * Red5 Pro's round-trip contract, as its RoundTripAuthValidator speaks it: what a client has shown and which stream it
 * wants goes out, and only `result` decides. `streamID` is the bare name without app and room. `url` in an answer, which Red5
 * keeps for its own use, is not looked at. Nothing else a server says can limit or let in anybody.
 */
export const ROUND_TRIP: Form = {
  question: (request) => JSON.stringify(roundTripFields(request)),
  read(body): Answer {
    const result = readAnswerObject(body)?.get('result');
    // Gson, which reads it at Red5, takes the text "true" for true.
    if (result === true || (typeof result === 'string' && result.toLowerCase() === 'true')) {
      return { says: 'yes', restriction: {} };
    }
    if (result === undefined) return { says: 'nonsense', detail: 'the answer has no result' };
    return { says: 'no', code: 'hook-denied', detail: 'the result is not true' };
  },
};

/** The five fields of the contract, for validation and invalidation alike; what was not shown is an empty text. */
export function roundTripFields(request: ConnectionRequest): Readonly<Record<string, string>> {
  const { credential, account } = request;
  const shown = credential ?? account;
  // Who logs in by Basic has a password and no token, whatever else could be tried with it.
  const basic =
    credential?.carrier === 'basic' && !looksLikeJwt(credential.token.reveal()) ? credential.token : undefined;
  return {
    username: shown?.username ?? '',
    password: (shown?.password ?? basic)?.reveal() ?? '',
    token: basic === undefined ? (credential?.token.reveal() ?? '') : '',
    type: request.action === 'publish' ? 'publisher' : 'subscriber',
    streamID: request.target.name ?? '',
  };
}

/** Whether a client has shown anything at all that a server could judge. */
export function hasShownAnything({ credential, account }: ConnectionRequest): boolean {
  return credential !== undefined || account !== undefined;
}
