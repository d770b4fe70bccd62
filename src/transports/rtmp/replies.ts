import type { EndReason } from '../../model/leg.js';
import { REJECTIONS, type Rejection, type RejectionKind } from '../../model/rejection.js';
import type { Action } from '../../model/transport.js';
import { CLIENT_CHUNK_SIZE, WINDOW_BYTES } from './options.js';
import { amfObject, type AmfValue } from './wire/amf-value.js';
import { writeCommand } from './wire/command.js';
import { controlMessage, peerBandwidthMessage, USER_CONTROL, userControlMessage } from './wire/control.js';
import { COMMAND_CHUNK_STREAM, MESSAGE, type Message } from './wire/message.js';

/** What the client asked, as far as an answer must know. */
export interface Question {
  readonly question: Action;
  readonly transactionId: number;
  /** The client's message stream; 0 for connect. */
  readonly streamId: number;
}

type Words = Readonly<Record<RejectionKind, string>>;

/** The RTMP code of each kind of no; `docs/rejections.md` shows the table. */
const REFUSED: Readonly<Record<Action, Words>> = {
  connect: {
    malformed: 'NetConnection.Connect.Rejected',
    unauthenticated: 'NetConnection.Connect.Rejected',
    forbidden: 'NetConnection.Connect.Rejected',
    conflict: 'NetConnection.Connect.Rejected',
    limited: 'NetConnection.Connect.Rejected',
    unavailable: 'NetConnection.Connect.Failed',
  },
  publish: {
    malformed: 'NetStream.Publish.BadName',
    unauthenticated: 'NetStream.Publish.BadName',
    forbidden: 'NetStream.Publish.BadName',
    conflict: 'NetStream.Publish.BadName',
    limited: 'NetStream.Publish.BadName',
    unavailable: 'NetStream.Failed',
  },
  subscribe: {
    malformed: 'NetStream.Failed',
    unauthenticated: 'NetStream.Failed',
    forbidden: 'NetStream.Failed',
    conflict: 'NetStream.Failed',
    limited: 'NetStream.Failed',
    unavailable: 'NetStream.Failed',
  },
};

/**
 * The only place that says no in RTMP: `_error` to a connect, `onStatus` to publish and play, with the stable code and the
 * short reason in the description (ffmpeg prints it). The caller flushes and closes.
 */
export function refusal(asked: Question, rejection: Rejection): readonly Message[] {
  const description = `${rejection.code}: ${REJECTIONS[rejection.code].reason}`;
  if (asked.question === 'connect') {
    const code = rejection.code === 'draining' ? 'NetConnection.Connect.AppShutdown' : REFUSED.connect[rejection.kind];
    const info = amfObject({ level: 'error', code, description, application: description });
    return [command(0, '_error', asked.transactionId, null, info)];
  }
  const code = REFUSED[asked.question][rejection.kind];
  return [status(asked.streamId, 'error', code, description)];
}

/** What a yes needs beside the question. */
export interface Confirmation {
  /** 0 or 3, as the client asked; only connect has it. */
  readonly objectEncoding?: number;
  /** Enhanced RTMP fields of the origin, for a connect that announced some. */
  readonly enhanced?: Readonly<Record<string, AmfValue>>;
}

/** The only place that says yes in RTMP: to a connect, a publish or a play that has been decided. */
export function confirmation(asked: Question, extra: Confirmation = {}): readonly Message[] {
  switch (asked.question) {
    case 'connect':
      return connectConfirmed(asked.transactionId, extra);
    case 'publish':
      return [
        userControlMessage({ event: USER_CONTROL.streamBegin, value: asked.streamId }),
        status(asked.streamId, 'status', 'NetStream.Publish.Start', 'the stream is live'),
      ];
    case 'subscribe':
      return [
        userControlMessage({ event: USER_CONTROL.streamBegin, value: asked.streamId }),
        status(asked.streamId, 'status', 'NetStream.Play.Reset', 'the stream starts anew'),
        status(asked.streamId, 'status', 'NetStream.Play.Start', 'the stream starts'),
      ];
  }
}

function connectConfirmed(transactionId: number, extra: Confirmation): readonly Message[] {
  const properties = amfObject({ fmsVer: 'FMS/3,5,7,7009', capabilities: 31, mode: 1 });
  const info = amfObject({
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'connected',
    objectEncoding: extra.objectEncoding ?? 0,
    ...extra.enhanced,
  });
  return [
    controlMessage(MESSAGE.windowAckSize, WINDOW_BYTES),
    peerBandwidthMessage(WINDOW_BYTES),
    controlMessage(MESSAGE.setChunkSize, CLIENT_CHUNK_SIZE),
    command(0, '_result', transactionId, properties, info),
  ];
}

/** Last words to a client whose stream ended for a reason that is not its own. */
export function farewell(role: 'publisher' | 'subscriber', streamId: number, reason: EndReason): readonly Message[] {
  if (reason === 'draining') {
    const info = amfObject({
      level: 'status',
      code: 'NetConnection.Connect.AppShutdown',
      description: 'the gateway is shutting down',
    });
    return [command(0, 'onStatus', 0, null, info)];
  }
  const description = `${reason}: the stream has ended`;
  if (role === 'publisher') return [status(streamId, 'error', 'NetStream.Failed', description)];
  return [
    status(streamId, 'status', 'NetStream.Play.UnpublishNotify', description),
    userControlMessage({ event: USER_CONTROL.streamEof, value: streamId }),
    status(streamId, 'status', 'NetStream.Play.Stop', description),
  ];
}

/** `_result` of a command that asks for nothing that has to be decided. */
export function commandResult(transactionId: number, ...values: readonly AmfValue[]): Message {
  return command(0, '_result', transactionId, ...values);
}

/** The answer to a command the gateway does not know; it is never passed on. */
export function callFailed(transactionId: number): Message {
  const info = amfObject({
    level: 'error',
    code: 'NetConnection.Call.Failed',
    description: 'the gateway does not pass this command on',
  });
  return command(0, '_error', transactionId, null, info);
}

/** What some appliances wait for after FCPublish, with its transaction id (RTMP-65). It promises nothing: no code. */
export function onFcPublish(transactionId: number): Message {
  return command(0, 'onFCPublish', transactionId, null);
}

function status(streamId: number, level: 'status' | 'error', code: string, description: string): Message {
  return command(streamId, 'onStatus', 0, null, amfObject({ level, code, description }));
}

function command(streamId: number, name: string, transactionId: number, ...values: readonly AmfValue[]): Message {
  const [object, ...args] = values;
  return {
    chunkStreamId: COMMAND_CHUNK_STREAM,
    timestamp: 0,
    type: MESSAGE.commandAmf0,
    streamId,
    payload: writeCommand(name, transactionId, object ?? null, ...args),
  };
}
