import { WireError } from '../../../model/errors.js';
import { AMF_LIMITS, AmfInput, type AmfFields, type AmfLimits, type AmfValue } from './amf-value.js';

export { amfObject, fieldsOf, type AmfValue } from './amf-value.js';

const MARKER = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  reference: 7,
  ecmaArray: 8,
  objectEnd: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  unsupported: 13,
  xml: 15,
  typedObject: 16,
  amf3: 17,
} as const;

const MAX_SHORT_BYTES = 0xffff;

/** Reads the AMF3 value behind marker 17. */
export type ReadAmf3 = (input: AmfInput, depth: number) => AmfValue;

/**
 * Reads every value of an AMF0 payload.
 *
 * Strings must be UTF-8. Counts that the sender states are never believed: memory grows with bytes that are there.
 * Throws WireError `amf-truncated`, `amf-marker` (no such type, or AMF3), `amf-object-end` (marker 9 in the place of a
 * value), `amf-too-deep`, `amf-too-many-values`, `amf-string-too-long`, `amf-not-utf8`.
 * @see Action Message Format AMF 0, §2
 * @example readAmf0(writeAmf0('publish', 5)) // ['publish', 5]
 */
export function readAmf0(bytes: Buffer, limits: AmfLimits = AMF_LIMITS): AmfValue[] {
  return readAmf0Values(new AmfInput(bytes, limits), refuseAmf3);
}

/** Reads the values that are left of `input`; `readAmf3` takes over behind marker 17. Errors as readAmf0. */
export function readAmf0Values(input: AmfInput, readAmf3: ReadAmf3): AmfValue[] {
  const values: AmfValue[] = [];
  while (input.reader.remaining > 0) values.push(readValue(input, readAmf3, 0));
  return values;
}

function refuseAmf3(input: AmfInput): AmfValue {
  throw input.error('amf-marker', 'an AMF0 value');
}

function readValue(input: AmfInput, readAmf3: ReadAmf3, depth: number): AmfValue {
  input.spend(depth);
  const { reader } = input;
  const marker = reader.u8();
  switch (marker) {
    case MARKER.number:
      return reader.f64();
    case MARKER.boolean:
      return reader.u8() !== 0;
    case MARKER.string:
      return input.text(reader.u16());
    case MARKER.longString:
      return input.text(reader.u32());
    case MARKER.null:
      return null;
    case MARKER.undefined:
      return undefined;
    case MARKER.unsupported:
      return { kind: 'unsupported' };
    case MARKER.reference:
      return { kind: 'reference', index: reader.u16() };
    case MARKER.date:
      return { kind: 'date', milliseconds: reader.f64(), zone: reader.i16() };
    case MARKER.xml:
      return { kind: 'xml', text: input.text(reader.u32()) };
    case MARKER.amf3:
      return readAmf3(input, depth);
    default:
      return readContainer(input, readAmf3, marker, depth);
  }
}

function readContainer(input: AmfInput, readAmf3: ReadAmf3, marker: number, depth: number): AmfValue {
  switch (marker) {
    case MARKER.object:
      return { kind: 'object', fields: readFields(input, readAmf3, depth) };
    case MARKER.typedObject: {
      const className = input.text(input.reader.u16());
      return { kind: 'object', fields: readFields(input, readAmf3, depth), className };
    }
    case MARKER.ecmaArray:
      // The count is only a hint (encoders write 0 or too many); the end marker rules.
      input.reader.u32();
      return { kind: 'ecma-array', fields: readFields(input, readAmf3, depth) };
    case MARKER.strictArray: {
      const items: AmfValue[] = [];
      for (let left = input.reader.u32(); left > 0; left -= 1) items.push(readValue(input, readAmf3, depth + 1));
      return { kind: 'strict-array', items };
    }
    case MARKER.objectEnd:
      throw input.error('amf-object-end', 'a value, not the end of an object');
    default:
      throw input.error('amf-marker', 'a type of AMF0');
  }
}

