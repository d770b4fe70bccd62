import { stringify } from 'yaml';
import type { Config } from './config.js';

/** The whole config with every default, as YAML; secrets print as fingerprints. */
export function effectiveYaml(config: Config): string {
  return stringify(JSON.parse(JSON.stringify(config)) as unknown);
}
