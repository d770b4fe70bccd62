import { readFileSync } from 'node:fs';
import { systemClock } from '../net/clock.js';
import type { CliIo, CliSignal } from './io.js';

/** The real world for a command. `hide`: keeps secrets out of what is said of a crash. */
export function systemIo(version: string, hide: CliIo['hide']): CliIo {
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that went away (`| head`) is no reason to end with a stack trace.
    stream.on('error', () => undefined);
  }
  return {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    version,
    hide,
    clock: systemClock,
    readFile: (path) => readFileSync(path),
    readStdin,
    onExit: (call) => void process.on('exit', call),
    onSignal: (signal: CliSignal, call) => {
      process.on(signal, call);
      return () => process.off(signal, call);
    },
  };
}

async function readStdin(maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes);
}
