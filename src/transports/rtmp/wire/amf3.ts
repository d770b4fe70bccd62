import { readAmf0Values, type ReadAmf3 } from './amf0.js';
import { AMF_LIMITS, AmfInput, type AmfLimits, type AmfValue } from './amf-value.js';

const MARKER = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  double: 5,
  string: 6,
  date: 8,
  array: 9,
  object: 10,
  byteArray: 12,
} as const;

interface Traits {
  readonly className: string;
  readonly dynamic: boolean;
  readonly names: readonly string[];
}

/** The reference tables of one payload. Objects are only counted: a reference to one stays a reference. */
interface Tables {
  readonly strings: string[];
  readonly traits: Traits[];
  objects: number;
}

/**
 * Reads the payload of a type-17 command: one zero byte, then AMF0 values, of which marker 17 switches to AMF3.
 *
 * Integers and doubles become numbers, dense arrays `strict-array`. Errors as readAmf0, and WireError `amf3-lead` (first
 * byte not 0), `amf3-marker` (XML, vectors, dictionaries), `amf3-reference` (to nothing), `amf3-externalizable`,
 * `amf3-associative-array`.
 * @see Action Message Format AMF 3, §3
 */
export function readAmf3Payload(bytes: Buffer, limits: AmfLimits = AMF_LIMITS): AmfValue[] {
  const input = new AmfInput(bytes, limits);
  if (input.reader.u8() !== 0) throw input.error('amf3-lead', 'a zero byte in front of the values');
  return readAmf0Values(input, amf3Reader());
}

/** Reads the payload of a type-20 command: AMF0 values, of which marker 17 may switch to AMF3. Errors as readAmf3Payload. */
export function readMixedAmf(bytes: Buffer, limits: AmfLimits = AMF_LIMITS): AmfValue[] {
  return readAmf0Values(new AmfInput(bytes, limits), amf3Reader());
}

function amf3Reader(): ReadAmf3 {
  const tables: Tables = { strings: [], traits: [], objects: 0 };
  return (input, depth) => readValue(input, tables, depth);
}

function readValue(input: AmfInput, tables: Tables, depth: number): AmfValue {
  input.spend(depth);
  const marker = input.reader.u8();
  switch (marker) {
    case MARKER.undefined:
      return undefined;
    case MARKER.null:
      return null;
    case MARKER.false:
      return false;
    case MARKER.true:
      return true;
    case MARKER.integer: {
      const value = readU29(input);
      return value >= 0x10000000 ? value - 0x20000000 : value;
    }
    case MARKER.double:
      return input.reader.f64();
    case MARKER.string:
      return readString(input, tables);
    case MARKER.date:
    case MARKER.array:
    case MARKER.object:
    case MARKER.byteArray:
      return readReferable(input, tables, marker, depth);
    default:
      throw input.error('amf3-marker', 'a type of AMF3 that commands use');
  }
}

type Referable = typeof MARKER.date | typeof MARKER.array | typeof MARKER.object | typeof MARKER.byteArray;

function readReferable(input: AmfInput, tables: Tables, marker: Referable, depth: number): AmfValue {
  const head = readU29(input);
  const rest = head >>> 1;
  if ((head & 1) === 0) {
    if (rest >= tables.objects) throw input.error('amf3-reference', 'a reference to an earlier object');
    return { kind: 'reference', index: rest };
  }
  tables.objects += 1;
  switch (marker) {
    case MARKER.date:
      return { kind: 'date', milliseconds: input.reader.f64(), zone: 0 };
    case MARKER.byteArray:
      return { kind: 'byte-array', bytes: Buffer.from(input.bytes(rest)) };
    case MARKER.array:
      return readArray(input, tables, rest, depth);
    case MARKER.object:
      return readObject(input, tables, rest, depth);
  }
}

function readArray(input: AmfInput, tables: Tables, size: number, depth: number): AmfValue {
  if (readString(input, tables) !== '') throw input.error('amf3-associative-array', 'a dense array');
  const items: AmfValue[] = [];
  for (let left = size; left > 0; left -= 1) items.push(readValue(input, tables, depth + 1));
  return { kind: 'strict-array', items };
}

function readObject(input: AmfInput, tables: Tables, flags: number, depth: number): AmfValue {
  const traits = readTraits(input, tables, flags);
  const fields = new Map<string, AmfValue>();
  for (const name of traits.names) fields.set(name, readValue(input, tables, depth + 1));
  if (traits.dynamic) {
    for (let name = readString(input, tables); name !== ''; name = readString(input, tables)) {
      fields.set(name, readValue(input, tables, depth + 1));
    }
  }
  return traits.className === '' ? { kind: 'object', fields } : { kind: 'object', fields, className: traits.className };
}

/** `flags` is the object head without its lowest bit. @see AMF 3 §3.12 */
function readTraits(input: AmfInput, tables: Tables, flags: number): Traits {
  if ((flags & 1) === 0) {
    const known = tables.traits[flags >>> 1];
    if (known === undefined) throw input.error('amf3-reference', 'a reference to earlier traits');
    return known;
  }
  if ((flags & 2) !== 0) throw input.error('amf3-externalizable', 'an object that describes itself');
  const count = flags >>> 3;
  if (count > input.limits.maxValues) {
    throw input.error('amf-too-many-values', `at most ${input.limits.maxValues} values`);
  }
  const className = readString(input, tables);
  const names: string[] = [];
  while (names.length < count) names.push(readString(input, tables));
  const traits = { className, dynamic: (flags & 4) !== 0, names };
  tables.traits.push(traits);
  return traits;
}

function readString(input: AmfInput, tables: Tables): string {
  const head = readU29(input);
  if ((head & 1) === 0) {
    const known = tables.strings[head >>> 1];
    if (known === undefined) throw input.error('amf3-reference', 'a reference to an earlier string');
    return known;
  }
  const text = input.text(head >>> 1);
  // AMF 3 §3.8: the empty string is never sent by reference, so it takes no place.
  if (text !== '') tables.strings.push(text);
  return text;
}

/** Seven bits a byte, the fourth byte gives eight. @see AMF 3 §1.3.1 */
function readU29(input: AmfInput): number {
  let value = 0;
  for (let count = 0; count < 3; count += 1) {
    const byte = input.reader.u8();
    value = (value << 7) | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return (value << 8) | input.reader.u8();
}
