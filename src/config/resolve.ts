import type { Config } from './config.js';
import type { CheckKeys } from './resolve-auth.js';
import { resolveAuth } from './resolve-auth.js';
import { resolveHooks } from './resolve-hooks.js';
import { resolveListen, resolveTls } from './resolve-listen.js';
import { resolveLog } from './resolve-log.js';
import { resolveOrigins } from './resolve-origins.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';

/** Reads secrets, fills in defaults of profile and presets, and checks what no single key can tell. */
export function resolveConfig(input: ConfigInput, to: Resolving, checkKeys: CheckKeys): Config {
  const { limits, relay, store, admin } = input;
  const hooks = resolveHooks(input, to);
  checkServed(input, to);
  checkFetchTimes(input, to);
  return {
    trustedProxies: input.listen.trustedProxies,
    listen: resolveListen(input, to),
    tls: resolveTls(input.tls, to),
    auth: resolveAuth(input.auth, to, checkKeys),
    hooks,
    origins: resolveOrigins(input.origins, to),
    ...{ limits, relay, store, admin },
    log: resolveLog(input.log, to),
  };
}

/** A token whose key is being fetched waits for it, and must not wait longer than the hook may. */
function checkFetchTimes({ auth, limits: { hookTimeoutSeconds } }: ConfigInput, to: Resolving): void {
  auth.keys.forEach(({ jwksUrl, timeoutSeconds = 2 }, index) => {
    if (jwksUrl === undefined || timeoutSeconds < hookTimeoutSeconds) return;
    to.fault(
      ['auth', 'keys', index, 'timeoutSeconds'],
      `is ${timeoutSeconds}, but every hook is late after ${hookTimeoutSeconds} s`,
      'expected less than limits.hookTimeoutSeconds',
    );
  });
}

/** Which kind of origin address a listener's streams go to. */
const SERVED_BY = { rtmp: 'rtmp', rtmps: 'rtmp', http: 'http', https: 'http' } as const;

/** A listener whose streams have nowhere to go would refuse everybody. */
function checkServed({ listen, origins }: ConfigInput, to: Resolving): void {
  for (const name of ['rtmp', 'rtmps', 'http', 'https'] as const) {
    const kind = SERVED_BY[name];
    if (
      listen[name] === undefined ||
      origins.length === 0 ||
      origins.some((origin) => origin[kind] !== undefined || origin.nodes !== undefined)
    ) {
      continue;
    }
    to.fault(['listen', name], `is opened, but no origin has an address for ${kind}`, `expected origins[].${kind}`);
  }
}
