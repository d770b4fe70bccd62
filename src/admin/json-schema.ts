import { WireError } from '../model/errors.js';
import { addressMatcher } from '../wire/cidr.js';

/** The part of JSON Schema 2020-12 that bodies and answers are described with. */
export type JsonSchema =
  | {
      readonly type: 'string';
      readonly enum?: readonly string[];
      readonly maxLength?: number;
      readonly minLength?: number;
      /** `ip-network`: an address, or a network such as `203.0.113.0/24`. */
      readonly format?: 'ip-network';
    }
  | { readonly type: 'number' | 'integer'; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'array'; readonly items: JsonSchema; readonly maxItems?: number }
  | ObjectSchema
  | { readonly oneOf: readonly JsonSchema[] }
  /** Anything. */
  | { readonly description: string };

/** An object; what it does not list it may not have. */
export interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** Describes an object by its properties; names that end in `?` may be absent. */
export function object(properties: Readonly<Record<string, JsonSchema>>): ObjectSchema {
  const entries = Object.entries(properties);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith('?')),
    additionalProperties: false,
  };
}

/** Describes a list. */
export function listOf(items: JsonSchema, maxItems?: number): JsonSchema {
  return { type: 'array', items, ...(maxItems !== undefined && { maxItems }) };
}

/** Describes one of some words. */
export function oneOfWords(...words: readonly string[]): JsonSchema {
  return { type: 'string', enum: words };
}

/** What is wrong with a value, with the place as a path; undefined when it fits. Shows nothing of the value. */
export function faultIn(schema: JsonSchema, value: unknown, place = ''): string | undefined {
  const at = place === '' ? 'the body' : place;
  if ('oneOf' in schema) {
    return schema.oneOf.some((one) => faultIn(one, value, place) === undefined)
      ? undefined
      : `${at} fits none of its forms`;
  }
  if (!('type' in schema)) return undefined;
  switch (schema.type) {
    case 'string':
      return stringFault(schema, value, at);
    case 'integer':
    case 'number': {
      if (typeof value !== 'number' || !Number.isFinite(value)) return `${at} is no number`;
      if (schema.type === 'integer' && !Number.isSafeInteger(value)) return `${at} is no whole number`;
      const isInside = value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
      return isInside ? undefined : `${at} is out of range`;
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `${at} is neither true nor false`;
    case 'array': {
      if (!Array.isArray(value)) return `${at} is no list`;
      if (value.length > (schema.maxItems ?? Infinity)) return `${at} is too long`;
      return firstFault(value.map((one, index) => [schema.items, one, `${place}[${index}]`]));
    }
    case 'object':
      return objectFault(schema, value, place, at);
  }
}

function stringFault(schema: Extract<JsonSchema, { type: 'string' }>, value: unknown, at: string): string | undefined {
  if (typeof value !== 'string') return `${at} is no text`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${at} is none of ${schema.enum.join(', ')}`;
  if (value.length > (schema.maxLength ?? Infinity)) return `${at} is too long`;
  if (value.length < (schema.minLength ?? 0)) return `${at} is empty`;
  return schema.format === undefined ? undefined : networkFault(value, at);
}

function networkFault(value: string, at: string): string | undefined {
  try {
    addressMatcher(value);
    return undefined;
  } catch (error) {
    if (error instanceof WireError)
      return `${at} is no address and no network; expected ${error.message.slice(error.message.indexOf(': ') + 2)}`;
    throw error;
  }
}

function objectFault(schema: ObjectSchema, value: unknown, place: string, at: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at} is no object`;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  const missing = schema.required.find((name) => !has(name));
  if (missing !== undefined) return `${at} has no ${missing}`;
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  if (entries.some(([name]) => !Object.hasOwn(schema.properties, name))) {
    return `${at} has a key besides ${Object.keys(schema.properties).join(', ')}`;
  }
  return firstFault(
    entries.map(([name, one]) => [
      schema.properties[name] ?? { description: '' },
      one,
      place === '' ? name : `${place}.${name}`,
    ]),
  );
}

function firstFault(parts: readonly (readonly [JsonSchema, unknown, string])[]): string | undefined {
  for (const part of parts) {
    const fault = faultIn(...part);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
