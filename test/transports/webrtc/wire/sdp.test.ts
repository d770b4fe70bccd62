import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import { readCandidate, writeHostCandidate } from '../../../../src/transports/webrtc/wire/ice-candidate.js';
import { checkClient, isOffer, readDescription } from '../../../../src/transports/webrtc/wire/sdp-check.js';
import { editForClient, editForOrigin, transportOf } from '../../../../src/transports/webrtc/wire/sdp-edit.js';
import { readFragment, writeFragment } from '../../../../src/transports/webrtc/wire/sdp-fragment.js';
import {
  CHROMIUM_OFFER,
  FFMPEG_OFFER,
  FINGERPRINT,
  LITE_ANSWER,
  OBS_OFFER,
  ORIGIN_ANSWER,
  ORIGIN_OFFER,
  sdpText,
  VIEWER_ANSWER,
  VIEWER_OFFER,
} from '../descriptions.js';

const OURS = { ufrag: 'gateUfrg', pwd: 'gatewayPasswordOfOurs123' };
const CANDIDATES = [writeHostCandidate('203.0.113.7', 8189, 0), writeHostCandidate('2001:db8::7', 8189, 1)];
const LINES: readonly (readonly [name: string, lines: readonly string[]])[] = [
  ['Chromium', CHROMIUM_OFFER],
  ['OBS', OBS_OFFER],
  ['ffmpeg', FFMPEG_OFFER],
];

function offer(lines: readonly string[]) {
  return readDescription(sdpText(lines), { kind: 'offer' });
}
function answer(lines: readonly string[], sections = 2) {
  return readDescription(sdpText(lines), { kind: 'answer', sections });
}
function without(lines: readonly string[], pattern: RegExp): readonly string[] {
  return lines.filter((line) => !pattern.test(line));
}
function replaced(lines: readonly string[], pattern: RegExp, by: string): readonly string[] {
  return lines.map((line) => line.replace(pattern, by));
}
function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return 'fine';
}

