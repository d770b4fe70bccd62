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

/** Shorter secrets are looked for as they are only: their other forms could be any word. */
const MIN_ENCODED = 6;

/** Makes what writes the fingerprint of each secret where the secret stood, also as it stands in URLs, JSON and headers. */
export function createHiding(secrets: readonly Secret[]): Hiding {
  const forms = secrets.flatMap((secret) => formsOf(secret.reveal()).map((form) => [form, secret.toString()] as const));
  // The longest first: one may be a part of another.
  const sorted = forms.sort(([a], [b]) => b.length - a.length);
  const text = (said: string): string =>
    sorted.reduce((clean, [form, fingerprint]) => clean.replaceAll(form, () => fingerprint), said);
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

/** How a text is written by those who hand it on. */
function formsOf(text: string): readonly string[] {
  if (text === '') return [];
  if (text.length < MIN_ENCODED) return [text];
  const bytes = Buffer.from(text);
  const inUrl = new URLSearchParams({ '': text }).toString().slice(1);
  const percent = [encodeURIComponent(bytes.toString()), inUrl];
  return [
    ...new Set([
      ...[text, JSON.stringify(text).slice(1, -1)],
      ...percent,
      ...percent.map((form) => form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())),
      ...[bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')],
    ]),
  ];
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
