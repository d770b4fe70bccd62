import type { ByteStream } from '../../model/byte-stream.js';
import { GatewayError, WireError } from '../../model/errors.js';
import type { OriginChoice } from '../../model/leg.js';
import { Secret } from '../../model/secret.js';
import type { ConnectFields } from './credential.js';
import { probeOrigin, type OriginLegDeps } from './origin-leg.js';

/** We are nobody in particular; all that goes out is made of the origin's own words. */
const PLAIN_CONNECT: ConnectFields = {
  app: new Secret(''),
  appPath: '',
  credentials: [],
  parameterNames: [],
  enhanced: {},
  objectEncoding: 0,
};

/**
 * Asks an origin by handshake and connect whether it lives. A no to the connect is an answer like any other, and so is a
 * close in place of one (nginx-rtmp, for an app it does not have). The stream is closed.
 * Rejects with GatewayError when it does not answer, or speaks no RTMP.
 */
export async function checkRtmpOrigin(
  stream: ByteStream,
  origin: OriginChoice,
  deps: OriginLegDeps,
  signal: AbortSignal,
): Promise<void> {
  try {
    await probeOrigin(stream, origin, PLAIN_CONNECT, deps, signal);
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'origin-refused' && !(error.cause instanceof WireError)) return;
    throw error;
  }
}
