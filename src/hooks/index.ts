import type { Clock } from '../model/clock.js';
import type { Hook } from '../model/hook.js';
import { open } from './open/index.js';
import { requireRole } from './require-role/index.js';
import { requireRoom } from './require-room/index.js';
import { requireTransport } from './require-transport/index.js';
import { verifyToken, type KeySource, type TokenPolicy } from './verify-token/index.js';

/** Every hook that is built from its name alone. */
export const HOOK_NAMES = ['verify-token', 'require-transport', 'require-role', 'require-room', 'open'] as const;

/** One of them. */
export type HookName = (typeof HOOK_NAMES)[number];

/** The order that applies when the config names none. */
export const DEFAULT_HOOKS: readonly HookName[] = ['verify-token', 'require-transport', 'require-role', 'require-room'];

/** One entry of `hooks` in the config: a hook of this house by its name, or one that is ready made. */
export type HookSpec = { readonly name: HookName } | { readonly hook: Hook };

/** What the hooks are built from. */
export interface HookDeps {
  readonly policy: TokenPolicy;
  readonly clock: Clock;
  /** Where keys of the policy are fetched. */
  readonly sources?: readonly KeySource[];
}

/** Says what is wrong with a list of hook names; `index` counts from 0. A list without faults can still be closed to all. */
export function findHookFaults(names: readonly HookName[]): readonly { index: number; message: string }[] {
  const verified = names.indexOf('verify-token');
  return names.flatMap((name, index) => {
    const messages: string[] = [];
    if (names.indexOf(name) !== index) messages.push(`${name} stands twice`);
    if (name === 'open' && names.length > 1)
      messages.push('open stands alone or not at all: other hooks would still say no');
    if (name.startsWith('require-') && (verified < 0 || verified > index)) {
      messages.push(`${name} judges what verify-token has read, so verify-token must come before it`);
    }
    return messages.map((message) => ({ index, message }));
  });
}

/** Builds the hooks of a config in their order. */
export function createHooks(specs: readonly HookSpec[], deps: HookDeps): readonly Hook[] {
  const builders: Readonly<Record<HookName, () => Hook>> = {
    'verify-token': () => verifyToken(deps),
    'require-transport': requireTransport,
    'require-role': requireRole,
    'require-room': requireRoom,
    open,
  };
  return specs.map((spec) => ('hook' in spec ? spec.hook : builders[spec.name]()));
}
