import type { Config, HookName } from './config.js';
import type { CheckKeys } from './resolve-auth.js';
import { resolveAuth } from './resolve-auth.js';
import { resolveListen, resolveTls } from './resolve-listen.js';
import { resolveOrigins } from './resolve-origins.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';

/** Reads secrets, fills in defaults of profile and presets, and checks what no single key can tell. */
export function resolveConfig(input: ConfigInput, to: Resolving, checkKeys: CheckKeys): Config {
  const { hooks, limits, relay, store, admin, log } = input;
  checkHooks(hooks, input, to);
  checkServed(input, to);
  return {
    listen: resolveListen(input, to),
    tls: resolveTls(input.tls, to),
    auth: resolveAuth(input.auth, to, checkKeys),
    hooks,
    origins: resolveOrigins(input.origins, to),
    ...{ limits, relay, store, admin, log },
  };
}

/** Which kind of origin address a listener's streams go to. */
const SERVED_BY = { rtmp: 'rtmp', rtmps: 'rtmp', http: 'http', https: 'http' } as const;

/** A listener whose streams have nowhere to go would refuse everybody. */
function checkServed({ listen, origins }: ConfigInput, to: Resolving): void {
  for (const name of ['rtmp', 'rtmps', 'http', 'https'] as const) {
    const kind = SERVED_BY[name];
    if (listen[name] === undefined || origins.length === 0 || origins.some((origin) => origin[kind] !== undefined)) {
      continue;
    }
    to.fault(['listen', name], `is opened, but no origin has an address for ${kind}`, `expected origins[].${kind}`);
  }
}

const RULES: readonly HookName[] = ['require-transport', 'require-role', 'require-room'];

function checkHooks(hooks: readonly HookName[], input: ConfigInput, to: Resolving): void {
  const path = ['hooks'];
  if (hooks.length === 0) to.warn(path, 'is empty: everybody is refused');
  const twice = hooks.findIndex((hook, index) => hooks.indexOf(hook) !== index);
  if (twice !== -1) to.fault([...path, twice], `names ${hooks[twice] ?? ''} twice`);
  if (hooks.includes('open')) {
    if (hooks.length > 1)
      to.fault(path, 'has open beside other hooks', 'expected open alone, or the others without it');
    else to.warn(path, 'is open: EVERYBODY may publish and play, without a token');
    return;
  }
  checkOrder(hooks, to);
  if (hooks.includes('verify-token') && input.auth.keys.length === 0 && !to.hasFault(['auth', 'red5Properties'])) {
    to.fault(
      ['auth', 'keys'],
      'names no key, so no token could ever pass',
      'expected at least one, such as {id: main, secret: {env: MEDIA_SECRET}}',
    );
  }
}

function checkOrder(hooks: readonly HookName[], to: Resolving): void {
  const verify = hooks.indexOf('verify-token');
  const rule = hooks.findIndex((hook) => RULES.includes(hook));
  if (rule !== -1 && (verify === -1 || rule < verify)) {
    to.fault(
      ['hooks', rule],
      `has ${hooks[rule] ?? ''} before verify-token, which reads the claims it needs`,
      'expected verify-token first',
    );
  }
  const left = RULES.filter((hook) => !hooks.includes(hook));
  if (verify !== -1 && left.length > 0)
    to.warn(['hooks'], `leaves out ${left.join(', ')}: those claims of the token are not looked at`);
}
