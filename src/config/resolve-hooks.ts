import { createHash } from 'node:crypto';
import type { CallHttpConfig, HookConfig, ModuleConfig, PlainHookName } from './config.js';
import type { PathStep } from './fault.js';
import { resolveHeaders } from './resolve-headers.js';
import { resolveOptions } from './resolve-options.js';
import { isLoopback, resolveHttpTarget } from './resolve-url.js';
import type { Resolving } from './resolving.js';
import type { HookInput } from './schema-hooks.js';
import type { ConfigInput } from './schema.js';

/** Keys of an entry, by the hook they are for; those of all are left out. */
const KEYS_OF = {
  'call-http': [
    ...['actions', 'form', 'url', 'invalidateUrl', 'clientTokenRequired', 'sendToken', 'timeoutSeconds'],
    ...['maxConcurrent', 'cacheSeconds', 'breakerFailures', 'breakerSeconds', 'headers', 'ca', 'onFailure'],
  ],
  module: ['actions', 'file', 'options'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Keys that one form of `call-http` has and the other has not. */
const FORM_OF: Readonly<Record<string, CallHttpConfig['form']>> = {
  invalidateUrl: 'round-trip',
  clientTokenRequired: 'round-trip',
  sendToken: 'json',
};

const RULES: readonly string[] = ['require-transport', 'require-role', 'require-room'];

/** Reads the hooks, fills in their defaults, and checks their order. */
export function resolveHooks(input: ConfigInput, to: Resolving): readonly HookConfig[] {
  const written = input.hooks.map((entry) => (typeof entry === 'string' ? { name: entry } : entry));
  checkList(written, input, to);
  const hooks = written.map((entry, index) => resolveHook(entry, ['hooks', index], to));
  for (const [index, hook] of hooks.entries()) {
    if (hook?.name !== 'call-http' || hook.timeoutSeconds < input.limits.hookTimeoutSeconds) continue;
    to.fault(
      ['hooks', index, 'timeoutSeconds'],
      `is ${hook.timeoutSeconds}, but every hook is late after ${input.limits.hookTimeoutSeconds} s`,
      'expected less than limits.hookTimeoutSeconds',
    );
  }
  return hooks.filter((hook) => hook !== null);
}

function resolveHook(entry: HookInput, path: readonly PathStep[], to: Resolving): HookConfig | null {
  const { name, id = name } = entry;
  const known: readonly string[] = name === 'call-http' || name === 'module' ? KEYS_OF[name] : [];
  for (const [key, value] of Object.entries(entry)) {
    if (value === undefined || key === 'name' || key === 'id' || known.includes(key)) continue;
    to.fault([...path, key], `is not a key of ${name}`, known.length === 0 ? '' : `expected ${known.join(', ')}`);
  }
  switch (name) {
    case 'call-http':
      return resolveCall(entry, id, path, to);
    case 'module':
      return resolveModule(entry, id, path, to);
    default:
      return { name, id };
  }
}

function resolveCall(entry: HookInput, id: string, path: readonly PathStep[], to: Resolving): CallHttpConfig | null {
  const { form = 'json', onFailure = 'refuse', sendToken = false, clientTokenRequired = false } = entry;
  for (const [key, of] of Object.entries(FORM_OF)) {
    if (entry[key as keyof HookInput] !== undefined && form !== of)
      to.fault([...path, key], `belongs to the form ${of}, and this is ${form}`);
  }
  if (entry.url === undefined) return to.fault(path, 'has no url', 'expected url: https://host/path');
  const url = resolveHttpTarget([...path, 'url'], entry.url, to);
  const invalidateUrl = entry.invalidateUrl && resolveHttpTarget([...path, 'invalidateUrl'], entry.invalidateUrl, to);
  const headers = resolveHeaders([...path, 'headers'], entry.headers ?? [], to);
  const ca = entry.ca === undefined ? undefined : to.text([...path, 'ca'], entry.ca);
  if (onFailure === 'allow') {
    to.warn([...path, 'onFailure'], 'is allow: who comes while the server cannot be asked is LET IN');
  }
  if (url !== null && !url.secure && !isLoopback(url) && (sendToken || form === 'round-trip')) {
    to.warn([...path, 'url'], 'is plain http: tokens and passwords can be read on the way');
  }
  if (url === null || invalidateUrl === null || ca === null || headers === null) return null;
  return {
    ...{ name: 'call-http', id, form, url, sendToken, clientTokenRequired, onFailure },
    ...(typeof invalidateUrl === 'object' && { invalidateUrl }),
    ...(ca !== undefined && { ca }),
    headers,
    actions: entry.actions ?? ['publish', 'subscribe'],
    timeoutSeconds: entry.timeoutSeconds ?? 2,
    maxConcurrent: entry.maxConcurrent ?? 64,
    cacheSeconds: entry.cacheSeconds ?? 0,
    breakerFailures: entry.breakerFailures ?? 5,
    breakerSeconds: entry.breakerSeconds ?? 10,
  };
}

function resolveModule(entry: HookInput, id: string, path: readonly PathStep[], to: Resolving): ModuleConfig | null {
  if (entry.file === undefined) return to.fault(path, 'has no file', 'expected file: PATH of an ES module');
  const bytes = to.bytes([...path, 'file'], entry.file);
  if (bytes === null) return null;
  return {
    ...{ name: 'module', id, file: to.pathOf(entry.file) },
    ...resolveOptions([...path, 'options'], entry.options ?? {}, to),
    digest: createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    ...(entry.actions === undefined ? {} : { actions: entry.actions }),
  };
}

function checkList(hooks: readonly HookInput[], input: ConfigInput, to: Resolving): void {
  const path = ['hooks'];
  if (hooks.length === 0) to.warn(path, 'is empty: everybody is refused');
  checkIds(hooks, to);
  const names = hooks.map(({ name }) => name);
  if (names.includes('open')) {
    if (hooks.length > 1)
      to.fault(path, 'has open beside other hooks', 'expected open alone, or the others without it');
    else to.warn(path, 'is open: EVERYBODY may publish and play, without a token');
    return;
  }
  checkOrder(names, to);
  if (names.includes('verify-token') && input.auth.keys.length === 0 && !to.hasFault(['auth', 'red5Properties'])) {
    to.fault(
      ['auth', 'keys'],
      'names no key, so no token could ever pass',
      'expected at least one, such as {id: main, secret: {env: MEDIA_SECRET}}',
    );
  }
}

/** Hooks of which several make sense need names of their own; the others stand once. */
function checkIds(hooks: readonly HookInput[], to: Resolving): void {
  hooks.forEach(({ name, id = name }, index) => {
    const before = hooks.slice(0, index);
    const isSeveral = name === 'call-http' || name === 'module';
    if (!isSeveral && before.some((other) => other.name === name)) {
      to.fault(['hooks', index], `names ${name} twice`);
    } else if (before.some((other) => (other.id ?? other.name) === id)) {
      to.fault(['hooks', index], `is called ${id}, as another is`, 'expected an id of its own');
    }
  });
}

function checkOrder(hooks: readonly HookInput['name'][], to: Resolving): void {
  const verify = hooks.indexOf('verify-token');
  const rule = hooks.findIndex((hook) => RULES.includes(hook));
  if (rule !== -1 && (verify === -1 || rule < verify)) {
    to.fault(
      ['hooks', rule],
      `has ${hooks[rule] ?? ''} before verify-token, which reads the claims it needs`,
      'expected verify-token first',
    );
  }
  const left = RULES.filter((hook) => !hooks.some((name) => name === hook));
  if (verify !== -1 && left.length > 0)
    to.warn(['hooks'], `leaves out ${left.join(', ')}: those claims of the token are not looked at`);
}

/** Whether an entry is a hook that needs nothing but its name. */
export function isPlain(hook: HookConfig): hook is { readonly name: PlainHookName; readonly id: string } {
  return hook.name !== 'call-http' && hook.name !== 'module';
}
