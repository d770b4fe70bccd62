import type { Identity } from '../../model/identity.js';
import { REJECTIONS, type RejectionCode } from '../../model/rejection.js';
import { pathOf, type ConnectionRequest } from '../../model/request.js';
import { readRestriction } from '../restriction.js';
import { readAnswerObject, type Answer, type Form } from './form.js';

/** Longest detail of a no that goes to the log. UTF-16 units. */
const MAX_DETAIL_LENGTH = 200;

/** What of a question may be told. */
export interface JsonFormOptions {
  readonly sendToken: boolean;
  /** Left out where answers are kept, since no two questions have the same. */
  readonly sendSessionId: boolean;
}

/** The generic form: the whole question goes out; `allow` decides, and `limits` can only take away. */
export function createJsonForm({ sendToken, sendSessionId }: JsonFormOptions): Form {
  return {
    question: (request, identity) =>
      JSON.stringify({
        ...(sendSessionId && { sessionId: request.sessionId }),
        ...fieldsOf(request),
        ...(identity && { claims: claimsOf(identity) }),
        ...(sendToken && request.credential && { token: request.credential.token.reveal() }),
      }),
    read: readJsonAnswer,
  };
}

function fieldsOf({ action, transport, secure, remoteAddress, target }: ConnectionRequest) {
  return {
    ...{ action, transport, secure, address: remoteAddress },
    ...{ app: target.app, room: target.room, name: target.name, path: pathOf(target) },
  };
}

/** The claims that were verified, by their names in the token. */
function claimsOf({ subject, issuer, tokenId, expiresAtS, roles, transports, rooms }: Identity) {
  return {
    ...{ sub: subject, iss: issuer, jti: tokenId, exp: expiresAtS },
    ...(roles && { roles: [...roles] }),
    ...(transports && { transports: [...transports] }),
    ...(rooms && { rooms: [...rooms] }),
  };
}

function readJsonAnswer(body: string): Answer {
  const fields = readAnswerObject(body);
  const allow = fields?.get('allow');
  if (fields === undefined || typeof allow !== 'boolean') {
    return { says: 'nonsense', detail: 'the answer has no allow that is true or false' };
  }
  if (!allow) {
    const detail = fields.get('detail');
    const text = typeof detail === 'string' ? detail.slice(0, MAX_DETAIL_LENGTH) : 'the policy server says no';
    return { says: 'no', code: codeOf(fields.get('code')), detail: text };
  }
  const restriction = readRestriction(fields.get('limits'));
  return restriction === undefined
    ? { says: 'nonsense', detail: 'the answer has limits that cannot be read' }
    : { says: 'yes', restriction };
}

/** A code that is not ours is still a no. */
function codeOf(code: unknown): RejectionCode {
  return typeof code === 'string' && Object.hasOwn(REJECTIONS, code) ? (code as RejectionCode) : 'hook-denied';
}
