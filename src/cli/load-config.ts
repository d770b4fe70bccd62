import type { Config } from '../config/config.js';
import { PREFIX } from '../config/environment.js';
import { faultLine } from '../config/fault.js';
import { loadConfig, type LoadResult } from '../config/load.js';
import { usageLine, type TopicName } from './help.js';
import { EXIT, type CliIo } from './io.js';
import { checkKeys } from './key-specs.js';

/** The config, or the exit code after everything wrong with it was told. */
export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly code: number };

/** Reads and checks the config; what is wrong with it comes back as faults. */
export function readConfig(file: string | undefined, io: CliIo): LoadResult {
  const { env } = io;
  return loadConfig({
    ...(file !== undefined && { file }),
    env,
    checkKeys,
    readFile: (path) => io.readFile(path),
  });
}

/** Loads the config a command was given; tells faults and, when it fails, warnings on standard error, one a line. */
export function loadConfigFor(command: TopicName, file: string | undefined, io: CliIo): Loaded {
  const isInEnvironment = Object.keys(io.env).some((variable) => variable.startsWith(PREFIX));
  if (file === undefined && !isInEnvironment) {
    io.stderr(usageLine(command, 'which config? give --config FILE'));
    return { ok: false, code: EXIT.usage };
  }
  const result = readConfig(file, io);
  if (result.ok) return result;
  for (const warning of result.warnings) io.stderr(`warning: ${warning}\n`);
  for (const fault of result.faults) io.stderr(`${faultLine(fault)}\n`);
  return { ok: false, code: EXIT.badConfig };
}
