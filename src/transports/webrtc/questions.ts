import { reject, type Rejection } from '../../model/rejection.js';
import type { ConnectionRequest, Credential, StreamTarget } from '../../model/request.js';
import type { HttpRequest } from '../../net/http-request.js';
import type { QueryPair } from '../../wire/query.js';
import { normaliseStreamPath } from '../../wire/stream-path.js';
import { readCredentials } from './credential.js';
import type { WebrtcTransportName } from './routes.js';

/** A question ready for the law, or one whose answer is clear already. */
export interface Asked {
  readonly request: ConnectionRequest;
  readonly rejection?: Rejection;
  /** The whole query; may hold tokens. */
  readonly pairs: readonly QueryPair[];
  /** Of the query, without values. */
  readonly parameterNames: readonly string[];
  /** A token stood in the query. */
  readonly isInQuery: boolean;
}

const NOWHERE: StreamTarget = { app: '', room: null, name: null };

/** Makes the question of a request for a stream. `streamPath` is percent-encoded. */
export function askStream(
  sessionId: string,
  transport: WebrtcTransportName,
  streamPath: string,
  request: HttpRequest,
): Asked {
  const { merged, pairs, parameterNames, isInQuery } = readCredentials(request);
  const path = normaliseStreamPath(streamPath);
  const rejection =
    (merged.ok ? undefined : merged.rejection) ?? (path.ok ? undefined : reject('path-invalid', path.detail));
  const credential = merged.ok ? merged.credential : undefined;
  const question = makeRequest(sessionId, transport, request, path.ok ? path.target : NOWHERE, credential);
  return { request: question, pairs, parameterNames, isInQuery, ...(rejection !== undefined && { rejection }) };
}

/** Asks the question of a running session once more, for whoever shows another token. */
export function askAgain(owner: ConnectionRequest, request: HttpRequest, credential: Credential): ConnectionRequest {
  const { remoteAddress, secure } = request;
  return Object.freeze({ ...owner, remoteAddress, secure, credential });
}

function makeRequest(
  sessionId: string,
  transport: WebrtcTransportName,
  { remoteAddress, secure }: HttpRequest,
  target: StreamTarget,
  credential: Credential | undefined,
): ConnectionRequest {
  const action = transport === 'WHIP' ? 'publish' : 'subscribe';
  const base = { sessionId, action, transport, secure, remoteAddress, target } as const;
  return Object.freeze(credential === undefined ? base : { ...base, credential });
}
