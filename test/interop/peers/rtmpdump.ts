import { statSync } from 'node:fs';
import { start, type Ended, type Program } from './program.js';

/** Records a live stream with rtmpdump until it is stopped; its own `--stop` counts from the clock of the stream. */
export function rtmpdump(url: string, file: string, args: readonly string[] = []): Program {
  return start('rtmpdump', ['--live', '--rtmp', url, '--flv', file, ...args]);
}

/** Waits until the file has grown to `bytes`, then ends the recorder. */
export async function recorded(program: Program, file: string, bytes: number): Promise<Ended> {
  // It reports its progress, so there is output to wait on for every step of growth.
  await program.until(`${bytes} bytes`, () => (sizeOf(file) >= bytes ? true : undefined), 30_000);
  return program.stop('SIGINT');
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
