import type { DropReason } from './media-plane.js';

/** Counts what goes no further, by reason. */
export type Drops = Record<DropReason, number>;

/** All at zero. */
export function noDrops(): Drops {
  return {
    'unknown-address': 0,
    'unknown-kind': 0,
    oversized: 0,
    'bad-stun': 0,
    'unknown-user': 0,
    'bad-integrity': 0,
    'address-taken': 0,
    'hold-full': 0,
    'not-relaying': 0,
    'send-failed': 0,
  };
}
