import type { ByteStream } from '../../model/byte-stream.js';
import { createWaitingRoom } from '../../net/waiting-room.js';
import { RtspConnection } from './connection.js';
import type { RtspDeps, RtspOptions } from './options.js';

/** The RTSP tongue: takes accepted streams of bytes from here on. */
export interface RtspTransport {
  /** Takes the stream; `onGone` is called once, when it has closed. */
  accept(stream: ByteStream, onGone: () => void): void;
}

/** Makes the RTSP transport; RTSPS is the same code behind a TLS listener. */
export function createRtspTransport(deps: RtspDeps, options: RtspOptions): RtspTransport {
  const waiting = createWaitingRoom({
    ...{ ...deps, transport: 'RTSP' },
    max: () => options.maxUnauthenticated,
    maxPerAddress: (address) => options.maxUnauthenticatedPerAddress(address),
  });
  return {
    accept(stream, onGone) {
      const watcher = waiting.enter(stream, onGone);
      if (watcher !== undefined) new RtspConnection(stream, { deps, options }, watcher).start();
    },
  };
}
