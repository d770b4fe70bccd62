import { pathOf, type Credential, type StreamTarget } from '../../model/request.js';
import type { LogFields } from '../../model/telemetry.js';
import type { Action } from '../../model/transport.js';
import { makeQuestion, type Asked, type Told } from '../../wire/question.js';
import { mergeCredentials, readStreamName, targetOf, truncationHint, type ConnectFields } from './credential.js';
import type { AmfValue } from './wire/amf-value.js';

/** Who asks: what does not change between the questions of one connection. */
export interface Asker {
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly connect: ConnectFields;
}

/** A question, and what it was read from. */
export interface StreamAsked extends Asked {
  /** Of all queries seen so far, without values. */
  readonly parameterNames: readonly string[];
}

/** Makes the question of a connect command. */
export function askConnect(sessionId: string, asker: Asker): StreamAsked {
  const { connect } = asker;
  return ask(sessionId, asker, 'connect', {
    path: targetOf(connect.appPath, null),
    merged: mergeCredentials(connect.credentials, []),
    refused: connect.refused,
    parameterNames: connect.parameterNames,
  });
}

/** Makes the question of a publish or play command: its name completes the path and may bring the token. */
export function askStream(
  sessionId: string,
  asker: Asker,
  action: 'publish' | 'subscribe',
  name: AmfValue,
): StreamAsked {
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
export function arrivalOf(asked: StreamAsked, connect: ConnectFields, name: string | undefined): LogFields {
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

function ask(
  sessionId: string,
  asker: Asker,
  action: Action,
  told: Told & Pick<StreamAsked, 'parameterNames'>,
): StreamAsked {
  const { remoteAddress, secure } = asker;
  const asked = makeQuestion({ sessionId, transport: 'RTMP', remoteAddress, secure }, action, told);
  return { ...asked, parameterNames: told.parameterNames };
}