describe('readDescription', () => {
  it('reads what a publisher of each kind offers', () => {
    expect(offer(CHROMIUM_OFFER)).toMatchObject({
      ice: { ufrag: 'EsAw', pwd: 'P2uYro0UCOQ4zxjKXaWCBui1' },
      isLite: false,
      transportSection: 0,
      candidates: [{ host: '192.168.7.20', port: 51000, priority: 2122260223 }],
    });
    expect(offer(FFMPEG_OFFER).ice.ufrag).toBe('a174abc6');
  });

  it('reads ICE data at session level, and no candidate from c= and m= (W14)', () => {
    expect(offer(OBS_OFFER)).toMatchObject({ ice: { ufrag: 'cq5i', pwd: 'tQ1xJtVb8rGQfSQmA9nLwJ' }, candidates: [] });
  });

  it('reads an origin, its usable candidates, and whether it is lite', () => {
    expect(answer(ORIGIN_ANSWER)).toMatchObject({
      isLite: false,
      candidates: [
        { host: '10.0.0.5', port: 10200 },
        { host: '2001:db8::5', port: 10201 },
      ],
    });
    expect(answer(LITE_ANSWER)).toMatchObject({ isLite: true, ice: { ufrag: 'lite1234' } });
  });

  it('takes the section that BUNDLE names first, wherever it stands', () => {
    const turned = replaced(CHROMIUM_OFFER, /BUNDLE 0 1/, 'BUNDLE 1 0');
    expect(offer(turned).transportSection).toBe(1);
    const rejected = replaced(ORIGIN_ANSWER, /^m=audio 10200/, 'm=audio 0');
    expect(answer(rejected).transportSection).toBe(1);
  });

  it('counts a bundle-only section as used', () => {
    const lines = replaced(CHROMIUM_OFFER, /^m=video 9/, 'm=video 0');
    const bundled = lines.map((line) => (line === 'a=mid:1' ? 'a=mid:1\r\na=bundle-only' : line));
    const withoutMux = without(bundled, /^a=rtcp-mux$/);
    expect(codeOf(() => offer(bundled))).toBe('fine');
    expect(codeOf(() => offer(withoutMux))).toBe('unsupported-sdp-rtcp-mux');
  });

  it('takes one section without a group, and a data channel beside media', () => {
    const audio = without(
      CHROMIUM_OFFER.slice(0, CHROMIUM_OFFER.indexOf('m=video 9 UDP/TLS/RTP/SAVPF 96 97')),
      /group/,
    );
    expect(offer(audio).transportSection).toBe(0);
    const data = [
      'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 0.0.0.0',
      'a=mid:2',
      'a=sctp-port:5000',
    ];
    const all = replaced([...CHROMIUM_OFFER, ...data], /BUNDLE 0 1/, 'BUNDLE 0 1 2');
    expect(codeOf(() => offer(all))).toBe('fine');
  });

  it.each<readonly [string, string, readonly string[]]>([
    ['no media', 'sdp-no-media', CHROMIUM_OFFER.slice(0, 7)],
    ['nothing but rejected sections', 'unsupported-sdp-rejected', replaced(CHROMIUM_OFFER, /^(m=\S+) \d+/, '$1 0')],
    ['media without DTLS', 'unsupported-sdp-protocol', replaced(CHROMIUM_OFFER, /UDP\/TLS\/RTP\/SAVPF/, 'RTP/AVP')],
    ['sections without a group', 'unsupported-sdp-bundle', without(CHROMIUM_OFFER, /BUNDLE/)],
    ['a group of another kind only', 'unsupported-sdp-bundle', replaced(CHROMIUM_OFFER, /BUNDLE/, 'LS')],
    ['a section outside of the group', 'unsupported-sdp-bundle', replaced(CHROMIUM_OFFER, /BUNDLE 0 1/, 'BUNDLE 0')],
    ['two sections of one mid', 'unsupported-sdp-bundle', replaced(CHROMIUM_OFFER, /mid:1/, 'mid:0')],
    ['RTCP on a port of its own', 'unsupported-sdp-rtcp-mux', without(CHROMIUM_OFFER, /^a=rtcp-mux$/)],
    ['no user name', 'sdp-ice', without(CHROMIUM_OFFER, /ice-ufrag/)],
    ['no password', 'sdp-ice', without(CHROMIUM_OFFER, /ice-pwd/)],
    ['a user name with a colon', 'sdp-ice', replaced(CHROMIUM_OFFER, /ufrag:EsAw/, 'ufrag:Es:Aw')],
    ['a short password', 'sdp-ice', replaced(CHROMIUM_OFFER, /ice-pwd:.*/, 'ice-pwd:short')],
    ['no fingerprint', 'sdp-fingerprint', without(CHROMIUM_OFFER, /fingerprint/)],
    ['half a fingerprint', 'sdp-fingerprint', replaced(CHROMIUM_OFFER, /sha-256.*/, 'sha-256 AA:BB')],
    ['a DTLS role that is none', 'sdp-setup', replaced(CHROMIUM_OFFER, /actpass/, 'holdconn')],
    ['another version', 'sdp-version', replaced(CHROMIUM_OFFER, /^v=0/, 'v=1')],
  ])('refuses an offer with %s', (_name, code, lines) => {
    expect(codeOf(() => offer(lines))).toBe(code);
  });

  it('refuses an answer that leaves the DTLS role open, or has other sections than the offer', () => {
    expect(codeOf(() => answer(ORIGIN_OFFER))).toBe('sdp-setup');
    expect(codeOf(() => answer(ORIGIN_ANSWER, 3))).toBe('sdp-sections');
  });

  it('throws nothing but WireError for any text and for good ones with a line changed', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('m=audio', 'm=video 9 x', 'a=group:BUNDLE', 'a=mid:', 'a=candidate:1 1'),
    );
    fc.assert(
      fc.property(fc.nat(CHROMIUM_OFFER.length), line, fc.boolean(), (at, text, isWhole) => {
        const lines = CHROMIUM_OFFER.with(Math.min(at, CHROMIUM_OFFER.length - 1), text);
        codeOf(() => editForOrigin(readDescription(isWhole ? text : sdpText(lines), { kind: 'offer' }), OURS));
      }),
      { numRuns: 500 },
    );
  });
});

describe('checkClient', () => {
  it.each(LINES)('takes the offer of %s for a publisher and not for a viewer', (_name, lines) => {
    expect(codeOf(() => checkClient(offer(lines), 'publisher'))).toBe('fine');
    expect(codeOf(() => checkClient(offer(lines), 'subscriber'))).toBe('unsupported-sdp-direction');
  });

  it('takes a direction of the whole session, and sendrecv for want of one', () => {
    const bare = without(OBS_OFFER, /^a=sendonly/);
    expect(codeOf(() => checkClient(offer(bare), 'subscriber'))).toBe('fine');
    const atTop = [...bare.slice(0, 4), 'a=recvonly', ...bare.slice(4)];
    expect(codeOf(() => checkClient(offer(atTop), 'publisher'))).toBe('unsupported-sdp-direction');
    expect(codeOf(() => checkClient(offer(atTop), 'subscriber'))).toBe('fine');
  });

  it('refuses a client that makes no checks', () => {
    const lite = [...VIEWER_OFFER.slice(0, 4), 'a=ice-lite', ...VIEWER_OFFER.slice(4)];
    expect(codeOf(() => checkClient(offer(lite), 'subscriber'))).toBe('unsupported-sdp-ice-lite');
  });
});

