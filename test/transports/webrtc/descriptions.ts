/** A fingerprint of the right shape. */
export const FINGERPRINT =
  'sha-256 0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9:0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9';

/** Joins lines as they go over the wire. */
export function sdpText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join('');
}

/** A publisher's offer in the way of Chromium: everything at media level, candidates gathered. */
export const CHROMIUM_OFFER: readonly string[] = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS stream',
  'm=audio 51000 UDP/TLS/RTP/SAVPF 111 63',
  'c=IN IP4 192.168.7.20',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:1 1 udp 2122260223 192.168.7.20 51000 typ host generation 0 network-id 1',
  'a=candidate:2 1 udp 2122194687 0f2a6f2e-7d8d-4b54-9e8a-0123456789ab.local 51001 typ host generation 0',
  'a=candidate:3 1 tcp 1518280447 192.168.7.20 9 typ host tcptype active generation 0',
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'a=ice-options:trickle',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=sendonly',
  'a=msid:stream audio-track',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=rtpmap:63 red/48000/2',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP4 0.0.0.0',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1',
  'a=ice-options:trickle',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:actpass',
  'a=mid:1',
  'a=sendonly',
  'a=msid:stream video-track',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rid:q send',
  'a=rid:h send',
  'a=simulcast:send q;h',
];

/** OBS 30: ICE and DTLS at session level (W14), an unknown group and a codec in capitals (W15), no candidates (W13), a private c= line. */
export const OBS_OFFER: readonly string[] = [
  'v=0',
  'o=rtc 3767197920 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=group:LS 0 1',
  'a=msid-semantic:WMS *',
  'a=setup:actpass',
  'a=ice-ufrag:cq5i',
  'a=ice-pwd:tQ1xJtVb8rGQfSQmA9nLwJ',
  'a=ice-options:ice2,trickle',
  `a=fingerprint:${FINGERPRINT}`,
  'm=audio 56231 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 192.168.1.7',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 OPUS/48000/2',
  'm=video 56231 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 192.168.1.7',
  'a=mid:1',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:96 H264/90000',
];

/** ffmpeg 8.0: `setup:passive`, outside of RFC 9725. */
export const FFMPEG_OFFER: readonly string[] = [
  'v=0',
  'o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1',
  's=FFmpegPublishSession',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:a174abc6',
  'a=ice-pwd:7f3c2a15d3dbb8d77ba9a5f2a9b0c7b1',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:passive',
  'a=mid:0',
  'a=sendonly',
  'a=msid:FFmpeg audio',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=ssrc:123 cname:FFmpeg',
  'm=video 9 UDP/TLS/RTP/SAVPF 106',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:a174abc6',
  'a=ice-pwd:7f3c2a15d3dbb8d77ba9a5f2a9b0c7b1',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:passive',
  'a=mid:1',
  'a=sendonly',
  'a=msid:FFmpeg video',
  'a=rtcp-mux',
  'a=rtcp-rsize',
  'a=rtpmap:106 H264/90000',
];

/** A viewer's offer. */
export const VIEWER_OFFER: readonly string[] = CHROMIUM_OFFER.filter(
  (line) => !/^a=(msid:|rid|simulcast|candidate)/.test(line),
).map((line) => (line === 'a=sendonly' ? 'a=recvonly' : line));

/** An origin's answer in the way of werift and libwebrtc: a full agent, several candidates. */
export const ORIGIN_ANSWER: readonly string[] = [
  'v=0',
  'o=- 77654321 0 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=msid-semantic:WMS *',
  'm=audio 10200 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 10.0.0.5',
  'a=ice-ufrag:orig',
  'a=ice-pwd:0123456789abcdefghijkl',
  'a=ice-options:trickle',
  'a=candidate:a 1 udp 2130706431 10.0.0.5 10200 typ host generation 0',
  'a=candidate:b 1 udp 2130706175 2001:db8::5 10201 typ host',
  'a=candidate:c 1 udp 2130705919 origin-5.local 10202 typ host',
  'a=candidate:d 1 tcp 2130705663 10.0.0.5 10203 typ host tcptype passive',
  'a=end-of-candidates',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:active',
  'a=mid:0',
  'a=recvonly',
  'a=rtcp:10200 IN IP4 10.0.0.5',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:orig',
  'a=ice-pwd:0123456789abcdefghijkl',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:active',
  'a=mid:1',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
];

/** An ice-lite origin's answer in the way of SRS: its data at session level. */
export const LITE_ANSWER: readonly string[] = [
  'v=0',
  'o=SRS/7.0 107651 2 IN IP4 0.0.0.0',
  's=SRSPublishSession',
  't=0 0',
  'a=ice-lite',
  'a=group:BUNDLE 0 1',
  'a=ice-ufrag:lite1234',
  'a=ice-pwd:0123456789abcdefghijklmnopqrstuv',
  `a=fingerprint:${FINGERPRINT}`,
  'a=setup:passive',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=mid:0',
  'a=rtcp-mux',
  'a=recvonly',
  'a=candidate:0 1 udp 2130706431 10.0.0.9 8000 typ host generation 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=rtcp-mux',
  'a=recvonly',
];

/** An origin's offer to a viewer, as Red5's WHEP makes one. */
export const ORIGIN_OFFER: readonly string[] = ORIGIN_ANSWER.map((line) =>
  line.replace('setup:active', 'setup:actpass').replace('a=recvonly', 'a=sendonly'),
);

/** A viewer's answer to it. */
export const VIEWER_ANSWER: readonly string[] = VIEWER_OFFER.map((line) =>
  line.replace('setup:actpass', 'setup:active'),
);
