/** What the child says to its parent, once, about its start. */
export type ChildMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string };

/** Why the embedded origin could not start. */
export type FailureReason = 'package-missing' | 'package-strange' | 'port';

const REASONS: readonly unknown[] = ['package-missing', 'package-strange', 'port'] satisfies FailureReason[];

/** Reads what came over the channel; undefined for anything else. */
export function asChildMessage(value: unknown): ChildMessage | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'listening' && 'port' in value && typeof value.port === 'number') {
    return { kind: 'listening', port: value.port };
  }
  if (value.kind === 'failed' && 'reason' in value && REASONS.includes(value.reason)) {
    const detail = 'detail' in value && typeof value.detail === 'string' ? value.detail : '';
    return { kind: 'failed', reason: value.reason as FailureReason, detail };
  }
  return undefined;
}
