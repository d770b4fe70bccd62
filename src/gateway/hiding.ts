import type { Hook } from '../model/hook.js';
import type { Secret } from '../model/secret.js';
import { plainValue } from '../telemetry/plain-value.js';
import { redact } from '../telemetry/redact.js';

/** Causes of causes that are looked at, as in the log. */
const MAX_CAUSES = 4;

/** Keeps some secrets out of what somebody says who knows them. */
export interface Hiding {
  readonly text: (text: string) => string;
  /** Any value, fit for the log. */
  fields(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** An error whose message holds none of them, nor do those of its causes. */
  error(error: unknown): unknown;
}

/** Makes what writes the fingerprint of each secret where the secret stood. */
export function createHiding(secrets: readonly Secret[]): Hiding {
  // The longest first: one may be a part of another.
  const sorted = [...secrets].sort((a, b) => b.length - a.length);
  const text = (said: string): string =>
    sorted.reduce((clean, secret) => clean.replaceAll(secret.reveal(), () => secret.toString()), said);
  const clean = (said: string): string => redact(text(said));
  const error = (thrown: unknown, depth = 0): unknown => {
    if (!(thrown instanceof Error)) return plainValue(thrown, 0, clean);
    const { code, cause } = thrown as Error & { readonly code?: unknown };
    const isNamed = typeof code === 'string' || typeof code === 'number';
    return Object.assign(new Error(clean(thrown.message)), {
      name: clean(thrown.name),
      ...(isNamed && { code: typeof code === 'string' ? clean(code) : code }),
      ...(cause instanceof Error && depth < MAX_CAUSES && { cause: error(cause, depth + 1) }),
    });
  };
  return {
    text,
    error: (thrown) => error(thrown),
    fields: (value) => plainValue({ ...value }, 0, clean) as Readonly<Record<string, unknown>>,
  };
}

/** A hook whose errors hold none of what is hidden. */
export function hiddenErrors(hook: Hook, hiding: Hiding): Hook {
  return {
    ...hook,
    async decide(...asked) {
      try {
        return await hook.decide(...asked);
      } catch (error) {
        throw hiding.error(error);
      }
    },
    ...(hook.onEnd && {
      async onEnd(...told: Parameters<NonNullable<Hook['onEnd']>>) {
        try {
          await hook.onEnd?.(...told);
        } catch (error) {
          throw hiding.error(error);
        }
      },
    }),
  };
}
