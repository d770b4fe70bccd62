import type { ConnectionRequest, Credential } from '../../model/request.js';
import type { HttpRequest } from '../../net/http-request.js';
import type { QueryPair } from '../../wire/query.js';
import { makeQuestion, type Asked } from '../../wire/question.js';
import { normaliseStreamPath } from '../../wire/stream-path.js';
import { readCredentials } from './credential.js';
import type { WebrtcTransportName } from './routes.js';

/** A question, and what it was read from. */
export interface StreamAsked extends Asked {
  /** The whole query; may hold tokens. */
  readonly pairs: readonly QueryPair[];
  /** Of the query, without values. */
  readonly parameterNames: readonly string[];
  /** A token stood in the query. */
  readonly isInQuery: boolean;
}

/** Makes the question of a request for a stream. `streamPath` is percent-encoded. */
export function askStream(
  sessionId: string,
  transport: WebrtcTransportName,
  streamPath: string,
  request: HttpRequest,
): StreamAsked {
  const { merged, pairs, parameterNames, isInQuery } = readCredentials(request);
  const { remoteAddress, secure } = request;
  const action = transport === 'WHIP' ? 'publish' : 'subscribe';
  const path = normaliseStreamPath(streamPath);
  const asked = makeQuestion({ sessionId, transport, remoteAddress, secure }, action, { path, merged });
  return { ...asked, pairs, parameterNames, isInQuery };
}

/** Asks the question of a running session once more, for whoever shows another token. */
export function askAgain(owner: ConnectionRequest, request: HttpRequest, credential: Credential): ConnectionRequest {
  const { remoteAddress, secure } = request;
  return Object.freeze({ ...owner, remoteAddress, secure, credential });
}
