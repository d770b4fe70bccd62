import { reject, type Rejection } from '../../model/rejection.js';
import { pathOf, type ConnectionRequest, type Credential, type StreamTarget } from '../../model/request.js';
import type { LogFields } from '../../model/telemetry.js';
import type { Action } from '../../model/transport.js';
import type { MergedCredentials } from '../../wire/credential-parts.js';
import type { PathResult } from '../../wire/stream-path.js';
import { mergeCredentials, readStreamName, targetOf, truncationHint, type ConnectFields } from './credential.js';
import type { AmfValue } from './wire/amf-value.js';

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
  /** Of all queries seen so far, without values. */
  readonly parameterNames: readonly string[];
}

const NOWHERE: StreamTarget = { app: '', room: null, name: null };

/** Makes the question of a connect command. */
export function askConnect(sessionId: string, asker: Asker): Asked {
  const { connect } = asker;
  return ask(sessionId, asker, 'connect', {
    path: targetOf(connect.appPath, null),
    merged: mergeCredentials(connect.credentials, []),
    refused: connect.refused,
    parameterNames: connect.parameterNames,
  });
}

/** Makes the question of a publish or play command: its name completes the path and may bring the token. */
export function askStream(sessionId: string, asker: Asker, action: 'publish' | 'subscribe', name: AmfValue): Asked {
  const { connect } = asker;
  const stream = readStreamName(name);
  return ask(sessionId, asker, action, {
    path: targetOf(connect.appPath, stream.path),
    merged: mergeCredentials(connect.credentials, stream.credentials),
    refused: stream.refused,
    parameterNames: [...new Set([...connect.parameterNames, ...stream.parameterNames])],
  });
}

/** Whether a stream name, told by a client behind its connect, means `target`. */
export function meansTarget(connect: ConnectFields, name: AmfValue, target: StreamTarget): boolean {
  const path = targetOf(connect.appPath, readStreamName(name).path);
  return path.ok && pathOf(path.target) === pathOf(target);
}

/** What a log may tell of a question as it arrived (RTMP-03, RTMP-63): which names and lengths, never a value. */
export function arrivalOf(asked: Asked, connect: ConnectFields, name: string | undefined): LogFields {
  return {
    note: 'arrived',
    action: asked.request.action,
    app: connect.appPath,
    tcUrlHost: connect.tcUrlHost,
    nameLength: name?.length,
    parameters: asked.parameterNames,
    flashVer: connect.flashVer,
  };
}

/** What to tell the operator when the client may have cut the token off; undefined when nothing points to it. */
export function cutOffHint(
  connect: ConnectFields,
  name: string | undefined,
  credential: Credential | undefined,
): string | undefined {
  return truncationHint(connect.app, connect.tcUrl, name, credential?.token);
}

interface Told {
  readonly path: PathResult;
  readonly merged: MergedCredentials;
  readonly refused: Rejection | undefined;
  readonly parameterNames: readonly string[];
}

/** What cannot be taken is refused without a credential: nobody has to be sure which token was meant. */
function ask(sessionId: string, asker: Asker, action: Action, told: Told): Asked {
  const { path, merged, parameterNames } = told;
  const rejection =
    told.refused ??
    (merged.ok ? undefined : merged.rejection) ??
    (path.ok ? undefined : reject('path-invalid', path.detail));
  const credential = told.refused === undefined && merged.ok ? merged.credential : undefined;
  const request = makeRequest(sessionId, asker, action, path.ok ? path.target : NOWHERE, credential);
  return { request, parameterNames, ...(rejection === undefined ? {} : { rejection }) };
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
