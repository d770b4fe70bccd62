import { existsSync } from 'node:fs';
import { main } from './gateway.js';
import { start, type Program } from './program.js';

/** A running `portcullis dev`, known only by what it prints. */
export interface Dev {
  readonly program: Program;
  /** `rtmp://HOST:PORT/live` */
  readonly server: string;
  readonly publisherToken: string;
  readonly viewerToken: string;
  /** The commands to paste, as printed. */
  readonly commands: readonly string[];
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Leaves all ports to the system. */
export const ANY_PORTS: readonly string[] = ['rtmp', 'rtsp', 'http', 'media', 'admin'].flatMap((name) => [
  `--${name}-port`,
  '0',
]);

/** Starts `portcullis dev` and reads its banner. */
export async function startDev(args: readonly string[] = ANY_PORTS): Promise<Dev> {
  if (!existsSync(main)) throw new Error('dist/main.js is missing: run npm run build');
  const program = start(process.execPath, [main, 'dev', ...args], { timeoutMs: 300_000 });
  const banner = await program.says(/See a refusal[^]*?\n {2}ffmpeg [^\n]*\n/);
  const text = program.stdout.slice(0, banner.index + banner[0].length);
  const server = /Server +(rtmp:\S+)/.exec(text)?.[1] ?? '';
  const publisherToken = /Stream Key +\w+\?token=(\S+)/.exec(text)?.[1] ?? '';
  const viewerToken = /ffplay .*\?token=([^"]+)"/.exec(text)?.[1] ?? '';
  return {
    program,
    server,
    publisherToken,
    viewerToken,
    commands: [...text.matchAll(/^ {2}(ff(?:mpeg|play) .*)$/gm)].map(([, command]) => command ?? ''),
    stop: async (signal = 'SIGINT') => (await program.stop(signal, 10_000)).code,
  };
}
