import { Secret } from '../model/secret.js';
import type { PathStep } from './fault.js';
import type { Resolving } from './resolving.js';

/** A value in the options of a module: as the config writes it, but that every text is a `Secret`, since nobody knows which one is. */
export type OptionValue =
  Secret | number | boolean | null | readonly OptionValue[] | { readonly [key: string]: OptionValue };

/** The options of a module, and the texts of them that are secrets beyond doubt. */
export interface ModuleOptions {
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly hidden: readonly Secret[];
}

/** A text of so many characters is kept out of what a module says, also where it stands in the config: it may well be a key. */
export const LONG_OPTION = 16;

/**
 * Reads options: `{env: NAME}` and `{file: PATH}`, where there is nothing else in the braces, stand for the text that is found
 * there. Faults name the place, never a text.
 */
export function resolveOptions(
  path: readonly PathStep[],
  given: Readonly<Record<string, unknown>>,
  to: Resolving,
): ModuleOptions {
  const hidden: Secret[] = [];
  const hide = (secret: Secret | null): Secret | null => {
    if (secret !== null) hidden.push(secret);
    return secret;
  };
  const entries = (value: object, at: readonly PathStep[]): Readonly<Record<string, OptionValue>> =>
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner, [...at, key])]));
  const read = (value: unknown, at: readonly PathStep[]): OptionValue => {
    if (typeof value === 'string') {
      const secret = new Secret(value);
      return value.length < LONG_OPTION ? secret : hide(secret);
    }
    if (Array.isArray(value)) return value.map((inner, index) => read(inner, [...at, index]));
    if (typeof value !== 'object' || value === null) return value as number | boolean | null;
    const ref = referenceIn(value);
    return ref === undefined ? entries(value, at) : hide(to.secret(at, ref));
  };
  return { options: entries(given, path), hidden };
}

function referenceIn(value: object): { readonly env?: string; readonly file?: string } | undefined {
  const [[key, name] = [], ...more] = Object.entries(value) as readonly (readonly [string, unknown])[];
  if ((key !== 'env' && key !== 'file') || typeof name !== 'string' || more.length > 0) return undefined;
  return { [key]: name };
}

/** Options as a module gets them: every text as it is, all of it the module's own copy. */
export function revealOptions(options: ModuleOptions['options']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, revealed(value)]));
}

function revealed(value: OptionValue): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return (value as readonly OptionValue[]).map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return revealOptions(value as ModuleOptions['options']);
}
