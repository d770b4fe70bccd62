import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import type { Identity } from '../../model/identity.js';
import { REJECTIONS, reject, type RejectionCode } from '../../model/rejection.js';
import type { ConnectionRequest } from '../../model/request.js';
import type { Action } from '../../model/transport.js';
import { applyRestriction, readRestriction, type Restriction } from '../restriction.js';

/** What a module answers: a yes, perhaps with limits, or a no with one of our codes (`hook-denied` if it names none). */
export type UserVerdict =
  | { readonly allow: true; readonly limits?: Restriction }
  | { readonly allow: false; readonly code?: RejectionCode; readonly detail?: string };

/** What a module exports, or makes by `createHook(options, tools)`. */
export interface UserHook {
  /** What it wants to be asked about; all when absent. */
  readonly actions?: readonly Action[];
  /** Judges one request. A throw, an answer after `limits.hookTimeoutSeconds` and anything but a verdict is a no. */
  decide(
    request: ConnectionRequest,
    identity: Identity | undefined,
    signal: AbortSignal,
  ): UserVerdict | Promise<UserVerdict>;
  /** Told when a stream that was let in is over. */
  onEnd?(request: ConnectionRequest, identity: Identity | undefined, reason: string): void | Promise<void>;
}

/** What a module is given beside its options. */
export interface UserHookTools {
  /** Milliseconds since 1970. */
  now(): number;
  /** Writes a line to the gateway's log, at level info. Tokens in it are hidden. */
  log(fields: Readonly<Record<string, unknown>>): void;
}

/** What `createHook` of a module is. `options` come from the config as they are written there, with what `{env}` and `{file}` name: nobody has checked them. */
export type CreateUserHook<Options = Readonly<Record<string, unknown>>> = (
  options: Options,
  tools: UserHookTools,
) => UserHook | Promise<UserHook>;

/** A module of the config. */
export interface UserModuleOptions {
  /** Names the hook in log and metrics. */
  readonly id: string;
  /** In place of the module's own. */
  readonly actions?: readonly Action[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly tools: UserHookTools;
  /** Takes secrets of the options out of what the module says. Default: there are none. */
  readonly hide?: (text: string) => string;
}

/** A hook, or why a module is none. */
export type UserModuleResult =
  { readonly ok: true; readonly hook: Hook } | { readonly ok: false; readonly problem: string };

const ACTIONS: readonly Action[] = ['connect', 'publish', 'subscribe'];
const MAX_DETAIL_LENGTH = 200;

type Unknown = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Unknown {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

function failed(problem: string): UserModuleResult {
  return { ok: false, problem };
}

/**
 * Makes a hook of what a module exports: `createHook(options, tools)`, or an object with `decide`, by name or as default.
 * What it says is read strictly, and its yes can only take away.
 */
export async function readUserModule(exported: unknown, options: UserModuleOptions): Promise<UserModuleResult> {
  if (!isRecord(exported)) return failed('exports nothing');
  const main = isRecord(exported['default']) ? exported['default'] : exported;
  const create = exported['createHook'] ?? main['createHook'] ?? (typeof main === 'function' ? main : undefined);
  let made: unknown = main;
  if (create !== undefined) {
    if (typeof create !== 'function') return failed('exports a createHook that is no function');
    try {
      made = await (create as CreateUserHook)(options.options, options.tools);
    } catch (error) {
      return failed(`has a createHook that threw: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return wrap(made, options);
}

function wrap(made: unknown, { id, actions, tools, hide = (text) => text }: UserModuleOptions): UserModuleResult {
  if (!isRecord(made) || typeof made['decide'] !== 'function')
    return failed('has no decide(request, identity, signal)');
  const wanted = actions ?? made['actions'] ?? ACTIONS;
  if (!Array.isArray(wanted) || wanted.length === 0 || !wanted.every(isAction)) {
    return failed(`has actions that are not a list of ${ACTIONS.join(', ')}`);
  }
  if (made['onEnd'] !== undefined && typeof made['onEnd'] !== 'function')
    return failed('has an onEnd that is no function');
  const user = made as unknown as UserHook;
  const hook: Hook = {
    name: id,
    actions: [...wanted],
    async decide(request, identity, signal) {
      // Copies: whatever a module does with what it was shown, nobody else sees it.
      const verdict: unknown = await user.decide(copyOf(request), identity && copyOfIdentity(identity), signal);
      return readVerdict(verdict, request, { identity, nowMs: tools.now(), hide });
    },
    ...(user.onEnd && {
      onEnd: (request: ConnectionRequest, identity: Identity | undefined, reason: string) =>
        user.onEnd?.(copyOf(request), identity && copyOfIdentity(identity), reason),
    }),
  };
  return { ok: true, hook };
}

function copyOf(request: ConnectionRequest): ConnectionRequest {
  return Object.freeze({ ...request, target: { ...request.target } });
}

function copyOfIdentity({ roles, transports, rooms, ...rest }: Identity): Identity {
  return {
    ...rest,
    ...(roles && { roles: new Set(roles) }),
    ...(transports && { transports: new Set(transports) }),
    ...(rooms && { rooms: new Set(rooms) }),
  };
}

function isAction(value: unknown): value is Action {
  return ACTIONS.some((action) => action === value);
}

/** Throws TypeError at what is no verdict; the pipeline makes `hook-failed` of it. */
function readVerdict(
  verdict: unknown,
  request: ConnectionRequest,
  around: {
    readonly identity: Identity | undefined;
    readonly nowMs: number;
    readonly hide: (text: string) => string;
  },
): Decision {
  const { identity, nowMs, hide } = around;
  const { allow, limits, code, detail }: Unknown = isRecord(verdict) ? verdict : {};
  if (allow === true) {
    const restriction = readRestriction(limits);
    if (restriction === undefined) throw new TypeError('the verdict has limits that cannot be read');
    return applyRestriction(request, identity, restriction, nowMs);
  }
  if (allow !== false) throw new TypeError('the verdict is no object whose allow is true or false');
  const known = typeof code === 'string' && Object.hasOwn(REJECTIONS, code) ? (code as RejectionCode) : 'hook-denied';
  const text = typeof detail === 'string' ? hide(detail).slice(0, MAX_DETAIL_LENGTH) : 'a hook of the operator says no';
  return { ok: false, rejection: reject(known, text) };
}