function readFields(input: AmfInput, readAmf3: ReadAmf3, depth: number): AmfFields {
  const fields = new Map<string, AmfValue>();
  for (;;) {
    const name = input.text(input.reader.u16());
    if (name === '' && input.reader.peek() === MARKER.objectEnd) {
      input.reader.u8();
      return fields;
    }
    fields.set(name, readValue(input, readAmf3, depth + 1));
  }
}

/**
 * Writes values one behind the other in AMF0. A string of more than 65535 bytes becomes a long string; a byte array,
 * for which AMF0 has no form, becomes `unsupported`. Throws WireError `amf-name-too-long` (over 65535 bytes).
 * @see Action Message Format AMF 0, §2
 */
export function writeAmf0(...values: readonly AmfValue[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) writeValue(parts, value);
  return Buffer.concat(parts);
}

function writeValue(parts: Buffer[], value: AmfValue): void {
  switch (typeof value) {
    case 'number':
      parts.push(marked(MARKER.number, 8, (bytes) => bytes.writeDoubleBE(value, 1)));
      return;
    case 'boolean':
      parts.push(Buffer.from([MARKER.boolean, value ? 1 : 0]));
      return;
    case 'string':
      writeString(parts, value);
      return;
    case 'undefined':
      parts.push(Buffer.from([MARKER.undefined]));
      return;
    default:
      if (value === null) parts.push(Buffer.from([MARKER.null]));
      else writeStructure(parts, value);
  }
}

function writeStructure(parts: Buffer[], value: Exclude<AmfValue, number | boolean | string | null | undefined>): void {
  switch (value.kind) {
    case 'object':
      if (value.className === undefined) parts.push(Buffer.from([MARKER.object]));
      else parts.push(Buffer.from([MARKER.typedObject]), shortText(value.className));
      writeFields(parts, value.fields);
      return;
    case 'ecma-array':
      parts.push(marked(MARKER.ecmaArray, 4, (bytes) => bytes.writeUInt32BE(value.fields.size, 1)));
      writeFields(parts, value.fields);
      return;
    case 'strict-array':
      parts.push(marked(MARKER.strictArray, 4, (bytes) => bytes.writeUInt32BE(value.items.length, 1)));
      for (const item of value.items) writeValue(parts, item);
      return;
    case 'date':
      parts.push(
        marked(MARKER.date, 10, (bytes) => {
          bytes.writeDoubleBE(value.milliseconds, 1);
          bytes.writeInt16BE(value.zone, 9);
        }),
      );
      return;
    case 'xml':
      parts.push(longText(MARKER.xml, Buffer.from(value.text)));
      return;
    case 'reference':
      parts.push(marked(MARKER.reference, 2, (bytes) => bytes.writeUInt16BE(value.index, 1)));
      return;
    case 'byte-array':
    case 'unsupported':
      parts.push(Buffer.from([MARKER.unsupported]));
      return;
  }
}

function writeFields(parts: Buffer[], fields: AmfFields): void {
  for (const [name, value] of fields) {
    parts.push(shortText(name));
    writeValue(parts, value);
  }
  parts.push(Buffer.from([0, 0, MARKER.objectEnd]));
}

function writeString(parts: Buffer[], text: string): void {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_SHORT_BYTES) parts.push(longText(MARKER.longString, bytes));
  else parts.push(Buffer.from([MARKER.string]), shortText(text));
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_SHORT_BYTES) throw new WireError('amf-name-too-long', `at most ${MAX_SHORT_BYTES} bytes`);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function longText(marker: number, bytes: Buffer): Buffer {
  return Buffer.concat([marked(marker, 4, (head) => head.writeUInt32BE(bytes.length, 1)), bytes]);
}

function marked(marker: number, size: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = marker;
  fill(bytes);
  return bytes;
}
