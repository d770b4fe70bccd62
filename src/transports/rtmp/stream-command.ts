import type { AmfValue } from './wire/amf-value.js';
import type { Command } from './wire/command.js';

/** How a stream is asked for, beside its name; safe to repeat to an origin. */
export type StreamWish =
  | { readonly kind: 'publish'; readonly type: 'live' | 'record' | 'append' }
  | {
      readonly kind: 'play';
      /** Seconds or milliseconds as the client means them; negative asks for live. */
      readonly start: number;
    };

/** ffmpeg, librtmp and rtmp2src all say a negative start for a live stream; this one tries live, then recorded. */
const LIVE_OR_RECORDED = -2;

/**
 * Reads publish and play. The name comes as it was sent, of whatever type. The publish type is `live` unless the config lets a client make the origin write files.
 * @see RTMP 1.0 §7.2.2.1, §7.2.2.6
 */
export function readPublishOrPlay(command: Command, allowRecord: boolean): { name: AmfValue; wish: StreamWish } {
  const [name, second] = command.args;
  if (command.name === 'publish') {
    const isRecording = allowRecord && (second === 'record' || second === 'append');
    return { name, wish: { kind: 'publish', type: isRecording ? second : 'live' } };
  }
  const start = typeof second === 'number' && Number.isFinite(second) ? second : LIVE_OR_RECORDED;
  return { name, wish: { kind: 'play', start } };
}
