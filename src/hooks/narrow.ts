import type { Identity } from '../model/identity.js';

/** What both allow; absent is no limit. */
function common<T>(earlier: ReadonlySet<T> | undefined, later: ReadonlySet<T> | undefined): ReadonlySet<T> | undefined {
  if (earlier === undefined || later === undefined) return earlier ?? later;
  return new Set([...later].filter((entry) => earlier.has(entry)));
}

/**
 * The identity after a later hook has given one of its own: its texts win, but no right comes back that an earlier
 * hook had not granted, and the earlier expiry stays the limit.
 */
export function narrowIdentity(earlier: Identity | undefined, later: Identity | undefined): Identity | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  const roles = common(earlier.roles, later.roles);
  const transports = common(earlier.transports, later.transports);
  const rooms = common(earlier.rooms, later.rooms);
  return {
    ...earlier,
    ...later,
    expiresAtS: Math.min(earlier.expiresAtS, later.expiresAtS),
    ...(roles && { roles }),
    ...(transports && { transports }),
    ...(rooms && { rooms }),
  };
}
