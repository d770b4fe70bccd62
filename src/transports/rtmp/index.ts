import type { ByteStream } from '../../model/byte-stream.js';
import { createWaitingRoom } from '../../net/waiting-room.js';
import { Capabilities } from './capabilities.js';
import { RtmpConnection } from './connection.js';
import type { RtmpDeps, RtmpOptions } from './options.js';
import { probeOrigin } from './origin-leg.js';

/** The RTMP tongue: takes accepted streams of bytes from here on. */
export interface RtmpTransport {
  /** Takes the stream; `onGone` is called once, when it has closed. */
  accept(stream: ByteStream, onGone: () => void): void;
}

/** Makes the RTMP transport; RTMPS is the same code behind a TLS listener. */
export function createRtmpTransport(deps: RtmpDeps, options: RtmpOptions): RtmpTransport {
  const capabilities = new Capabilities(
    deps.chooseOrigin,
    async (origin, connect, signal) => {
      const stream = await deps.dial(origin, signal);
      return probeOrigin(stream, origin, connect, { random: deps.random, now: () => deps.clock.now() }, signal);
    },
    deps.clock,
  );
  const waiting = createWaitingRoom({
    ...{ ...deps, transport: 'RTMP' },
    max: () => options.maxUnauthenticated,
    maxPerAddress: (address) => options.maxUnauthenticatedPerAddress(address),
  });
  return {
    accept(stream, onGone) {
      const watcher = waiting.enter(stream, onGone);
      if (watcher !== undefined) new RtmpConnection(stream, { deps, options, capabilities }, watcher).start();
    },
  };
}
