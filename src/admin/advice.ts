import { REJECTIONS, type RejectionCode, type Side } from '../model/rejection.js';

/** What to do about each refusal, in one sentence for an operator; `docs/rejections.md` has more. */
export const ADVICE: Readonly<Record<RejectionCode, string>> = {
  'token-missing': 'Put ?token=… behind the stream name or into the server URL, or send it as Bearer.',
  'token-malformed': 'The token was usually cut off on the way: ffmpeg cuts at 1023 bytes, some encoders earlier.',
  'token-algorithm': 'Sign with the algorithm of the key, or set auth.keys[].algorithm.',
  'token-signature': 'Compare the secrets on both sides; "why" tells when another encoding of the secret fits.',
  'token-expired': 'Get a fresh token, and compare the clocks.',
  'token-not-yet-valid': 'Compare the clocks, or set auth.leewaySeconds.',
  'token-ttl-exceeded': 'Make tokens that live shorter, with exp in seconds, or raise auth.maxTtlMinutes.',
  'token-issuer': 'Compare iss with auth.issuers letter by letter; a slash at the end counts.',
  'token-audience': 'Compare aud with auth.audiences letter by letter.',
  'token-revoked': 'Get another token; the list of revocations says what is revoked.',
  'token-conflict': 'Send one token; an old one often stays in the server URL while a new one stands in the key.',
  'transport-denied': 'Add the transport to the red5-transport claim; RTMPS is RTMP.',
  'role-denied': 'Give the token red5-publisher to publish or red5-subscriber to play.',
  'room-denied': 'Compare red5-room with all that stands between app and name; case counts.',
  'path-invalid': 'Use app[/room…]/name, without empty or dot segments, ?, #, ; or backslashes.',
  'stream-busy': 'Choose another name, kick the publisher who has it, or set relay.publisherConflict.',
  'limit-connections': 'End some sessions, or raise the limit that detail names.',
  'limit-rate':
    'Mend what detail says it failed with before, then wait a minute; or raise the limit that detail names.',
  'address-denied': 'Come from an address that is allowed.',
  'hook-denied': 'Look at hooks in the config, and at what your own hooks say.',
  'hook-failed': 'Look at gateway.error, hook.state and keys.fetched in the log.',
  'origin-unavailable': 'Look at the origins here, and at the media server.',
  'origin-refused': "Look at the media server's log; it may want credentials (origins[].credentials).",
  draining: 'Connect again; the balancer will choose another gateway.',
  'malformed-request': 'The client sent what no client should; look at its version.',
  timeout: 'The client began and then was silent; look at the network between.',
};

/** Who can mend a refusal, the short reason, and what to do; undefined for a word that is no code. */
export function adviceOn(
  code: string,
): { readonly reason: string; readonly side: Side; readonly fix: string } | undefined {
  const known = (Object.keys(REJECTIONS) as RejectionCode[]).find((one) => one === code);
  return known && { reason: REJECTIONS[known].reason, side: REJECTIONS[known].side, fix: ADVICE[known] };
}
