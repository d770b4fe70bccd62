import type { HttpEndpoint, MediaListener } from '../config/config.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { ReadForwarded } from '../net/http-request.js';
import type { ProxyRules } from '../net/proxy-head.js';
import { readForwarded } from '../wire/forwarded.js';
import type { Live } from './live.js';

/** Whom the config that holds believes when it tells a client's address. */
export interface TrustedProxies {
  /** What a listener does with headers of the PROXY protocol; undefined: it looks for none. */
  rulesOf(listener: MediaListener, transport: 'RTMP' | 'RTSP' | 'HTTP'): ProxyRules | undefined;
  /** How a listener finds the client of a request; undefined: it is the peer. */
  forwardedOf(listener: Pick<HttpEndpoint, 'forwarded'>): ReadForwarded | undefined;
}

/** What they are looked up and told of with. */
export interface TrustedProxiesDeps {
  readonly live: Pick<Live, 'now' | 'options'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Makes the one place that says which proxies are believed. */
export function createTrustedProxies({ live, log, metrics }: TrustedProxiesDeps): TrustedProxies {
  const isTrusted = (address: string): boolean => live.now.isShared(address);
  return {
    rulesOf({ proxyProtocol: mode }, transport) {
      if (mode === undefined) return undefined;
      return {
        mode,
        isTrusted,
        get timeoutMs() {
          return live.options.handshakeTimeoutMs;
        },
        get maxWaiting() {
          return live.options.maxUnauthenticated;
        },
        onBadHead(reason, address, detail) {
          metrics.count('connections_refused_total', { transport, reason });
          log.write('warn', 'connection.close', { transport, address, code: reason, detail });
        },
      };
    },
    forwardedOf: ({ forwarded: header }) => header && ((peer, find) => readForwarded(header, find, peer, isTrusted)),
  };
}
