import type { Config } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { StartRelay } from '../model/leg.js';
import type { Pacer } from '../net/pacing.js';
import { createRelay } from '../relay/relay.js';

/** Makes the relay of accepted streams, as the config says. */
export function createRelaying(config: Config, clock: Clock, pacer: Pacer): StartRelay {
  return paced(relayOf(config, clock), pacer);
}

function relayOf(config: Config, clock: Clock): StartRelay {
  return createRelay({
    clock,
    idleTimeoutMs: config.limits.idleTimeoutSeconds * 1000,
    viewerBufferBytes: config.relay.viewerBufferBytes,
    viewerStallMs: config.relay.viewerStallSeconds * 1000,
  });
}

/** A relay that tells the pacer when it runs. */
function paced(start: StartRelay, pacer: Pacer): StartRelay {
  return (ends, onEnd) => {
    const over = pacer.relayStarted();
    const relay = start(ends, (reason, error) => {
      over();
      onEnd(reason, error);
    });
    return {
      get clientBytes() {
        return relay.clientBytes;
      },
      get originBytes() {
        return relay.originBytes;
      },
      stop() {
        over();
        relay.stop();
      },
    };
  };
}
