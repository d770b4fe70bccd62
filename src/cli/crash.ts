import { redact } from '../telemetry/redact.js';

/** Frames of a stack that are told. */
const MAX_FRAMES = 12;

/** Causes that are followed. */
const MAX_CAUSES = 4;

/**
 * What is written before the process ends by something that nobody caught: what it was, its causes, and where it came from, without
 * anything that is shaped like a token. Takes whatever was thrown. Never throws.
 */
export function crashText(thrown: unknown): string {
  const lines: string[] = [];
  let one = thrown;
  for (let depth = 0; depth < MAX_CAUSES && (depth === 0 || one !== undefined); depth += 1) {
    lines.push(`${depth === 0 ? 'portcullis: unexpected' : '  because of'}: ${messageOf(one)}`);
    lines.push(...framesOf(one));
    one = propertyOf(one, 'cause');
  }
  return `${lines.join('\n')}\n`;
}

/** What is written of a warning of Node or of a module, in one line. Never throws. */
export function warningText(warning: unknown): string {
  const name = propertyOf(warning, 'name');
  return `portcullis: ${typeof name === 'string' ? redact(name) : 'Warning'}: ${messageOf(warning)}\n`;
}

function messageOf(thrown: unknown): string {
  const message = propertyOf(thrown, 'message');
  if (typeof message === 'string') return redact(message);
  switch (typeof thrown) {
    case 'string':
      return redact(thrown);
    case 'object':
    case 'function':
      // What an object has to say of itself could be anything, and is rarely of use.
      return 'something that is no error was thrown';
    default:
      return redact(String(thrown));
  }
}

/** Only where it was: the head of a stack repeats the message, which may have lines of its own. */
function framesOf(thrown: unknown): readonly string[] {
  const stack = propertyOf(thrown, 'stack');
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .filter((line) => /^\s{4}at \S/.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => `    ${redact(line.trim())}`);
}

function propertyOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}
