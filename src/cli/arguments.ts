import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.js';
import { redact } from '../telemetry/redact.js';

/** One flag of a command. */
export interface FlagSpec {
  /** `text` wants a value behind it, `switch` none. */
  readonly type: 'text' | 'switch';
  /** What the value is called in the help: FILE, PATH. */
  readonly placeholder?: string;
  readonly help: string;
}

/** The flags of a command by name, without dashes. */
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** What the arguments say, or what is wrong with them in one line. */
export type ParsedArguments<Specs extends FlagSpecs> =
  | {
      readonly ok: true;
      readonly flags: { readonly [Name in keyof Specs]?: Specs[Name]['type'] extends 'switch' ? true : string };
      readonly words: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

/** Arguments of a command longer than this are not looked at. */
const MAX_ARGUMENTS = 64;

/**
 * Reads `--flag value`, `--flag=value` and words. Unknown flags are a problem with the nearest known one; so are a flag
 * given twice, a missing and a needless value, and more than `maxWords` words. Problems repeat no token.
 */
export function parseArguments<const Specs extends FlagSpecs>(
  args: readonly string[],
  specs: Specs,
  maxWords = 0,
): ParsedArguments<Specs> {
  if (args.length > MAX_ARGUMENTS) return no('too many arguments');
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type }]) => [name, { type: type === 'text' ? 'string' : 'boolean' } as const]),
  );
  // Not strict, because the messages of the strict mode repeat what was given.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const flags: Record<string, string | true> = {};
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const problem = problemOf(token, specs, flags);
    if (problem !== undefined) return no(problem);
    flags[token.name] = token.value ?? true;
  }
  if (words.length > maxWords) return no(`unexpected argument ${shown(words[maxWords])}`);
  return { ok: true, flags: flags as never, words };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
}

function problemOf({ name, rawName, value }: OptionToken, specs: FlagSpecs, seen: object): string | undefined {
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec === undefined) {
    const found = nearest(name, Object.keys(specs));
    return `unknown flag ${shown(rawName)}${found === undefined ? '' : `; did you mean --${found}?`}`;
  }
  if (Object.hasOwn(seen, name)) return `--${name} is given twice`;
  if (spec.type === 'switch') return value === undefined ? undefined : `--${name} takes no value`;
  // `--config --role x` is a forgotten value, not a file called "--role".
  const isMissing = value === undefined || value === '' || value.startsWith('--');
  return isMissing ? `--${name} needs a value: --${name} ${spec.placeholder ?? 'VALUE'}` : undefined;
}

function shown(word: string | undefined): string {
  const clean = redact(word ?? '');
  return `"${clean.length > 60 ? `${clean.slice(0, 60)}…` : clean}"`;
}

function no(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
