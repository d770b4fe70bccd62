import type { PathStep } from './fault.js';

/** Keys that the design has and this version does not; a config that names them is told so instead of "unknown". */
const LATER_KEYS: Readonly<Record<string, string>> = {
  'relay.shareViewers': 'sharing one pull between viewers is not in this version',
};

const LATER_WORDS: Readonly<Record<string, string>> = {
  'store.type=valkey': 'the store valkey is not in this version',
  'hooks[]=limits': 'limits are not a hook in this version; they always hold',
};

/** What to say of a key that a later version will have; undefined for any other. */
export function laterKey(path: readonly PathStep[]): string | undefined {
  return own(LATER_KEYS, shape(path));
}

/** What to say of a word that a later version will accept at this key; undefined for any other. */
export function laterWord(path: readonly PathStep[], word: string): string | undefined {
  return own(LATER_WORDS, `${shape(path)}=${word}`);
}

function shape(path: readonly PathStep[]): string {
  return path.map((step, index) => (typeof step === 'number' ? '[]' : index === 0 ? step : `.${step}`)).join('');
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
