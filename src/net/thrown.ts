import { types } from 'node:util';

/** What was thrown, as an Error. (`instanceof` would miss errors of another realm, as those of Node's core are in jest.) */
export function asError(thrown: unknown): Error {
  return types.isNativeError(thrown) ? thrown : new Error(String(thrown));
}
