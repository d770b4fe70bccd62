#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { systemIo } from './cli/system-io.js';
import { runCli } from './cli/run.js';
import { redact } from './telemetry/redact.js';

/** A bug, not a case of use: the state is unknown, so the process ends, in one line. */
function die(error: unknown): void {
  process.stderr.write(`portcullis: unexpected: ${redact(error instanceof Error ? error.message : String(error))}\n`);
  process.exit(1);
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const code = await runCli(process.argv.slice(2), systemIo(version));
// What was written to a pipe is still on its way: exit when it has arrived, and not later than that.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
