import type { Config } from '../config/config.js';
import { faultLine } from '../config/fault.js';
import { bytesOrNothing, isSameBytes, watchUntilSettled } from '../config/file-watch.js';
import type { LoadResult } from '../config/load.js';
import type { Clock } from '../model/clock.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { redact } from '../telemetry/redact.js';

/** How often the config file is looked at. */
const LOOK_MS = 2_000;

/** Who wanted it. */
export type ReloadTrigger = 'signal' | 'file' | 'api';

/** How it went: `notes` say what waits for a restart, `faults` why the old config stays. Whole lines, without secrets. */
export type ReloadOutcome =
  { readonly ok: true; readonly notes: readonly string[] } | { readonly ok: false; readonly faults: readonly string[] };

/** What a reload is made of. */
export interface ReloadingParts {
  /** Reads and checks the config anew. */
  readonly load: () => LoadResult;
  /** Applies it without dropping anybody; what comes back waits for a restart. Rejects when the old one has to stay. */
  readonly apply: (config: Config) => Promise<readonly string[]>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** The bytes of the config file; undefined where none is watched. Throws the system's error. */
  readonly readFile?: (() => Buffer) | undefined;
  /** What was in it when the first config was read. Default: what is in it now. */
  readonly firstBytes?: Buffer | undefined;
}

/** Reloads, one at a time. */
export interface Reloading {
  /** Reloads now, or once more when the running one is done. Never rejects. */
  now(trigger: ReloadTrigger): Promise<ReloadOutcome>;
  /** No more looking at the file. */
  stop(): void;
}

/**
 * Makes what reloads the config: on request, and when its file has changed and then stayed the same for two looks, so
 * that a half-written file is not read. A config that cannot be used changes nothing, and is told in log and metric.
 */
export function createReloading(parts: ReloadingParts): Reloading {
  const { metrics } = parts;
  const file = createFileMemory(parts);
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<ReloadOutcome> | undefined;

  const now = (trigger: ReloadTrigger): Promise<ReloadOutcome> => {
    // Whoever asks while one waits for its turn gets that one's answer: it has not read the file yet.
    waiting ??= last.then(() => {
      waiting = undefined;
      file.look();
      return reloadOnce(parts, trigger);
    });
    last = waiting;
    return waiting;
  };
  metrics.gauge('config_last_reload_successful', {}, 1);
  return { now, stop: watchFile(parts, file, () => void now('file')) };
}

async function reloadOnce(
  { load, apply, log, metrics }: ReloadingParts,
  trigger: ReloadTrigger,
): Promise<ReloadOutcome> {
  const outcome = await tryReload(load, apply);
  const word = outcome.ok ? 'applied' : 'kept-old';
  metrics.count('config_reloads_total', { outcome: word });
  metrics.gauge('config_last_reload_successful', {}, outcome.ok ? 1 : 0);
  log.write(outcome.ok ? 'info' : 'error', 'config.reload', {
    trigger,
    outcome: word,
    ...(outcome.ok ? { notes: outcome.notes } : { faults: outcome.faults }),
  });
  return outcome;
}

async function tryReload(load: ReloadingParts['load'], apply: ReloadingParts['apply']): Promise<ReloadOutcome> {
  try {
    const loaded = load();
    if (!loaded.ok) return { ok: false, faults: loaded.faults.map(faultLine) };
    const notes = await apply(loaded.config);
    return { ok: true, notes: [...loaded.warnings, ...notes] };
  } catch (error) {
    return { ok: false, faults: [redact(error instanceof Error ? error.message : String(error))] };
  }
}

/** What of the config file is known; bytes that a reload for another reason has read are no news. */
interface FileMemory {
  known: Buffer | undefined;
  look(): void;
}

function createFileMemory({ readFile, firstBytes }: ReloadingParts): FileMemory {
  const read = (): Buffer | undefined => readFile && bytesOrNothing(readFile);
  const memory: FileMemory = {
    known: firstBytes ?? read(),
    look: () => {
      memory.known = read() ?? memory.known;
    },
  };
  return memory;
}

/** A file that is gone is no news: editors do that for a moment, and the config that runs does not need it. */
function watchFile({ clock, readFile }: ReloadingParts, file: FileMemory, onChange: () => void): () => void {
  if (readFile === undefined) return () => undefined;
  return watchUntilSettled({
    ...{ clock, everyMs: LOOK_MS, look: () => bytesOrNothing(readFile), isSame: isSameBytes, first: file.known },
    onChange(found) {
      if (found === undefined || isSameBytes(found, file.known)) return;
      file.known = found;
      onChange();
    },
  });
}
