import { reject, type Rejection } from '../model/rejection.js';
import type { ConnectionRequest, StreamTarget } from '../model/request.js';
import type { Action, TransportName } from '../model/transport.js';
import type { MergedCredentials } from './credential-parts.js';
import type { PathResult } from './stream-path.js';

/** Who asks, and by which transport. */
export interface Asker {
  readonly sessionId: string;
  readonly transport: TransportName;
  readonly secure: boolean;
  /** IP address, without port. */
  readonly remoteAddress: string;
}

/** What a transport has cut out of a client's bytes. */
export interface Told {
  readonly path: PathResult;
  readonly merged: MergedCredentials;
  /** Something that no client may send was in it. */
  readonly refused?: Rejection | undefined;
}

/** A question ready for the law, or one whose answer is clear already. */
export interface Asked {
  readonly request: ConnectionRequest;
  readonly rejection?: Rejection;
}

const NOWHERE: StreamTarget = { app: '', room: null, name: null };

/**
 * Makes the question that the law is asked, the same for all transports. What cannot be taken is refused without a credential:
 * nobody has to be sure which token was meant.
 */
export function makeQuestion(asker: Asker, action: Action, { path, merged, refused }: Told): Asked {
  const rejection =
    refused ??
    (merged.ok ? undefined : merged.rejection) ??
    (path.ok ? undefined : reject('path-invalid', path.detail));
  const shown = refused === undefined && merged.ok ? merged : undefined;
  const request: ConnectionRequest = Object.freeze({
    ...asker,
    action,
    target: path.ok ? path.target : NOWHERE,
    ...(shown?.credential && { credential: shown.credential }),
    ...(shown?.account && { account: shown.account }),
  });
  return { request, ...(rejection === undefined ? {} : { rejection }) };
}
