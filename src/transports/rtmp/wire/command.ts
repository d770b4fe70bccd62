import { WireError } from '../../../model/errors.js';
import { readAmf3Payload, readMixedAmf } from './amf3.js';
import { writeAmf0 } from './amf0.js';
import { AMF_LIMITS, type AmfLimits, type AmfValue } from './amf-value.js';

/** One remote call: connect, publish, `_result`, `onStatus`, … */
export interface Command {
  readonly name: string;
  /** Finite; 0 wants no answer. */
  readonly transactionId: number;
  /** The command object; null when none was sent. */
  readonly object: AmfValue;
  /** What stands behind the command object. Never log it: connect and publish hold tokens there. */
  readonly args: readonly AmfValue[];
}

/**
 * Reads the payload of a command message: type 20 is AMF0, type 17 a zero byte and AMF0 or AMF3.
 *
 * Throws WireError `command-name` (missing, empty or not a string), `command-transaction` (missing, not a finite number), and those
 * of readAmf3Payload.
 * @see RTMP 1.0 §7.1.1, §7.2
 * @example readCommand(20, writeCommand('createStream', 4, null)).name // 'createStream'
 */
export function readCommand(type: 17 | 20, payload: Buffer, limits: AmfLimits = AMF_LIMITS): Command {
  const values = type === 17 ? readAmf3Payload(payload, limits) : readMixedAmf(payload, limits);
  const [name, transactionId, object = null, ...args] = values;
  if (typeof name !== 'string' || name === '') throw new WireError('command-name', 'a command name as a string');
  if (typeof transactionId !== 'number' || !Number.isFinite(transactionId)) {
    throw new WireError('command-transaction', 'a transaction id as a number');
  }
  return { name, transactionId, object, args };
}

/** The AMF0 payload of a type-20 command message. Throws WireError `amf-name-too-long`. @see RTMP 1.0 §7.2 */
export function writeCommand(
  name: string,
  transactionId: number,
  object: AmfValue,
  ...args: readonly AmfValue[]
): Buffer {
  return writeAmf0(name, transactionId, object, ...args);
}
