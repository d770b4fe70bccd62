import { isUtf8 } from 'node:buffer';
import { WireError } from '../../../model/errors.js';
import { ByteReader } from '../../../wire/byte-reader.js';

/** What one AMF payload may cost; the sender sets none of it. */
export interface AmfLimits {
  /** How deep objects and arrays may nest. */
  readonly maxDepth: number;
  /** Values of one payload, those inside of others included. */
  readonly maxValues: number;
  /** Bytes of one string, property name or byte array. */
  readonly maxStringBytes: number;
}

/** Enough for a connect with a token of 8 kB and every E-RTMP field. */
export const AMF_LIMITS: AmfLimits = { maxDepth: 16, maxValues: 1024, maxStringBytes: 16 * 1024 };

/** Any value AMF0 can say, and of AMF3 what commands use. Never log one whole: its strings may hold tokens. */
export type AmfValue =
  | number
  | boolean
  | string
  | null
  | undefined
  | AmfObject
  | AmfEcmaArray
  | AmfStrictArray
  | AmfDate
  | AmfXml
  | AmfByteArray
  | AmfReference
  | AmfUnsupported;

/** Properties by name, in the order received. A Map, so a property called `__proto__` is a name like any other. */
export type AmfFields = ReadonlyMap<string, AmfValue>;

/** An object; `className` is set on typed objects only. */
export interface AmfObject {
  readonly kind: 'object';
  readonly fields: AmfFields;
  readonly className?: string;
}

/** An array with names instead of numbers. */
export interface AmfEcmaArray {
  readonly kind: 'ecma-array';
  readonly fields: AmfFields;
}

/** An array with ordinals. */
export interface AmfStrictArray {
  readonly kind: 'strict-array';
  readonly items: readonly AmfValue[];
}

/** A point in time: milliseconds since 1970, and the zone field as it came (minutes; to be ignored). */
export interface AmfDate {
  readonly kind: 'date';
  readonly milliseconds: number;
  readonly zone: number;
}

/** An XML document, unread. */
export interface AmfXml {
  readonly kind: 'xml';
  readonly text: string;
}

/** AMF3 only: bytes. */
export interface AmfByteArray {
  readonly kind: 'byte-array';
  readonly bytes: Buffer;
}

/** Points at an earlier object of the same payload. Left unresolved, so that values are trees and cannot be blown up. */
export interface AmfReference {
  readonly kind: 'reference';
  readonly index: number;
}

/** The sender had something AMF0 has no form for. */
export interface AmfUnsupported {
  readonly kind: 'unsupported';
}

const NO_FIELDS: AmfFields = new Map();

/** An object out of a record's own properties. */
export function amfObject(fields: Readonly<Record<string, AmfValue>>): AmfObject {
  return { kind: 'object', fields: new Map(Object.entries(fields)) };
}

/** The properties of an object or ecma array; of anything else none. */
export function fieldsOf(value: AmfValue): AmfFields {
  if (typeof value !== 'object' || value === null) return NO_FIELDS;
  return value.kind === 'object' || value.kind === 'ecma-array' ? value.fields : NO_FIELDS;
}

/** One payload while it is read: where the reader stands, and what has been spent of the limits. */
export class AmfInput {
  readonly reader: ByteReader;
  readonly limits: AmfLimits;
  #values = 0;

  /** Starts at the first of `bytes`. */
  constructor(bytes: Buffer, limits: AmfLimits) {
    this.reader = new ByteReader(bytes, 'amf-truncated');
    this.limits = limits;
  }

  /** Counts one value at `depth`. Throws WireError `amf-too-deep`, `amf-too-many-values`. */
  spend(depth: number): void {
    if (depth > this.limits.maxDepth) throw this.error('amf-too-deep', `at most ${this.limits.maxDepth} levels`);
    this.#values += 1;
    if (this.#values > this.limits.maxValues) {
      throw this.error('amf-too-many-values', `at most ${this.limits.maxValues} values`);
    }
  }

  /** The next `size` bytes. Throws WireError `amf-string-too-long`, `amf-truncated`. */
  bytes(size: number): Buffer {
    if (size > this.limits.maxStringBytes) {
      throw this.error('amf-string-too-long', `at most ${this.limits.maxStringBytes} bytes`);
    }
    return this.reader.take(size);
  }

  /**
   * The next `size` bytes as text. Text that is not UTF-8 is refused, not mended: two names must not become one.
   * Throws WireError `amf-string-too-long`, `amf-not-utf8`, `amf-truncated`.
   */
  text(size: number): string {
    const bytes = this.bytes(size);
    if (!isUtf8(bytes)) throw this.error('amf-not-utf8', 'a string in UTF-8');
    return bytes.toString('utf8');
  }

  /** An error at the place where the reader stands. */
  error(code: string, expected: string): WireError {
    return new WireError(code, expected, this.reader.offset);
  }
}
