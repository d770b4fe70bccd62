/** One way to send a kind of media, as an offer names it. */
export interface OfferedCodec {
  readonly name: string;
  /** Value of `a=fmtp`, without the payload type; empty when there is none. */
  readonly parameters: string;
}

const VIDEO = ['VP8', 'VP9', 'H264', 'AV1'];

/** The video codecs of an offer that this origin can pass on, in the order in which the client prefers them. */
export function offeredVideo(sdp: string): readonly OfferedCodec[] {
  const section = /^m=video [^\r\n]*[^]*?(?=^m=|$(?![\r\n]))/m.exec(sdp)?.[0] ?? '';
  const types = /^m=video \S+ \S+ ([\d ]+)/.exec(section)?.[1]?.split(' ') ?? [];
  return types.flatMap((type): readonly OfferedCodec[] => {
    const name = new RegExp(`^a=rtpmap:${type} ([A-Za-z0-9]+)/90000`, 'm').exec(section)?.[1]?.toUpperCase();
    const parameters = new RegExp(`^a=fmtp:${type} ([^\\r\\n]*)`, 'm').exec(section)?.[1] ?? '';
    if (name === undefined || !VIDEO.includes(name)) return [];
    // The other mode cannot carry what encoders of today make.
    if (name === 'H264' && !/packetization-mode=1/.test(parameters)) return [];
    return [{ name, parameters }];
  });
}

/** Which codec of a viewer's offer takes what a publisher sends; undefined when none does. H.264 wants the closest profile. */
export function matchingVideo(sent: OfferedCodec, sdp: string): OfferedCodec | undefined {
  const same = offeredVideo(sdp).filter(({ name }) => name === sent.name);
  const profile = profileOf(sent);
  return same.find((one) => profileOf(one) === profile) ?? same[0];
}

/** The first byte of `profile-level-id`, which tells baseline from main and high. @see RFC 6184 §8.1 */
function profileOf({ parameters }: OfferedCodec): string {
  return /profile-(?:level-)?id=([0-9a-f]{1,2})/i.exec(parameters)?.[1]?.toLowerCase() ?? '';
}
