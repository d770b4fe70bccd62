import type { Auth, AuthKey } from '../config/config.js';
import type { CheckKeys, KeyRemark } from '../config/resolve-auth.js';
import type { KeyNote, KeySpec } from '../hooks/verify-token/keys.js';
import { createKeySet } from '../hooks/verify-token/keys.js';

/** The keys of the config as the hook that uses them wants them, in the same order. */
export function keySpecsOf(auth: Auth): readonly KeySpec[] {
  return auth.keys.map((key) => specOf(key, auth.allowWeakSecret));
}

/** Lets the hook look at the keys while the config is loaded, so that `check` finds what `serve` would stumble over. */
export const checkKeys: CheckKeys = (auth) => {
  const result = createKeySet(keySpecsOf(auth));
  return result.ok
    ? { faults: [], warnings: result.warnings.map(remarkOf) }
    : { faults: result.faults.map(remarkOf), warnings: [] };
};

function specOf(key: AuthKey, allowWeakSecret: boolean): KeySpec {
  const { id, algorithm } = key;
  switch (key.kind) {
    case 'secret':
      return { id, algorithm, secret: key.secret, encoding: key.encoding, allowWeakSecret };
    case 'public-key':
      return { id, algorithm, pem: key.publicKey };
    case 'jwks':
      return { id, algorithm, jwks: key.jwks };
  }
}

function remarkOf({ index, property, message }: KeyNote): KeyRemark {
  return { index, property: property === 'pem' ? 'publicKey' : property, message };
}
