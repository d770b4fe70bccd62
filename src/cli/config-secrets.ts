import type { Config } from '../config/config.js';
import { Secret } from '../model/secret.js';

/** Shorter texts could be any word; the secrets of modules are looked for at any length. */
const MIN_LENGTH = 8;

/** Every secret that a config holds, once. Of the options of modules those that are secrets beyond doubt. */
export function secretsIn(config: Config): readonly Secret[] {
  const found = new Map<string, Secret>();
  const seek = (value: unknown, key: string): void => {
    if (value instanceof Secret) {
      if (key === 'hidden' || value.length >= MIN_LENGTH) found.set(value.reveal(), value);
    } else if (Array.isArray(value)) {
      for (const one of value) seek(one, key);
    } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [name, one] of Object.entries(value)) if (name !== 'options') seek(one, name);
    }
  };
  seek(config, '');
  return [...found.values()];
}
