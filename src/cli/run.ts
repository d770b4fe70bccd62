import { nearest } from '../config/nearest.js';
import { redact } from '../telemetry/redact.js';
import { helpOf, overview, TOPIC_NAMES, usageLine, type TopicName } from './help.js';
import { EXIT, type CliIo, type Command } from './io.js';

/** Loaded when called: `token why` need not wait for the gateway's code. */
const COMMANDS: Readonly<Record<TopicName, () => Promise<Command>>> = {
  serve: async () => {
    const [{ runServe }, { startGateway }] = await Promise.all([import('./serve.js'), import('../gateway.js')]);
    return (args, io) => runServe(args, io, startGateway);
  },
  dev: async () => (await import('./dev.js')).runDev,
  check: async () => (await import('./check.js')).runCheck,
  doctor: async () => {
    const { runDoctor } = await import('./doctor.js');
    return (args, io) => runDoctor(args, io);
  },
  'token mint': async () => (await import('./token-mint.js')).runMint,
  'token why': async () => (await import('./token-why.js')).runWhy,
};

/**
 * Runs one command line, without the program's name, and gives the exit code. Never rejects: what is thrown is told in
 * one line.
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const found = findCommand(args);
    if ('text' in found) {
      const text = found.text === '' ? `${io.version}\n` : found.text;
      if (found.code === EXIT.fine) io.stdout(text);
      else io.stderr(text);
      return found.code;
    }
    const run = await COMMANDS[found.name]();
    return await run(found.rest, io);
  } catch (error) {
    io.stderr(`portcullis: ${redact(error instanceof Error ? error.message : String(error))}\n`);
    return EXIT.failed;
  }
}

type Found =
  | { readonly name: TopicName; readonly rest: readonly string[] }
  /** An empty text stands for the version. */
  | { readonly text: string; readonly code: number };

function findCommand(args: readonly string[]): Found {
  const [first, second] = args;
  if (first === undefined) return { text: overview(), code: EXIT.usage };
  if (first === '--version' || first === '-v') return { text: '', code: EXIT.fine };
  if (first === '--help' || first === '-h') return { text: overview(), code: EXIT.fine };
  if (first === 'help')
    return second === undefined ? { text: overview(), code: EXIT.fine } : findCommand([...args.slice(1), '--help']);
  const name = topicOf(first, second);
  if (name === undefined) return unknown(first, second, args.slice(1).some(isHelp));
  const rest = args.slice(name.split(' ').length);
  return rest.some(isHelp) ? { text: helpOf(name), code: EXIT.fine } : { name, rest };
}

function topicOf(first: string, second: string | undefined): TopicName | undefined {
  return TOPIC_NAMES.find((name) => name === first || name === `${first} ${second ?? ''}`);
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function unknown(first: string, second: string | undefined, wantsHelp: boolean): Found {
  const below = TOPIC_NAMES.filter((name) => name.startsWith(`${first} `));
  if (below.length > 0) {
    if (wantsHelp) return { text: below.map(helpOf).join('\n'), code: EXIT.fine };
    const words = below.map((name) => name.slice(first.length + 1));
    // What follows may be a token; it is not repeated.
    const found = second === undefined ? undefined : nearest(second, words);
    const hint = found === undefined ? '' : `; did you mean "${first} ${found}"?`;
    return { text: usageLine(undefined, `${first} what? ${words.join(' or ')}${hint}`), code: EXIT.usage };
  }
  const groups = [...new Set(TOPIC_NAMES.flatMap((name) => [name.split(' ')[0] ?? name]))];
  const found = nearest(first, groups);
  const hint = found === undefined ? '' : `; did you mean "${found}"?`;
  const kind = first.startsWith('-') ? 'flag' : 'command';
  return { text: usageLine(undefined, `unknown ${kind} "${redact(first).slice(0, 60)}"${hint}`), code: EXIT.usage };
}
