import { WireError } from '../../model/errors.js';
import { attributeName, editLines, readSdp, writeSdp, type Sdp } from '../../wire/sdp.js';
import { replaceAddresses } from '../../wire/sdp-address.js';
import type { RtspRequest } from './wire/message.js';
import { readControls } from './wire/sdp-control.js';

/** Tracks of one stream: as many as have two channels of their own. */
export const MAX_TRACKS = 16;

/** A session description, and what its tracks are called in it. */
export interface Description {
  readonly sdp: Sdp;
  /** One for each media section; undefined where the section has no name of its own. */
  readonly controls: readonly (string | undefined)[];
}

/**
 * Reads the description of a stream. Throws WireError as readSdp does, and `sdp-tracks` when it has none or too many.
 */
export function readDescription(body: Buffer): Description {
  const sdp = readSdp(body);
  const controls = readControls(sdp);
  if (controls.length === 0 || controls.length > MAX_TRACKS) {
    throw new WireError('sdp-tracks', `1 to ${MAX_TRACKS} media sections`);
  }
  return { sdp, controls };
}

/** Whether the body of an ANNOUNCE says that it is a description. */
export function isDescription(request: RtspRequest): boolean {
  return /^application\/sdp\s*(?:;|$)/i.test(request.headers.get('Content-Type') ?? '');
}

/** What one side calls track `index` when the gateway names it. */
export function trackName(index: number): string {
  return `trackID=${index}`;
}

/**
 * The description for the other leg: tracks named by the gateway, no address of this leg, no line that names `host`.
 * What is about codecs and keys stays as it came.
 */
export function describeAnew(sdp: Sdp, host: string): Buffer {
  const bare = editLines(replaceAddresses(sdp, '0.0.0.0'), (line) => {
    if (attributeName(line) === 'control' || line.startsWith('u=')) return [];
    return /[.:]/.test(host) && !line.startsWith('m=') && line.includes(host) ? hostless(line, host) : line;
  });
  return writeSdp({
    ...bare,
    session: [...bare.session, 'a=control:*'],
    media: bare.media.map((lines, index) => [...lines, `a=control:${trackName(index)}`]),
  });
}

/** The name of the session must stay, whatever it says; all else that names the host is dropped. */
function hostless(line: string, host: string): string | readonly string[] {
  return line.startsWith('s=') ? line.split(host).join('-') : [];
}
