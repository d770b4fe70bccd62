import type { Header } from './config.js';
import type { PathStep } from './fault.js';
import type { Resolving } from './resolving.js';
import type { HeaderInput } from './schema-fields.js';

/** Reads headers that are sent to a server, whose values are secret. Null after a fault. */
export function resolveHeaders(
  path: readonly PathStep[],
  headers: readonly HeaderInput[],
  to: Resolving,
): readonly Header[] | null {
  const read = headers.map(({ name, value }, index) => {
    const at = [...path, index, 'value'];
    const secret = to.secret(at, value);
    if (secret !== null && /[^\t\x20-\x7e]/.test(secret.reveal())) to.fault(at, 'is not one line of ASCII');
    return secret === null ? null : { name, value: secret };
  });
  return read.every((header) => header !== null) ? read : null;
}
