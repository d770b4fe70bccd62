import type { Hook } from '../../model/hook.js';

/** The hook that says yes to everybody. Only its name in the config makes a gateway open; nothing falls back to it. */
export function open(): Hook {
  return { name: 'open', actions: ['connect', 'publish', 'subscribe'], decide: () => ({ ok: true }) };
}
