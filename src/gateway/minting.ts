import type { Auth } from '../config/config.js';
import { createKeySet } from '../hooks/verify-token/index.js';
import { findSigningKey, type MintOptions } from '../hooks/verify-token/mint.js';
import type { TokenKey } from '../hooks/verify-token/index.js';
import { keySpecsOf } from './token-keys.js';

const DEFAULT_TTL_S = 600;

/** What somebody wants a token to say; the config says the rest. */
export interface MintWish extends Pick<MintOptions, 'subject' | 'roles' | 'transports' | 'rooms' | 'tokenId'> {
  /** Default: 10 minutes, or the ceiling if that is lower. */
  readonly ttlS?: number;
  /** Id of the key to sign with. Default: the first with a secret. */
  readonly keyId?: string;
}

/** All that a token is made of, or why the config has none to offer. */
export type MintPlan =
  | { readonly ok: true; readonly options: MintOptions & { readonly key: TokenKey } }
  /** `no-key`: the config holds no such secret. `too-long`: the gateway itself would refuse it. */
  | { readonly ok: false; readonly problem: 'no-key' | 'too-long'; readonly ttlS: number };

/** Makes of a wish what this gateway would take: a key, issuer and audience of the config, a life within its ceiling. */
export function planMint(auth: Auth, { ttlS: wanted, keyId, ...claims }: MintWish): MintPlan {
  const ceilingS = auth.maxTtlMinutes * 60;
  const ttlS = wanted ?? Math.min(DEFAULT_TTL_S, ceilingS);
  const made = createKeySet(keySpecsOf(auth));
  const key = made.ok ? findSigningKey(made.keySet, keyId) : undefined;
  if (key === undefined) return { ok: false, problem: 'no-key', ttlS };
  if (ttlS > ceilingS) return { ok: false, problem: 'too-long', ttlS };
  const [issuer, audience] = [auth.issuers[0], auth.audiences[0]];
  const options = {
    ...{ ...claims, key, ttlS },
    // One key needs no name, and Red5 knows no `kid`.
    ...(auth.keys.length > 1 && { keyId: key.id }),
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  return { ok: true, options };
}
