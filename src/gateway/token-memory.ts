import type { Config } from '../config/config.js';
import { bytesOrNothing, isSameBytes, watchUntilSettled } from '../config/file-watch.js';
import { readRevocations } from '../config/revocation-file.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { TokenMemory } from '../session/session.js';
import { createRevocations, type Revocation, type Revocations } from '../store/revocations.js';
import { createUsedTokens } from '../store/used-tokens.js';

/** How often the file is looked at. */
const LOOK_MS = 2_000;

/** What the memory is kept with. */
export interface TokenMemoryDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** The bytes of a file; throws the system's error. Absent: no file can be named. */
  readonly readFile?: (path: string) => Buffer;
}

/** Which tokens are revoked and which are used up. It outlives every reload. */
export interface LastingTokenMemory {
  readonly tokens: TokenMemory;
  readonly revocations: Revocations;
  /** Reads the file of a config; what comes back puts it in force. Throws GatewayError `config-revocations`. */
  prepare(config: Config): () => void;
  /** No more looking at the file. */
  stop(): void;
}

/** Makes the memory and puts the file of the first config in force. Throws GatewayError `config-revocations`. */
export function createTokenMemory(first: Config, deps: TokenMemoryDeps): LastingTokenMemory {
  const { clock, metrics, log } = deps;
  let { auth } = first;
  const leewayS = (): number => auth.leewaySeconds;
  const revocations = createRevocations({
    clock,
    maxTokenLifeS: () => auth.maxTtlMinutes * 60 + 2 * leewayS(),
    onSize: (entries) => metrics.gauge('revocations', {}, entries),
  });
  const used = createUsedTokens(clock, leewayS);
  let stopWatching = (): void => undefined;
  const take = (read: Read): void => {
    if ('problem' in read) {
      metrics.gauge('revocations_file_good', {}, 0);
      log.write('error', 'revocations.read', { outcome: 'kept-old', problem: read.problem });
      return;
    }
    revocations.useFile(read.revocations);
    metrics.gauge('revocations_file_good', {}, 1);
    log.write('info', 'revocations.read', { outcome: 'applied', entries: read.revocations.length });
  };
  const watch = (file: string | undefined, first: Buffer | undefined): void => {
    stopWatching();
    const { readFile } = deps;
    if (file === undefined || readFile === undefined) return;
    stopWatching = watchUntilSettled({
      ...{ clock, everyMs: LOOK_MS, isSame: isSameBytes, first },
      look: () => bytesOrNothing(() => readFile(file)),
      onChange: (bytes) => take(bytes === undefined ? MISSING : readOnce(file, () => bytes)),
    });
  };
  const prepare = (config: Config): (() => void) => {
    const file = config.auth.revocations?.file;
    const read =
      file === undefined ? undefined : deps.readFile === undefined ? NO_READER : readOnce(file, deps.readFile);
    if (read !== undefined && 'problem' in read) {
      throw new GatewayError('config-revocations', 'gateway', `auth.revocations: the file ${file} ${read.problem}`);
    }
    return () => {
      auth = config.auth;
      revocations.useFile(read?.revocations ?? []);
      // Without a file there is none that is bad: an alert on 0 must stay silent.
      metrics.gauge('revocations_file_good', {}, 1);
      watch(file, read?.bytes);
    };
  };
  prepare(first)();
  return {
    tokens: { whyRevoked: (token) => revocations.find(token), take: used.take, giveBack: used.giveBack },
    revocations,
    prepare,
    stop: () => stopWatching(),
  };
}

interface Good {
  readonly bytes: Buffer;
  readonly revocations: readonly Revocation[];
}
type Read = Good | { readonly bytes?: Buffer; readonly problem: string };

const NO_READER: Read = { problem: 'cannot be read here' };
const MISSING: Read = { problem: 'cannot be read' };

function readOnce(file: string, readFile: (path: string) => Buffer): Read {
  try {
    const bytes = readFile(file);
    const read = readRevocations(bytes);
    return read.ok ? { bytes, revocations: read.revocations } : { bytes, problem: read.problem };
  } catch {
    return MISSING;
  }
}
