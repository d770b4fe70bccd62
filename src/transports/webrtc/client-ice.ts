/** A client's side of ICE, as it has told it. */
export interface ClientIce {
  readonly ufrag: string;
  /** A fragment that says it once more and nothing else. @see RFC 8840 §9 */
  readonly fragment: string;
}

/** Reads it from a description or a fragment; undefined where there is none. */
export function clientIceOf(sdp: string): ClientIce | undefined {
  const find = (pattern: RegExp): string | undefined => pattern.exec(sdp)?.[1];
  const ufrag = find(/^a=ice-ufrag:(\S{1,256})\s*$/m);
  const pwd = find(/^a=ice-pwd:(\S{1,256})\s*$/m);
  if (ufrag === undefined || pwd === undefined) return undefined;
  const media = find(/^(m=[\x20-\x7e]{1,512}?)\s*$/m) ?? 'm=audio 9 UDP/TLS/RTP/SAVPF 0';
  const mid = find(/^a=mid:(\S{1,256})\s*$/m) ?? '0';
  const lines = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, media, `a=mid:${mid}`];
  return { ufrag, fragment: lines.map((line) => `${line}\r\n`).join('') };
}