describe('isOffer', () => {
  it('tells the body of a server that offers from an answer', () => {
    expect(isOffer(sdpText(ORIGIN_OFFER))).toBe(true);
    expect(isOffer(ORIGIN_OFFER.join('\n'))).toBe(true);
    expect(isOffer(sdpText(ORIGIN_ANSWER))).toBe(false);
    expect(isOffer('')).toBe(false);
  });
});

describe('editForOrigin', () => {
  it.each(LINES)('changes nothing in the offer of %s but ICE and addresses', (_name, lines) => {
    const edited = editForOrigin(offer(lines), OURS);
    const kept = without(lines, /^a=(candidate|ice-options|rtcp:)/);
    const expected = kept.map((line) =>
      line
        .replace(/^a=ice-ufrag:.*/, `a=ice-ufrag:${OURS.ufrag}`)
        .replace(/^a=ice-pwd:.*/, `a=ice-pwd:${OURS.pwd}`)
        .replace(/^c=.*/, 'c=IN IP4 0.0.0.0')
        .replace(/^(m=\S+) \d+/, '$1 9'),
    );
    expect(edited).toBe(sdpText(expected));
  });

  it('keeps unknown groups, codecs in capitals, simulcast and the order of lines (W15, W34)', () => {
    expect(editForOrigin(offer(OBS_OFFER), OURS)).toContain('a=group:LS 0 1\r\n');
    expect(editForOrigin(offer(OBS_OFFER), OURS)).toContain('a=rtpmap:111 OPUS/48000/2\r\n');
    expect(editForOrigin(offer(CHROMIUM_OFFER), OURS)).toContain(
      'a=rid:q send\r\na=rid:h send\r\na=simulcast:send q;h\r\n',
    );
  });

  it('leaves no candidate in, however it is spelled', () => {
    const odd = [
      'a=Candidate:1 1 udp 1 192.0.2.66 1 typ host',
      'a= candidate:x',
      'a=candidate :x',
      'a=remote-candidates:1 192.0.2.66 1',
    ];
    const edited = editForOrigin(offer([...CHROMIUM_OFFER, ...odd]), OURS);
    expect(edited.toLowerCase()).not.toContain('candidate');
    expect(edited).not.toContain('192.');
  });

  it('keeps port 0', () => {
    const lines = replaced(VIEWER_ANSWER, /^m=audio \d+/, 'm=audio 0');
    expect(editForOrigin(answer(lines), OURS)).toContain('m=audio 0 UDP/TLS/RTP/SAVPF 111 63\r\n');
  });
});

describe('editForClient', () => {
  const edited = editForClient(answer(ORIGIN_ANSWER), OURS, CANDIDATES).split('\r\n');

  it('says ice-lite directly before the first m= line', () => {
    expect(edited[edited.findIndex((line) => line.startsWith('m=')) - 1]).toBe('a=ice-lite');
    expect(edited.filter((line) => line === 'a=ice-lite')).toHaveLength(1);
  });

  it('puts our candidates, IPv4 over UDP first, at the end of the first section only (W16, W17)', () => {
    const end = edited.indexOf('m=video 9 UDP/TLS/RTP/SAVPF 96');
    expect(edited.slice(end - 3, end)).toEqual([
      'a=candidate:1 1 udp 2130706431 203.0.113.7 8189 typ host',
      'a=candidate:2 1 udp 2130706175 2001:db8::7 8189 typ host',
      'a=end-of-candidates',
    ]);
    expect(edited.filter((line) => line.includes('candidate'))).toHaveLength(3);
  });

  it('shows no address, candidate or credential of the origin', () => {
    const text = edited.join('\n');
    expect(text).not.toMatch(/10\.0\.0\.5|2001:db8::5|\.local|orig\b|0123456789abcdefghijkl/);
  });

  it('keeps fingerprint, setup, o= and all else as it was', () => {
    const kept = without(ORIGIN_ANSWER, /^(a=(ice-|candidate|end-of|rtcp:)|m=|c=)/);
    expect(edited.filter((line) => kept.includes(line))).toEqual(kept);
    expect(edited).toContain(`a=fingerprint:${FINGERPRINT}`);
  });

  it('says ice-lite once for a lite origin', () => {
    const lite = editForClient(answer(LITE_ANSWER), OURS, CANDIDATES);
    expect(lite.match(/a=ice-lite/g)).toHaveLength(1);
    expect(lite).not.toContain('lite1234');
  });

  it('puts our candidates where the transport is when the first section is rejected', () => {
    const lines = replaced(ORIGIN_ANSWER, /^m=audio 10200/, 'm=audio 0');
    expect(editForClient(answer(lines), OURS, CANDIDATES).endsWith('typ host\r\na=end-of-candidates\r\n')).toBe(true);
  });
});

