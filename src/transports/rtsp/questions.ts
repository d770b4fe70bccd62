import { reject, type Rejection } from '../../model/rejection.js';
import type { ConnectionRequest, StreamTarget } from '../../model/request.js';
import { mergeCredentials } from '../../wire/credential-parts.js';
import { normaliseStreamPath } from '../../wire/stream-path.js';
import type { RequestFields } from './credential.js';

/** Who asks. */
export interface Asker {
  readonly sessionId: string;
  readonly remoteAddress: string;
  readonly secure: boolean;
}

/** A question ready for the law, or one whose answer is clear already. */
export interface Asked {
  readonly request: ConnectionRequest;
  readonly rejection?: Rejection;
}

const NOWHERE: StreamTarget = { app: '', room: null, name: null };

/** Makes the question of an ANNOUNCE (`publish`), a DESCRIBE or a bare SETUP (`subscribe`). */
export function ask(asker: Asker, action: 'publish' | 'subscribe', fields: RequestFields): Asked {
  const path = normaliseStreamPath(fields.path);
  const merged = mergeCredentials(fields.credentials);
  const rejection =
    fields.refused ??
    (merged.ok ? undefined : merged.rejection) ??
    (path.ok ? undefined : reject('path-invalid', path.detail));
  // What cannot be taken is refused without a credential: nobody has to be sure which token was meant.
  const credential = fields.refused === undefined && merged.ok ? merged.credential : undefined;
  const request: ConnectionRequest = Object.freeze({
    ...asker,
    action,
    transport: 'RTSP',
    target: path.ok ? path.target : NOWHERE,
    ...(credential && { credential }),
  });
  return { request, ...(rejection && { rejection }) };
}
