import type { Farewell, Hook } from '../model/hook.js';

/**
 * Joins hooks into the one function that tells those who want to know that a stream is over. It never throws and waits for
 * nobody; what goes wrong is told to `onHookError`.
 */
export function createFarewell(hooks: readonly Hook[], onHookError: (hook: Hook, error: unknown) => void): Farewell {
  const told = hooks.filter((hook) => hook.onEnd !== undefined);
  const fail = (hook: Hook, error: unknown): void => {
    try {
      onHookError(hook, error);
    } catch {
      // Who listens can not veto.
    }
  };
  return (request, identity, reason) => {
    for (const hook of told) {
      if (!hook.actions.includes(request.action)) continue;
      try {
        Promise.resolve(hook.onEnd?.(request, identity, reason)).catch((error: unknown) => fail(hook, error));
      } catch (error) {
        fail(hook, error);
      }
    }
  };
}
