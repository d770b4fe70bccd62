import { createHiding } from '../gateway/hiding.js';
import type { Secret } from '../model/secret.js';
import { redact } from '../telemetry/redact.js';

/** Frames of a stack that are told. */
const MAX_FRAMES = 12;

/** Causes that are followed. */
const MAX_CAUSES = 4;

/** What the process says when something goes wrong that nobody looks after. */
export interface LastWords {
  /** Keeps these out of it from now on, in place of those before. */
  hide(secrets: readonly Secret[]): void;
  /** As `crashText`. */
  crash(thrown: unknown): string;
  /** As `warningText`. */
  warning(warning: unknown): string;
}

/** Makes it, with nothing hidden but what is shaped like a token. */
export function createLastWords(): LastWords {
  let clean: Clean = redact;
  return {
    hide(secrets) {
      const hiding = createHiding(secrets);
      clean = (text) => redact(hiding.text(text));
    },
    crash: (thrown) => crashText(thrown, clean),
    warning: (warning) => warningText(warning, clean),
  };
}

type Clean = (text: string) => string;

/**
 * What is written before the process ends by something that nobody caught: what it was, its causes, and where it came from, without
 * anything that is shaped like a token. Takes whatever was thrown. Never throws.
 */
export function crashText(thrown: unknown, clean: Clean = redact): string {
  const lines: string[] = [];
  let one = thrown;
  for (let depth = 0; depth < MAX_CAUSES && (depth === 0 || one !== undefined); depth += 1) {
    lines.push(`${depth === 0 ? 'portcullis: unexpected' : '  because of'}: ${messageOf(one, clean)}`);
    lines.push(...framesOf(one, clean));
    one = propertyOf(one, 'cause');
  }
  return `${lines.join('\n')}\n`;
}

/** What is written of a warning of Node or of a module, in one line. Never throws. */
export function warningText(warning: unknown, clean: Clean = redact): string {
  const name = propertyOf(warning, 'name');
  return `portcullis: ${typeof name === 'string' ? clean(name) : 'Warning'}: ${messageOf(warning, clean)}\n`;
}

function messageOf(thrown: unknown, clean: Clean): string {
  const message = propertyOf(thrown, 'message');
  if (typeof message === 'string') return clean(message);
  switch (typeof thrown) {
    case 'string':
      return clean(thrown);
    case 'object':
    case 'function':
      // What an object has to say of itself could be anything, and is rarely of use.
      return 'something that is no error was thrown';
    default:
      return clean(String(thrown));
  }
}

/** Only where it was: the head of a stack repeats the message, which may have lines of its own. */
function framesOf(thrown: unknown, clean: Clean): readonly string[] {
  const stack = propertyOf(thrown, 'stack');
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .filter((line) => /^\s{4}at \S/.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => `    ${clean(line.trim())}`);
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}
