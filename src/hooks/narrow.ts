import type { Identity } from '../model/identity.js';

/** What both allow; absent is no limit. */
function common<T>(earlier: ReadonlySet<T> | undefined, later: ReadonlySet<T> | undefined): ReadonlySet<T> | undefined {
  if (earlier === undefined || later === undefined) return earlier ?? later;
  return new Set([...later].filter((entry) => earlier.has(entry)));
}

function lower(earlier: number | undefined, later: number | undefined): number | undefined {
  return earlier === undefined || later === undefined ? (earlier ?? later) : Math.min(earlier, later);
}

/**
 * The identity after a later hook has given one of its own: its texts win, but no right comes back that an earlier
 * hook had not granted, and the earlier expiry and the lower bit rate stay the limits.
 */
export function narrowIdentity(earlier: Identity | undefined, later: Identity | undefined): Identity | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  const roles = common(earlier.roles, later.roles);
  const transports = common(earlier.transports, later.transports);
  const rooms = common(earlier.rooms, later.rooms);
  const maxKbps = lower(earlier.maxKbps, later.maxKbps);
  return {
    ...earlier,
    ...later,
    expiresAtS: Math.min(earlier.expiresAtS, later.expiresAtS),
    ...(roles && { roles }),
    ...(transports && { transports }),
    ...(rooms && { rooms }),
    ...(maxKbps !== undefined && { maxKbps }),
  };
}
