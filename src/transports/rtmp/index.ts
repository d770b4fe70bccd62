import type { ByteStream } from '../../model/byte-stream.js';
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
  let undecided = 0;
  return {
    accept(stream: ByteStream, onGone: () => void): void {
      if (undecided >= options.maxUnauthenticated) {
        deps.metrics.count('connections_refused_total', { transport: 'RTMP', reason: 'limit-connections' });
        stream.destroy();
        onGone();
        return;
      }
      undecided += 1;
      const endSetUp = deps.setupStarted();
      let isSettingUp = true;
      const watcher = {
        onLetIn: () => {
          undecided -= 1;
        },
        onSetUp: () => {
          if (isSettingUp) endSetUp();
          isSettingUp = false;
        },
        onGone,
      };
      new RtmpConnection(stream, { deps, options, capabilities }, watcher).start();
    },
  };
}
