import type { AuthKey } from './config.js';
import type { PathStep } from './fault.js';
import { isLoopback, resolveHttpTarget } from './resolve-url.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';

/** Keys of a key that only one with `jwksUrl` has. */
export const URL_KEYS = [
  ...(['algorithms', 'refreshSeconds', 'cooldownSeconds', 'maxStaleSeconds'] as const),
  ...(['timeoutSeconds', 'ca', 'allowPlainHttp'] as const),
] as const;

type KeyInput = ConfigInput['auth']['keys'][number];

/** Reads a key whose set is fetched. Nothing is fetched here. */
export function resolveJwksUrl(key: KeyInput, path: readonly PathStep[], to: Resolving): AuthKey | null {
  const { id, algorithms = [key.algorithm ?? 'RS256'], allowPlainHttp = false } = key;
  const [algorithm] = algorithms;
  const other = (['secret', 'publicKey', 'jwks'] as const).find((name) => key[name] !== undefined);
  if (other !== undefined) return to.fault([...path, other], 'stands beside jwksUrl', 'expected only one of them');
  if (key.algorithm !== undefined && key.algorithms !== undefined) {
    return to.fault([...path, 'algorithm'], 'stands beside algorithms', 'expected only one of them');
  }
  const url = resolveHttpTarget([...path, 'jwksUrl'], key.jwksUrl ?? '', to);
  const ca = key.ca === undefined ? undefined : to.text([...path, 'ca'], key.ca);
  if (url === null || ca === null || algorithm === undefined) return null;
  if (!url.secure && !isLoopback(url)) {
    if (!allowPlainHttp) {
      return to.fault([...path, 'jwksUrl'], 'is plain http', 'expected https://, or allowPlainHttp: true');
    }
    to.warn([...path, 'jwksUrl'], 'is plain http: who stands between can sign tokens');
  }
  if (!url.secure && algorithms.some((name) => name.startsWith('HS'))) {
    return to.fault([...path, 'jwksUrl'], 'is plain http, and its keys would be secrets', 'expected https://');
  }
  const { refreshSeconds = 300, cooldownSeconds = 30, maxStaleSeconds = 86_400, timeoutSeconds = 2 } = key;
  if (cooldownSeconds > refreshSeconds) {
    return to.fault([...path, 'cooldownSeconds'], `is ${cooldownSeconds}, more than refreshSeconds, ${refreshSeconds}`);
  }
  return {
    ...{ id, algorithm, kind: 'jwks-url', url, algorithms },
    ...{ refreshSeconds, cooldownSeconds, maxStaleSeconds, timeoutSeconds },
    ...(ca !== undefined && { ca }),
  };
}
