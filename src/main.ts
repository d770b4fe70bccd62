#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createLastWords } from './cli/crash.js';
import { systemIo } from './cli/system-io.js';
import { runCli } from './cli/run.js';

const lastWords = createLastWords();

/** A bug, not a case of use: the state is unknown, so the process ends. */
function die(error: unknown): void {
  process.stderr.write(lastWords.crash(error));
  process.exit(1);
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);
// Node writes warnings as they are, and a module may have put a token into one. None is heard with --no-warnings.
if (process.listenerCount('warning') > 0) {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => process.stderr.write(lastWords.warning(warning)));
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const code = await runCli(
  process.argv.slice(2),
  systemIo(version, (secrets) => lastWords.hide(secrets)),
);
// What was written to a pipe is still on its way: exit when it has arrived, and not later than that.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
