import { mergeCredentials } from '../../wire/credential-parts.js';
import { makeQuestion, type Asked, type Asker } from '../../wire/question.js';
import { normaliseStreamPath } from '../../wire/stream-path.js';
import type { RequestFields } from './credential.js';

/** Makes the question of an ANNOUNCE (`publish`), a DESCRIBE or a bare SETUP (`subscribe`). */
export function ask(asker: Omit<Asker, 'transport'>, action: 'publish' | 'subscribe', fields: RequestFields): Asked {
  return makeQuestion({ ...asker, transport: 'RTSP' }, action, {
    path: normaliseStreamPath(fields.path),
    merged: mergeCredentials(fields.credentials),
    refused: fields.refused,
  });
}
