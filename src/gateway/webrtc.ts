import { randomBytes } from 'node:crypto';
import type { Config, HttpEndpoint, Origin } from '../config/config.js';
import type { Clock } from '../model/clock.js';
import type { Door } from '../model/leg.js';
import type { Log, Metrics } from '../model/telemetry.js';
import type { Admission } from '../net/admission.js';
import { callHttp } from '../net/http-client.js';
import { listenHttpServer, type HttpListener } from '../net/http-server.js';
import { createWebrtcTransport, type WebrtcTransport } from '../transports/webrtc/index.js';
import type { MediaPlane } from '../transports/webrtc/media/media-plane.js';
import { createMediaPlane } from '../transports/webrtc/media/plane.js';
import type { OriginManners } from '../transports/webrtc/presets.js';
import type { CertificateCare } from './certificates.js';
import type { Live } from './live.js';
import type { TrustedProxies } from './proxies.js';

/** What WHIP and WHEP need of the rest of the gateway. */
export interface WebrtcParts {
  readonly door: Door;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined where no port for media is open. */
  readonly media: MediaPlane | undefined;
}

/** Opens the port for media, where the config names one. Rejects with GatewayError `listen-failed`. */
export async function openMedia(
  config: Config,
  { clock, log, metrics }: Pick<WebrtcParts, 'clock' | 'log' | 'metrics'>,
): Promise<MediaPlane | undefined> {
  const { media } = config.listen;
  if (media === undefined) return undefined;
  const { host, port, publicAddresses } = media;
  const { connections } = config.limits;
  return createMediaPlane({
    ...{ host, port, publicAddresses, clock, log, metrics, random: randomBytes },
    ...(connections > 0 && { limits: { maxSessions: connections } }),
  });
}

/** Joins the WebRTC transport to its origins, as the config that holds says. */
export function joinWebrtc(live: Live, parts: WebrtcParts): WebrtcTransport {
  const { door, clock, log, metrics, media } = parts;
  return createWebrtcTransport(
    {
      ...{ door, clock, log, metrics, media, random: randomBytes },
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
  readonly transport: WebrtcTransport;
  readonly admission: Admission;
  readonly certificates: CertificateCare;
  readonly proxies: TrustedProxies;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
}

/** Opens a listener for WHIP and WHEP. Rejects with GatewayError `listen-failed` or `certificate-unusable`. */
export function listenForWebrtc(
  config: Config,
  endpoint: HttpEndpoint,
  isSecure: boolean,
  { transport, admission, certificates, proxies, metrics, clock, onError }: HttpListening,
): Promise<HttpListener> {
  const { host, port, publicUrl, pages } = endpoint;
  const timeoutMs = config.limits.handshakeTimeoutSeconds * 1000;
  const count = (): void => metrics.gauge('connections', { transport: 'HTTP' }, admission.total('HTTP'));
  return listenHttpServer({
    ...{ host, port, clock, onError },
    ...(isSecure && certificates.now),
    proxies: proxies.rulesOf(endpoint, 'HTTP'),
    forwarded: proxies.forwardedOf(endpoint),
    limits: { headersTimeoutMs: timeoutMs, requestTimeoutMs: timeoutMs },
    handle: (request) => transport.answer(request, { publicUrl, pages }),
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
