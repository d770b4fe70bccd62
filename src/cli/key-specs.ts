import type { CheckKeys, KeyRemark } from '../config/resolve-auth.js';
import { isFetched, keySpecsOf } from '../gateway/token-keys.js';
import type { KeyNote } from '../hooks/verify-token/keys.js';
import { createKeySet } from '../hooks/verify-token/keys.js';

/** Lets the hook look at the keys while the config is loaded, so that `check` finds what `serve` would stumble over. */
export const checkKeys: CheckKeys = (auth) => {
  // Those that are fetched are not here to be looked at; the others keep the places they have in the config.
  const places = auth.keys.flatMap((key, index) => (isFetched(key) ? [] : [index]));
  const remarkOf = ({ index, property, message }: KeyNote): KeyRemark => ({
    index: places[index] ?? index,
    property: property === 'pem' ? 'publicKey' : property,
    message,
  });
  const result = createKeySet(keySpecsOf(auth));
  return result.ok
    ? { faults: [], warnings: result.warnings.map(remarkOf) }
    : { faults: result.faults.map(remarkOf), warnings: [] };
};
