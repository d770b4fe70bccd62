import { reject, type Rejection } from '../../model/rejection.js';
import type { ConnectionRequest, Credential, StreamTarget } from '../../model/request.js';
import type { Action } from '../../model/transport.js';
import { mergeCredentials, readStreamName, targetOf, truncationHint, type ConnectFields } from './credential.js';

/** Who asks: what does not change between the questions of one connection. */
export interface Asker {
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly connect: ConnectFields;
}

/** A question ready for the law, or one whose answer is clear already. */
export interface Asked {
  readonly request: ConnectionRequest;
  readonly rejection?: Rejection;
}

const NOWHERE: StreamTarget = { app: '', room: null, name: null };

/** Makes the question of a connect command. */
export function askConnect(sessionId: string, asker: Asker): Asked {
  const { connect } = asker;
  const path = targetOf(connect.appPath, null);
  const target = path.ok ? path.target : NOWHERE;
  if (connect.refused !== undefined) return refusedAsk(sessionId, asker, 'connect', target, connect.refused);
  const merged = mergeCredentials(connect.credentials, []);
  if (!merged.ok) return refusedAsk(sessionId, asker, 'connect', target, merged.rejection);
  const request = makeRequest(sessionId, asker, 'connect', target, merged.credential);
  return path.ok ? { request } : { request, rejection: reject('path-invalid', path.detail) };
}

/** Makes the question of a publish or play command: its name completes the path and may bring the token. */
export function askStream(sessionId: string, asker: Asker, action: 'publish' | 'subscribe', name: string): Asked {
  const { connect } = asker;
  const stream = readStreamName(name);
  const path = targetOf(connect.appPath, stream.path);
  const target = path.ok ? path.target : NOWHERE;
  if (stream.refused !== undefined) return refusedAsk(sessionId, asker, action, target, stream.refused);
  const merged = mergeCredentials(connect.credentials, stream.credentials);
  if (!merged.ok) return refusedAsk(sessionId, asker, action, target, merged.rejection);
  const request = makeRequest(sessionId, asker, action, target, merged.credential);
  return path.ok ? { request } : { request, rejection: reject('path-invalid', path.detail) };
}

/** What to tell the operator when the client may have cut the token off; undefined when nothing points to it. */
export function cutOffHint(
  connect: ConnectFields,
  name: string | undefined,
  credential: Credential | undefined,
): string | undefined {
  return truncationHint(connect.app, connect.tcUrl, name, credential?.token);
}

function refusedAsk(
  sessionId: string,
  asker: Asker,
  action: Action,
  target: StreamTarget,
  rejection: Rejection,
): Asked {
  return { request: makeRequest(sessionId, asker, action, target, undefined), rejection };
}

function makeRequest(
  sessionId: string,
  asker: Asker,
  action: Action,
  target: StreamTarget,
  credential: Credential | undefined,
): ConnectionRequest {
  const { remoteAddress, secure } = asker;
  const base = { sessionId, action, transport: 'RTMP', secure, remoteAddress, target } as const;
  return Object.freeze(credential === undefined ? base : { ...base, credential });
}
