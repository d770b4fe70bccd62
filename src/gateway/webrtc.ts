import { randomBytes } from 'node:crypto';
import type { Origin } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { Door } from '../model/leg.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { Admission } from '../net/admission.js';
import { callHttp } from '../net/http-client.js';
import { listenHttpServer, type HttpListener } from '../net/http-server.js';
import { createWebrtcTransport, type WebrtcTransport } from '../transports/webrtc/index.js';
import type { OriginManners } from '../transports/webrtc/presets.js';
import type { HttpOpening } from './listeners.js';
import type { Live } from './live.js';
import type { MediaPorts } from './media-ports.js';
import type { TrustedProxies } from './proxies.js';

/** What WHIP and WHEP need of the rest of the gateway. */
export interface WebrtcParts {
  readonly door: Door;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly mediaPorts: Pick<MediaPorts, 'now'>;
}

/** Joins the WebRTC transport to its origins, as the config that holds says. */
export function joinWebrtc(live: Live, parts: WebrtcParts): WebrtcTransport {
  const { door, clock, log, metrics, mediaPorts } = parts;
  return createWebrtcTransport(
    {
      ...{ door, clock, log, metrics, random: randomBytes },
      get media() {
        return mediaPorts.now;
      },
      mannersOf: (name) => {
        const origin = live.now.config.origins.find((one) => one.name === name);
        return origin && mannersOf(origin);
      },
      call: async (call, name) => {
        const { health } = live.now.origins;
        try {
          const reply = await callHttp({ ...call, addressesOf: (host) => live.now.origins.addressesOf(host) });
          health.answered(name);
          return reply;
        } catch (error) {
          if (!call.signal.aborted) health.failed(name, error instanceof Error ? error.message : 'unknown');
          throw error;
        }
      },
    },
    {
      get maxPending() {
        return live.options.maxUnauthenticated;
      },
      maxPendingPerAddress: live.options.maxUnauthenticatedPerAddress,
      get originTimeoutMs() {
        return live.now.config.limits.dialTimeoutSeconds * 1000;
      },
      get ifMatch() {
        return live.now.config.relay.ifMatch;
      },
      get allowRecord() {
        return live.options.allowRecord;
      },
      get iceServers() {
        return live.now.config.listen.media?.iceServers ?? [];
      },
    },
  );
}

function mannersOf({ preset, http, forwardedFor }: Origin): OriginManners | undefined {
  // Checked by the config: it has no WHIP.
  if (http === undefined || preset === 'nginx-rtmp') return undefined;
  const { path, endpoint, credentials, media, nodeGroup } = http;
  return {
    ...{ preset, basePath: path, credentials, media, forwardedFor },
    ...(endpoint !== undefined && { endpoint }),
    ...(nodeGroup !== undefined && { nodeGroup }),
  };
}

/** What a listener for WHIP and WHEP needs. */
export interface HttpListening {
  readonly live: Live;
  readonly transport: WebrtcTransport;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Origins that may frame the tile of the watch page; known when the admin listener is open. */
  readonly framedBy: () => readonly string[];
}

/** Opens a listener for WHIP and WHEP. Rejects with GatewayError `listen-failed` or `certificate-unusable`. */
export function listenForWebrtc(
  name: 'http' | 'https',
  { endpoint, timeoutMs, tls, onError }: HttpOpening,
  { live, transport, admission, proxies, metrics, clock, framedBy }: HttpListening,
): Promise<HttpListener> {
  const { host, port } = endpoint;
  const count = (): void => metrics.gauge('connections', { transport: 'HTTP' }, admission.total('HTTP'));
  return listenHttpServer({
    ...{ host, port, clock, onError },
    ...tls,
    proxies: proxies.rulesOf(endpoint, 'HTTP'),
    forwarded: proxies.forwardedOf(endpoint),
    limits: { headersTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs },
    handle: (request) => {
      // What a reload may change without another port; a listener that is closing goes on as it was.
      const { publicUrl, pages } = live.now.config.listen[name] ?? endpoint;
      return transport.answer(request, { publicUrl, pages, framedBy: pages ? framedBy() : [] });
    },
    refuse: (status) => transport.refuse(status),
    admit: (remoteAddress, destroy) => {
      const onGone = admission.admit({ remoteAddress, destroy }, 'HTTP');
      if (onGone === undefined) return undefined;
      count();
      return () => {
        onGone();
        count();
      };
    },
    onBadHandshake: (reason) => metrics.count('connections_refused_total', { transport: 'HTTP', reason }),
  });
}
