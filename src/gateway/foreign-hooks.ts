import { pathToFileURL } from 'node:url';
import type { CallHttpConfig, Config, HookConfig, ModuleConfig } from '../config/config.js';
import { revealOptions } from '../config/resolve-options.js';
import { callHttpHook } from '../hooks/call-http/index.js';
import { readUserModule, type UserModuleResult } from '../hooks/user-module/index.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Hook } from '../model/hook.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { Tracing } from './tracing.js';
import { createHiding, hiddenErrors } from './hiding.js';

/** Loads an ES module by its URL; tests hand in one that has it already. */
export type ImportModule = (url: string) => Promise<unknown>;

/** What hooks of other people are made with. */
export interface ForeignHooksDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly importModule?: ImportModule;
  /** What servers are told of the trace that a question is part of. */
  readonly traceParentOf?: Tracing['traceParentOf'];
}

/** The hooks that ask others. They outlive a reload when their entry stays the same: breaker, cache and a module's own state. */
export interface ForeignHooks {
  /** Makes those of a config that are not there yet. Rejects with GatewayError `config-hooks`. */
  prepare(config: Config): Promise<void>;
  /** The hook of an entry that was prepared. Throws GatewayError `config-hooks` if it was not. */
  hookOf(entry: CallHttpConfig | ModuleConfig): Hook;
  /** Forgets those that the config does not name. */
  keep(config: Config): void;
  /** Resolves when all that were told of the end of a stream have taken note. */
  settled(): Promise<unknown>;
}

/** An entry that needs more than its name. */
export function isForeign(entry: HookConfig): entry is CallHttpConfig | ModuleConfig {
  return entry.name === 'call-http' || entry.name === 'module';
}

/** Time a module has to be loaded and to make its hook; one that waits for something at its top level must not stop the start. */
const LOAD_TIMEOUT_MS = 10_000;

const importNatively: ImportModule = (url) => import(url) as Promise<unknown>;

/** Makes the place where hooks of other people are kept. */
export function createForeignHooks(deps: ForeignHooksDeps): ForeignHooks {
  const hooks = new Map<string, Hook>();
  const taking = new Set<Promise<void>>();
  return {
    async prepare(config) {
      for (const entry of config.hooks.filter(isForeign)) {
        const key = keyOf(entry);
        if (hooks.has(key)) continue;
        const hook = entry.name === 'module' ? await loadModule(entry, deps) : makeCall(entry, deps);
        hooks.set(key, noted(hook, taking));
      }
    },
    hookOf(entry) {
      const hook = hooks.get(keyOf(entry));
      if (hook === undefined)
        throw new GatewayError('config-hooks', 'gateway', `the hook ${entry.id} was not prepared`);
      return hook;
    },
    keep(config) {
      const named = new Set(config.hooks.filter(isForeign).map(keyOf));
      for (const key of [...hooks.keys()]) if (!named.has(key)) hooks.delete(key);
    },
    settled: () => Promise.allSettled(taking),
  };
}

/** The hook, with what it does at the end of a stream kept in `taking` until it is done. */
function noted(hook: Hook, taking: Set<Promise<void>>): Hook {
  if (hook.onEnd === undefined) return hook;
  return {
    ...hook,
    async onEnd(...told) {
      const done = Promise.resolve(hook.onEnd?.(...told));
      taking.add(done);
      await done.finally(() => taking.delete(done));
    },
  };
}

/** Entries that are written alike are one; a secret counts by its fingerprint. */
function keyOf(entry: CallHttpConfig | ModuleConfig): string {
  return JSON.stringify(entry);
}

function makeCall(entry: CallHttpConfig, { log, metrics, clock, traceParentOf }: ForeignHooksDeps): Hook {
  const { id: hook, url, invalidateUrl, headers, ca, form, actions, onFailure, sendToken, clientTokenRequired } = entry;
  return callHttpHook({
    ...{ id: hook, form, actions, onFailure, sendToken, clientTokenRequired, clock },
    target: url,
    ...(invalidateUrl && { invalidate: invalidateUrl }),
    ...(ca !== undefined && { ca }),
    headers: headers.map(({ name, value }) => [name, value] as const),
    timeoutMs: entry.timeoutSeconds * 1000,
    maxConcurrent: entry.maxConcurrent,
    cacheMs: entry.cacheSeconds * 1000,
    breakerFailures: entry.breakerFailures,
    breakerMs: entry.breakerSeconds * 1000,
    traceParentOf: (request) => traceParentOf?.(request, hook),
    onBreaker: (state) => log.write(state === 'open' ? 'warn' : 'info', 'hook.state', { hook, breaker: state }),
    onCall: (outcome, seconds) => {
      metrics.count('hook_calls_total', { hook, outcome });
      if (seconds > 0) metrics.observe('hook_call_seconds', { hook }, seconds);
    },
  });
}

async function loadModule(entry: ModuleConfig, deps: ForeignHooksDeps): Promise<Hook> {
  const { id, file, digest, actions } = entry;
  const { log, clock, importModule = importNatively } = deps;
  const hiding = createHiding(entry.hidden);
  const fail = (problem: string): never => {
    throw new GatewayError('config-hooks', 'gateway', `hooks (${id}): the module ${file} ${hiding.text(problem)}`);
  };
  const load = async (): Promise<UserModuleResult> => {
    // With the digest behind it, a file that has changed is loaded anew at a reload.
    const exported = await importModule(`${pathToFileURL(file).href}?${digest}`);
    return readUserModule(exported, {
      ...{ id, options: revealOptions(entry.options), hide: hiding.text },
      ...(actions && { actions }),
      tools: {
        now: () => clock.now(),
        log: (fields) => log.write('info', 'hook.note', { ...hiding.fields(fields), hook: id }),
      },
    });
  };
  let read: UserModuleResult;
  try {
    read = await inTime(load(), clock);
  } catch (error) {
    return fail(`cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!read.ok) return fail(read.problem);
  return entry.hidden.length === 0 ? read.hook : hiddenErrors(read.hook, hiding);
}

async function inTime<T>(loading: Promise<T>, clock: Clock): Promise<T> {
  let cancel = (): void => undefined;
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.after(LOAD_TIMEOUT_MS, () => reject(new Error(`it was not done within ${LOAD_TIMEOUT_MS} ms`)));
  });
  return Promise.race([loading, deadline]).finally(() => cancel());
}
