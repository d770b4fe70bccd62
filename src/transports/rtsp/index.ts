import type { ByteStream } from '../../model/byte-stream.js';
import { RtspConnection } from './connection.js';
import type { RtspDeps, RtspOptions } from './options.js';

/** The RTSP tongue: takes accepted streams of bytes from here on. */
export interface RtspTransport {
  /** Takes the stream; `onGone` is called once, when it has closed. */
  accept(stream: ByteStream, onGone: () => void): void;
}

/** Makes the RTSP transport; RTSPS is the same code behind a TLS listener. */
export function createRtspTransport(deps: RtspDeps, options: RtspOptions): RtspTransport {
  let undecided = 0;
  return {
    accept(stream, onGone) {
      if (undecided >= options.maxUnauthenticated) {
        deps.metrics.count('connections_refused_total', { transport: 'RTSP', reason: 'limit-connections' });
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
      new RtspConnection(stream, { deps, options }, watcher).start();
    },
  };
}
