import type { Identity } from '../../src/model/identity.js';
import type { ConnectionRequest, Credential } from '../../src/model/request.js';
import { Secret } from '../../src/model/secret.js';

/** A request to publish `live/room1/cam` over RTMP, with parts changed. */
export function makeRequest(changed: Partial<ConnectionRequest> & { readonly token?: string } = {}): ConnectionRequest {
  const { token, ...rest } = changed;
  const credential: Credential | undefined =
    token === undefined ? undefined : { token: new Secret(token), carrier: 'amf-arguments' };
  return Object.freeze<ConnectionRequest>({
    sessionId: 's1',
    action: 'publish',
    transport: 'RTMP',
    secure: false,
    remoteAddress: '192.0.2.1',
    target: { app: 'live', room: 'room1', name: 'cam' },
    ...(credential && { credential }),
    ...rest,
  });
}

/** An identity without limits, with parts changed. */
export function makeIdentity(changed: Partial<Identity> = {}): Identity {
  return { expiresAtS: 2_000_000_000, ...changed };
}
