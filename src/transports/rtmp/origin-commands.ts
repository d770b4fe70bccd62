import type { OriginChoice } from '../../model/leg.js';
import type { ConnectFields } from './credential.js';
import { amfObject, fieldsOf, type AmfValue } from './wire/amf-value.js';
import { writeCommand, type Command } from './wire/command.js';
import { COMMAND_CHUNK_STREAM, MESSAGE, type Message } from './wire/message.js';

/** Enhanced RTMP fields by the specification's names. @see Enhanced RTMP v2, NetConnection connect Command */
export type EnhancedFields = Readonly<Record<string, AmfValue>>;

const ENHANCED_NAMES = ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'] as const;
/** Reconnect requests are not passed on, so neither side may count on them. */
const CAPS_RECONNECT = 1;

/** A command of the gateway's own to an origin. */
export function originCommand(
  streamId: number,
  name: string,
  transactionId: number,
  ...args: readonly AmfValue[]
): Message {
  return {
    chunkStreamId: COMMAND_CHUNK_STREAM,
    timestamp: 0,
    type: MESSAGE.commandAmf0,
    streamId,
    payload: writeCommand(name, transactionId, null, ...args),
  };
}

/**
 * The connect command for an origin. Everything in it is rebuilt: app and tcUrl are the origin's own, credentials are those of the
 * config, Enhanced RTMP fields are the client's known ones.
 */
export function connectCommand(origin: OriginChoice, connect: ConnectFields, kind: 'publish' | 'play'): Message {
  const { placement, pairs } = origin.credentials;
  const query =
    placement === 'query' && pairs.length > 0
      ? `?${pairs.map(([name, value]) => `${name}=${value.reveal()}`).join('&')}`
      : '';
  const app = `${origin.app}${query}`;
  const host = origin.host.includes(':') ? `[${origin.host}]` : origin.host;
  const tcUrl = `${origin.secure ? 'rtmps' : 'rtmp'}://${host}:${origin.port}/${app}`;
  const player =
    kind === 'play' ? { fpad: false, capabilities: 15, audioCodecs: 4071, videoCodecs: 252, videoFunction: 1 } : {};
  const object = amfObject({
    app,
    type: 'nonprivate',
    flashVer: connect.flashVer ?? 'FMLE/3.0 (compatible; Portcullis)',
    tcUrl,
    ...player,
    ...knownEnhanced(new Map(Object.entries(connect.enhanced))),
  });
  const args = placement === 'arguments' ? pairs.map(([, value]) => value.reveal()) : [];
  return {
    chunkStreamId: COMMAND_CHUNK_STREAM,
    timestamp: 0,
    type: MESSAGE.commandAmf0,
    streamId: 0,
    payload: writeCommand('connect', 1, object, ...args),
  };
}

/** What a connect answer says of Enhanced RTMP, in either of its objects. Red5 writes `CapsEx`. */
export function enhancedFields(answer: Command): EnhancedFields {
  return { ...knownEnhanced(fieldsOf(answer.object)), ...knownEnhanced(fieldsOf(answer.args[0])) };
}

/** The `code` (or another text) of the information object, cut to harmless characters; `none` when there is none. */
export function infoCode(command: Command, field = 'code'): string {
  const code = fieldsOf(command.args[0]).get(field);
  return typeof code === 'string' ? code.replace(/[^\w.]/g, '').slice(0, 64) : 'none';
}

function knownEnhanced(fields: ReadonlyMap<string, AmfValue>): EnhancedFields {
  const known: Record<string, AmfValue> = {};
  for (const name of ENHANCED_NAMES) {
    const value = fields.get(name) ?? (name === 'capsEx' ? fields.get('CapsEx') : undefined);
    if (value === undefined || value === null) continue;
    known[name] = name === 'capsEx' && typeof value === 'number' ? value & ~CAPS_RECONNECT : value;
  }
  return known;
}
