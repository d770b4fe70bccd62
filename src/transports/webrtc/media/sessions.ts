import { WireError } from '../../../model/errors.js';
import { checkClient, readDescription, type Description } from '../wire/sdp-check.js';
import { editForClient, editForOrigin, transportOf } from '../wire/sdp-edit.js';
import type { MediaRole, MediaSession, MediaSessionBase, OfferedMediaSession } from './media-plane.js';
import type { RelaySession } from './relay-session.js';

/** Longest description that all clients take: ffmpeg 8 reads 8192 bytes with the end of its text. */
const MAX_CLIENT_SDP_BYTES = 8191;

/** Reads the offer of a client. Throws WireError. */
export function readClientOffer(text: string, role: MediaRole): Description {
  const offer = readDescription(text, { kind: 'offer' });
  checkClient(offer, role);
  return offer;
}

/** Reads what an origin says of itself. Throws WireError, also `unsupported-sdp-candidates` where there is nothing to send to. */
export function readOrigin(text: string, kind: 'offer' | 'answer', sections?: number): Description {
  const description = readDescription(text, { kind, ...(sections !== undefined && { sections }) });
  if (description.candidates.length === 0) {
    throw new WireError('unsupported-sdp-candidates', 'at least one a=candidate of UDP with an address');
  }
  return description;
}

/**
 * A session whose offer came from the client. We made the offer towards the origin, so we control there, whether it is lite or not.
 * @see RFC 8445 §6.1.1
 */
export function answeredSession(relay: RelaySession, offer: Description, candidates: readonly string[]): MediaSession {
  relay.meetClient(offer);
  return {
    ...common(relay),
    sdpForOrigin: editForOrigin(offer, relay.upstreamIce),
    answer(originSdp) {
      const answer = readOrigin(originSdp, 'answer', offer.sdp.media.length);
      relay.meetOrigin(answer, true);
      relay.answered(transportOf(answer));
      return shortEnough(relay, (some) => editForClient(answer, relay.clientIce, some), candidates);
    },
  };
}

/** A session whose offer came from the origin, which therefore controls unless it is lite. */
export function offeredSession(
  relay: RelaySession,
  offer: Description,
  candidates: readonly string[],
): OfferedMediaSession {
  relay.meetOrigin(offer, offer.isLite);
  return {
    ...common(relay),
    sdpForClient: shortEnough(relay, (some) => editForClient(offer, relay.clientIce, some), candidates),
    answer(clientSdp) {
      const answer = readDescription(clientSdp, { kind: 'answer', sections: offer.sdp.media.length });
      checkClient(answer, relay.role);
      relay.meetClient(answer);
      relay.answered(transportOf(offer));
      return editForOrigin(answer, relay.upstreamIce);
    },
  };
}

/**
 * What fits into ffmpeg's buffer if it can be made to: with our best candidate alone. The rest is the origin's, and browsers
 * take longer ones, so it is only noted.
 */
function shortEnough(
  relay: RelaySession,
  write: (candidates: readonly string[]) => string,
  candidates: readonly string[],
): string {
  const full = write(candidates);
  if (Buffer.byteLength(full) <= MAX_CLIENT_SDP_BYTES) return full;
  const short = write(candidates.slice(0, 1));
  const bytes = Buffer.byteLength(short);
  if (bytes > MAX_CLIENT_SDP_BYTES) relay.note('long-description', { bytes });
  return short;
}

function common(relay: RelaySession): MediaSessionBase {
  return {
    patch: (fragment) => relay.patch(fragment),
    run: (onEnd) => relay.run(onEnd),
    end: () => relay.end(),
    stats: () => relay.stats(),
  };
}