describe('readCandidate', () => {
  it.each([
    ['1 1 udp 2130706431 192.0.2.1 5000 typ host', '192.0.2.1'],
    ['candidate:1 1 UDP 2130706431 2001:db8::1 5000 typ srflx raddr 0.0.0.0 rport 0', '2001:db8::1'],
    ['1 1 udp 1 127.0.0.1 5000 typ host generation 0 ufrag abcd', '127.0.0.1'],
    ['1 1 udp 1 2001:0DB8:0:0:0:0:0:1 5000 typ host', '2001:db8::1'],
    ['1 2 udp 1 192.0.2.1 5000 typ host', undefined],
    ['1 1 tcp 1 192.0.2.1 5000 typ host tcptype passive', undefined],
    ['1 1 udp 1 a.local 5000 typ host', undefined],
    ['1 1 udp 1 example.com 5000 typ host', undefined],
    ['1 1 udp 1 0.0.0.0 5000 typ host', undefined],
    ['1 1 udp 1 0.1.2.3 5000 typ host', undefined],
    ['1 1 udp 1 224.0.0.1 5000 typ host', undefined],
    ['1 1 udp 1 255.255.255.255 5000 typ host', undefined],
    ['1 1 udp 1 :: 5000 typ host', undefined],
    ['1 1 udp 1 ff02::1 5000 typ host', undefined],
    ['1 1 udp 1 fe80::1%eth0 5000 typ host', undefined],
    ['1 1 udp 1 192.0.2.1 0 typ host', undefined],
    ['1 1 udp 1 192.0.2.1 65536 typ host', undefined],
    ['1 1 udp 4294967296 192.0.2.1 5000 typ host', undefined],
    ['1 1 udp 1 192.0.2.1 5000', undefined],
    ['', undefined],
  ])('reads %s as %s', (value, host) => {
    expect(readCandidate(value)?.host).toBe(host);
  });
});

describe('fragments', () => {
  const ICE = { ufrag: 'new1', pwd: 'newPasswordOfTheClient12' };

  it('are read as browsers, Red5 and others send them', () => {
    const credentials = [`a=ice-ufrag:${ICE.ufrag}`, `a=ice-pwd:${ICE.pwd}`];
    const section = [
      'm=audio 9 RTP/AVP 0',
      'a=mid:0',
      'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host',
      'a=candidate:x',
    ];
    const atTop = [...credentials, ...section, 'a=end-of-candidates'];
    const inside = ['a=group:BUNDLE 0 1', ...section.slice(0, 2), ...credentials, ...section.slice(2)];
    expect(readFragment(sdpText(atTop))).toEqual({ ice: ICE, candidates: 2, isLast: true });
    expect(readFragment(sdpText(inside))).toEqual({ ice: ICE, candidates: 2, isLast: false });
    expect(readFragment(section.join('\n'))).toEqual({ ice: undefined, candidates: 2, isLast: false });
  });

  it.each<readonly [string, string, string]>([
    ['nothing', 'sdp-fragment', ''],
    ['no attribute', 'sdp-fragment', 'm=audio 9 RTP/AVP 0\r\n'],
    ['JSON (W11)', 'sdp-malformed', '{"candidate":"x"}'],
    ['half the credentials', 'sdp-fragment', 'a=ice-ufrag:abcd\r\n'],
    ['the other half', 'sdp-fragment', `a=ice-pwd:${ICE.pwd}\r\n`],
    ['more than is read', 'sdp-too-long', 'a=candidate:1\r\n'.repeat(5000)],
  ])('are refused with %s', (_name, code, text) => {
    expect(codeOf(() => readFragment(text))).toBe(code);
  });

  it('of ours are read again, and name the section of the transport', () => {
    const transport = transportOf(answer(ORIGIN_ANSWER));
    const text = writeFragment({ ice: OURS, ...transport, candidates: CANDIDATES });
    expect(readFragment(text)).toEqual({ ice: OURS, candidates: 2, isLast: true });
    expect(text.split('\r\n').slice(0, 5)).toEqual([
      'a=ice-lite',
      `a=ice-ufrag:${OURS.ufrag}`,
      `a=ice-pwd:${OURS.pwd}`,
      'm=audio 9 UDP/TLS/RTP/SAVPF 111',
      'a=mid:0',
    ]);
  });

  it('name mid 0 where there is none', () => {
    const lines = without(ORIGIN_ANSWER.slice(0, ORIGIN_ANSWER.indexOf('m=video 9 UDP/TLS/RTP/SAVPF 96')), /mid|group/);
    expect(transportOf(answer(lines, 1)).mid).toBe('0');
  });

  it('throw nothing but WireError for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => void codeOf(() => readFragment(text))),
      { numRuns: 500 },
    );
  });
});
