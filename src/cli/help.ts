import type { FlagSpecs } from './arguments.js';
import { CHECK_FLAGS, DEV_FLAGS, DOCTOR_FLAGS, MINT_FLAGS, SERVE_FLAGS, WHY_FLAGS } from './flags.js';

/** What there is to say of a command. */
interface Topic {
  readonly usage: string;
  readonly summary: string;
  readonly flags: FlagSpecs;
  readonly details: string;
}

/** Every command, in the order of the help; a command of two words has both in its name. */
const TOPICS = {
  serve: {
    usage: 'portcullis serve --config FILE [--no-watch]',
    summary: 'Run the gateway.',
    flags: SERVE_FLAGS,
    details: `Writes one line an event to standard output. SIGTERM or SIGINT: no new streams, running ones get
limits.drainTimeoutSeconds, then it ends; a second one ends it now. SIGHUP, or a change of the config file, reads
the config again: it holds for new streams, running ones are left alone, and a bad one is told and changes nothing.
Every key of the config can also come
from the environment: PORTCULLIS_LISTEN__RTMP__PORT=1936 sets listen.rtmp.port.`,
  },
  dev: {
    usage: 'portcullis dev [flags]',
    summary: 'Try it: no config, loopback only, an origin of its own, a fresh secret.',
    flags: DEV_FLAGS,
    details: `Prints ready commands for ffmpeg, ffplay, OBS and a browser with tokens that are good for this run, and where
the dashboard is. Ctrl-C ends it.`,
  },
  check: {
    usage: 'portcullis check --config FILE [--full]',
    summary: 'Look a config over without starting anything.',
    flags: CHECK_FLAGS,
    details: 'Reads everything that serve would read, files and variables too, and tells all faults and warnings.',
  },
  doctor: {
    usage: 'portcullis doctor [--config FILE] [--running] [--json]',
    summary: 'Look around: ports, certificates, clock, secrets, origins, UDP; tells what to do.',
    flags: DOCTOR_FLAGS,
    details: `Starts no gateway: it takes each port for a moment, and asks each origin and server once by its own protocol, without
a token. Each thing that is not fine comes with what to do. Exit code 1 if anything is a FAULT.
Run it as the user, and on the machine, that the gateway runs on.`,
  },
  'token mint': {
    usage: 'portcullis token mint --config FILE [flags]',
    summary: 'Make a token with a key of the config.',
    flags: MINT_FLAGS,
    details: `The token goes to standard output, everything else to standard error:
  TOKEN=$(portcullis token mint --config gateway.yaml --role publisher --room room1 --ttl 10m)`,
  },
  'token why': {
    usage: 'portcullis token why TOKEN --config FILE --action ACTION --path PATH [--transport NAME]',
    summary: 'Tell, claim by claim, why a token is let in or not.',
    flags: WHY_FLAGS,
    details: `TOKEN - reads it from standard input, so that it stays out of the shell's history. Exit code 0: let in, 1: refused.
  portcullis token why - --config gateway.yaml --action publish --path live/room1/cam < token.txt`,
  },
} as const satisfies Readonly<Record<string, Topic>>;

/** The name of a command, both words of it if it has two. */
export type TopicName = keyof typeof TOPICS;

/** All names, for suggestions. */
export const TOPIC_NAMES: readonly TopicName[] = Object.keys(TOPICS) as TopicName[];

const EXIT_CODES = 'Exit codes: 0 fine, 1 failed, 2 usage, 78 bad config.';

/** The help of everything. */
export function overview(): string {
  const width = Math.max(...TOPIC_NAMES.map((name) => name.length));
  const commands = TOPIC_NAMES.map((name) => `  ${name.padEnd(width)}  ${TOPICS[name].summary}`);
  return `Portcullis: a front door for live media that checks tokens before anything else happens.

Usage: portcullis COMMAND [flags]

${commands.join('\n')}

  portcullis COMMAND --help   all about one command
  portcullis --version        the version

${EXIT_CODES}
`;
}

/** The help of one command. */
export function helpOf(name: TopicName): string {
  const { usage, summary, flags, details }: Topic = TOPICS[name];
  const rows = [
    ...Object.entries(flags).map(([flag, { placeholder, help }]) => [`--${flag} ${placeholder ?? ''}`.trim(), help]),
    ['--help', 'This text.'],
  ] as const;
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const lines = rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`);
  return `${summary}\n\nUsage: ${usage}\n\n${lines.join('\n')}\n\n${details}\n\n${EXIT_CODES}\n`;
}

/** Says what is wrong with a command line, in one line, and where to read on. Gives the exit code for it. */
export function usageLine(name: TopicName | undefined, problem: string): string {
  const help = name === undefined ? 'portcullis --help' : `portcullis ${name} --help`;
  return `portcullis: ${problem} (see ${help})\n`;
}
