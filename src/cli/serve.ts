import type { Config } from '../config/config.js';
import { bytesOrNothing } from '../config/file-watch.js';
import type { Gateway, startGateway } from '../gateway.js';
import type { Log } from '../model/telemetry.js';
import { watchEventLoop } from '../telemetry/event-loop.js';
import { gatherLines } from '../telemetry/line-gatherer.js';
import { createLog } from '../telemetry/log.js';
import { createMetrics, type MetricsRegistry } from '../telemetry/metrics.js';
import { sampleLog, type SampledLog, type SamplingOptions } from '../telemetry/sampling.js';
import { parseArguments } from './arguments.js';
import { SERVE_FLAGS } from './flags.js';
import { usageLine } from './help.js';
import { EXIT, type CliIo } from './io.js';
import { loadConfigFor, readConfig } from './load-config.js';
import { secretsIn } from './config-secrets.js';
import { createReloading, type Reloading, type ReloadingParts, type ReloadOutcome } from './reloading.js';
import { watchSignals, type Signals } from './signals.js';
import { isOfConfig, failureLine } from './failure-line.js';

/** How long log lines may wait for others to be written with them. */
const LOG_GATHER_MS = 20;

/** Starts a gateway; an argument, so that tests need no ports. */
export type StartGateway = typeof startGateway;

/** `portcullis serve`: runs the gateway until a signal ends it. Resolves with the exit code when all is closed. */
export async function runServe(args: readonly string[], io: CliIo, start: StartGateway): Promise<number> {
  const parsed = parseArguments(args, SERVE_FLAGS);
  if (!parsed.ok) {
    io.stderr(usageLine('serve', parsed.problem));
    return EXIT.usage;
  }
  const file = parsed.flags.config;
  const isWatched = file !== undefined && parsed.flags['no-watch'] !== true;
  // Before it is read, so that no change during the start is missed.
  const firstBytes = isWatched ? bytesOrNothing(() => io.readFile(file)) : undefined;
  const loaded = loadConfigFor('serve', file, io);
  if (!loaded.ok) return loaded.code;
  const { config, warnings } = loaded;
  const { clock } = io;
  io.hide(secretsIn(config));
  const held = { config };
  const lines = gatherLines((text) => io.stdout(text), clock, LOG_GATHER_MS);
  const metrics = createCheckedMetrics(() => log);
  const onSuppressed = (event: string, count: number): void => metrics.count('log_suppressed_total', { event }, count);
  const log: SampledLog = logOf(held, { clock, onSuppressed, write: (line) => lines.write(line) });
  const flush = (): void => {
    log.flush();
    lines.flush();
  };
  io.onExit(flush);
  for (const warning of warnings) log.write('warn', 'gateway.warning', { warning });
  const code = await serve(held, { log, metrics }, io, start, {
    load: () => readConfig(file, io),
    ...(isWatched && { readFile: () => io.readFile(file), firstBytes }),
  });
  flush();
  return code;
}

/** The config that holds now. */
interface Held {
  config: Config;
}

/** Metrics that tell of each way in which they are misused once. */
function createCheckedMetrics(log: () => Log): MetricsRegistry {
  const misused = new Set<string>();
  return createMetrics((problem) => {
    if (!misused.has(problem)) log().write('debug', 'gateway.warning', { warning: `metrics: ${problem}` });
    misused.add(problem);
  });
}

function logOf(
  held: Held,
  { write, ...parts }: Omit<SamplingOptions, 'maxPerSecond'> & { readonly write: (line: string) => void },
): SampledLog {
  const { clock } = parts;
  const whole = createLog({
    get level() {
      return held.config.log.level;
    },
    get format() {
      return held.config.log.format;
    },
    now: () => clock.now(),
    write,
  });
  return sampleLog(whole, {
    ...parts,
    get maxPerSecond() {
      return held.config.log.maxPerSecond;
    },
  });
}

async function serve(
  held: Held,
  { log, metrics }: { readonly log: Log; readonly metrics: MetricsRegistry },
  io: CliIo,
  start: StartGateway,
  source: Pick<ReloadingParts, 'load' | 'readFile' | 'firstBytes'>,
): Promise<number> {
  const { clock } = io;
  const { config } = held;
  // Listened to from now on, so that a signal during the start is not lost.
  const signals = watchSignals(io);
  const stopWatching = watchEventLoop(clock, (seconds) => metrics.gauge('event_loop_lag_seconds', {}, seconds));
  try {
    const reloads: { now?: Reloading['now'] } = {};
    const operator = {
      reload: (): Promise<ReloadOutcome> =>
        reloads.now?.('api') ?? Promise.resolve({ ok: false, faults: ['the gateway has not started yet'] }),
      drain: () => signals.ask('api'),
    };
    const readFile = (path: string): Buffer => io.readFile(path);
    const gateway = await start(config, { log, metrics, clock, readFile, operator, version: io.version });
    log.write('info', 'gateway.start', {
      version: io.version,
      profile: config.auth.profile,
      addresses: gateway.addresses,
    });
    // Operators hear of reloads and of the end too.
    const heard: Log = {
      enabled: (level) => log.enabled(level),
      write(level, event, fields) {
        log.write(level, event, fields);
        gateway.hear(event, fields);
      },
    };
    const apply = async (next: Config): Promise<readonly string[]> => {
      // A module may break while it is loaded, or go on when it is no longer asked.
      io.hide([...secretsIn(held.config), ...secretsIn(next)]);
      const notes = await gateway.reload(next).catch((error: unknown) => {
        throw new Error(failureLine(error, next), { cause: error });
      });
      held.config = next;
      return notes;
    };
    const reloading = createReloading({ ...source, apply, log: heard, metrics, clock });
    reloads.now = (trigger) => reloading.now(trigger);
    signals.onReload(() => void reloading.now('signal'));
    await untilStopped(gateway, signals, () => held.config.limits.drainTimeoutSeconds, heard).finally(() =>
      reloading.stop(),
    );
    log.write('info', 'gateway.stop', {});
    return EXIT.fine;
  } catch (error) {
    log.write('error', 'gateway.error', { error });
    io.stderr(`portcullis: ${failureLine(error, config)}\n`);
    return isOfConfig(error) ? EXIT.badConfig : EXIT.failed;
  } finally {
    stopWatching();
    signals.release();
  }
}

/** The first signal drains, the second stops now, a third does not even wait for that. */
function untilStopped(gateway: Gateway, signals: Signals, drainSeconds: () => number, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    signals.onStop((count, signal) => {
      if (count === 1) {
        const graceSeconds = drainSeconds();
        log.write('info', 'gateway.drain', { signal, graceSeconds });
        gateway.drain(graceSeconds * 1000).then(resolve, reject);
      } else if (count === 2) {
        log.write('info', 'gateway.drain', { signal, graceSeconds: 0 });
        gateway.stop().then(resolve, reject);
      } else {
        resolve();
      }
    });
  });
}
