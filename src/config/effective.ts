import { stringify } from 'yaml';
import { Secret } from '../model/secret.js';
import type { Config } from './config.js';

/**
 * The whole config with every default, as a value that JSON can hold. Secrets are fingerprints, and so are queries of addresses
 * that are called: keys often stand there.
 */
export function effectiveConfig(config: Config): unknown {
  return JSON.parse(
    JSON.stringify(config, (key, value: unknown) =>
      key === 'path' && typeof value === 'string' ? hideQuery(value) : value,
    ),
  ) as unknown;
}

/** The same as YAML. */
export function effectiveYaml(config: Config): string {
  return stringify(effectiveConfig(config));
}

function hideQuery(path: string): string {
  const mark = path.indexOf('?');
  return mark < 0 ? path : `${path.slice(0, mark)}?${new Secret(path.slice(mark + 1)).toString()}`;
}
