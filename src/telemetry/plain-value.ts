import { Secret } from '../model/secret.js';
import { redact } from './redact.js';

/** Bounds of one field: deeper, longer or wider is cut. */
const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;

/** A value that JSON can hold. */
export type PlainValue =
  string | number | boolean | null | readonly PlainValue[] | { readonly [key: string]: PlainValue };

/** Makes a text fit for the log. */
type CleanText = (text: string) => string;

/**
 * Makes any value fit for a log line: bounded, without secrets, without anything that JSON cannot hold.
 * Undefined and functions are left out (undefined comes back). Never throws, whatever getters do. `clean`: what is done to
 * each text, key and message.
 */
export function plainValue(value: unknown, depth = 0, clean: CleanText = redact): PlainValue | undefined {
  switch (typeof value) {
    case 'string':
      return clean(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return value.toString().slice(0, 100);
    case 'symbol':
      return clean(String(value));
    case 'object':
      return value === null ? null : attempt(() => plainObject(value, depth, clean));
    default:
      return undefined;
  }
}

function plainObject(value: object, depth: number, clean: CleanText): PlainValue {
  if (value instanceof Secret) return value.toString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (value instanceof Error) return plainError(value, depth, clean);
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, MAX_ENTRIES).map((entry) => plainValue(entry, depth + 1, clean) ?? null);
  }
  const entries = value instanceof Map ? [...value] : Object.keys(value).map((key) => [key, value] as const);
  const plain: Record<string, PlainValue> = {};
  for (const [rawKey, holder] of entries.slice(0, MAX_ENTRIES) as readonly (readonly [unknown, unknown])[]) {
    const entry =
      value instanceof Map ? holder : attempt(() => (value as Readonly<Record<string, unknown>>)[String(rawKey)]);
    const one = plainValue(entry, depth + 1, clean);
    if (one === undefined) continue;
    const key = clean(String(rawKey));
    // `__proto__` as a key must stay a key.
    if (key === '__proto__') Object.defineProperty(plain, key, { value: one, enumerable: true });
    else plain[key] = one;
  }
  return plain;
}

function plainError(error: Error, depth: number, clean: CleanText): PlainValue {
  const code = attempt(() => (error as { readonly code?: unknown }).code);
  const cause = attempt(() => error.cause);
  return {
    name: clean(attempt(() => error.name)),
    ...(typeof code === 'string' || typeof code === 'number' ? { code: clean(String(code)) } : {}),
    message: clean(attempt(() => error.message)),
    ...(cause instanceof Error ? { cause: plainValue(cause, depth + 1, clean) ?? null } : {}),
  };
}

function attempt<T>(read: () => T): T | string {
  try {
    return read();
  } catch {
    return '[unreadable]';
  }
}
