import { fileURLToPath } from 'node:url';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import type { Log } from '../model/telemetry.js';
import { supervise, type Supervised } from './supervisor.js';

/** What WHIP and WHEP of the embedded origin need; npm leaves it out below Node 22, where it runs all the same. */
export const WEBRTC_PACKAGE = 'werift@0.25.2';

/** What the embedded origin needs. */
export interface EmbeddedOriginOptions {
  readonly log: Log;
  readonly clock: Clock;
}

/** A running origin on loopback: a process for each kind of transport. */
export interface EmbeddedOrigin {
  /** The same after every restart, like the others. */
  readonly rtmpPort: number;
  readonly rtspPort: number;
  /** WHIP and WHEP by HTTP; undefined where `WEBRTC_PACKAGE` is not installed. */
  readonly httpPort: number | undefined;
  /** Ends all processes for good; idempotent, never rejects. */
  stop(): Promise<void>;
}

/**
 * Starts the origin of `portcullis dev`: node-media-server for RTMP, a small relay for RTSP and one on werift for WHIP
 * and WHEP, in processes of their own, on free ports of 127.0.0.1. They accept apps and stream names of letters, digits, `-` and `_` only (see `originStream`, placement `flat`).
 * Rejects with GatewayError `embedded-origin-package-missing` (of RTMP), `-package-strange` or `-port`; nothing runs on then.
 */
export async function startEmbeddedOrigin(options: EmbeddedOriginOptions): Promise<EmbeddedOrigin> {
  const started: Supervised[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
  };
  const start = async (name: string, needs?: string): Promise<number> => {
    const childFile = fileURLToPath(new URL(name, import.meta.url));
    const child = await supervise({ ...options, childFile, ...(needs !== undefined && { needs }) });
    started.push(child);
    return child.port;
  };
  try {
    return {
      rtmpPort: await start('./rtmp-child.js', 'node-media-server@4.4.3'),
      rtspPort: await start('./rtsp-child.js'),
      httpPort: await start('./webrtc-child.js', WEBRTC_PACKAGE).catch(noneIfMissing),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function noneIfMissing(error: unknown): undefined {
  if (error instanceof GatewayError && error.code === 'embedded-origin-package-missing') return undefined;
  throw error;
}
