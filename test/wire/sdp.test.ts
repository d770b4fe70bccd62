import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../src/model/errors.js';
import { replaceAddresses } from '../../src/wire/sdp-address.js';
import {
  attributeName,
  attributeValue,
  editLines,
  MAX_SDP_BYTES,
  MAX_SDP_LINES,
  MAX_SDP_MEDIA,
  readAttribute,
  readAttributes,
  readMediaLine,
  readSdp,
  writeSdp,
} from '../../src/wire/sdp.js';

/** An offer of OBS's kind: ICE data at session level (W14), an unknown group (W15). */
const OFFER = [
  'v=0',
  'o=rtc 3767197920 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:LS 0 1',
  'a=setup:actpass',
  'a=ice-ufrag:sess',
  'a=fingerprint:sha-256 AA:BB',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 192.168.1.7',
  'a=mid:0',
  'a=ice-ufrag:aud',
  'a=candidate:1 1 UDP 1 192.168.1.7 5000 typ host',
  'a=candidate:2 1 UDP 1 10.0.0.7 5000 typ host',
  'a=sendonly',
  'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
  'a=mid:1',
];

function bytes(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
}

describe('readSdp', () => {
  const sdp = readSdp(bytes(...OFFER));

  it('cuts a description into session and media', () => {
    expect(sdp).toEqual({
      session: OFFER.slice(0, 8),
      media: [OFFER.slice(8, 15), OFFER.slice(15)],
      encoding: 'utf8',
    });
  });

  it('reads line feeds alone, no end at the end, and empty lines', () => {
    for (const text of [OFFER.join('\n'), OFFER.join('\r\n'), `\r\n${OFFER.join('\n\r\n')}\r\n\r\n`]) {
      expect(readSdp(Buffer.from(text))).toEqual(sdp);
    }
  });

  it('reads a description without media', () => {
    expect(readSdp(Buffer.from('v=0'))).toEqual({ session: ['v=0'], media: [], encoding: 'utf8' });
  });

  it('reads a fragment where told so', () => {
    const fragment = bytes('a=ice-ufrag:x', 'm=audio 9 RTP/AVP 0', 'a=mid:0');
    expect(readSdp(fragment, { fragment: true }).media).toEqual([['m=audio 9 RTP/AVP 0', 'a=mid:0']]);
    expect(() => readSdp(fragment)).toThrow(/^sdp-version/);
  });

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'sdp-version'],
    ['another version', bytes('v=1'), 'sdp-version'],
    ['another line first', bytes('s=-', 'v=0'), 'sdp-version'],
    ['a line without its type', bytes('v=0', '=x'), 'sdp-malformed'],
    ['a line without =', bytes('v=0', 'hello'), 'sdp-malformed'],
    ['a type of two letters', bytes('v=0', 'ab=c'), 'sdp-malformed'],
    ['a blank ahead', bytes('v=0', ' a=b'), 'sdp-malformed'],
    ['CR inside of a line', Buffer.from('v=0\r\na=b\ra=c\r\n'), 'sdp-malformed'],
    ['NUL inside of a line', Buffer.from('v=0\r\na=b\0\r\n'), 'sdp-malformed'],
    ['JSON', Buffer.from('{"sdp":"v=0"}'), 'sdp-malformed'],
    ['too many bytes', Buffer.alloc(MAX_SDP_BYTES + 1, 'a'), 'sdp-too-long'],
    ['too many lines', bytes('v=0', ...Array.from({ length: MAX_SDP_LINES }, () => '')), 'sdp-too-many-lines'],
    ['too many media', bytes('v=0', ...Array.from({ length: MAX_SDP_MEDIA + 1 }, () => 'm=')), 'sdp-too-many-media'],
  ])('refuses %s', (_, input, code) => {
    expect(() => readSdp(input)).toThrow(new RegExp(`^${code} `));
  });

  it('takes as much as the limits', () => {
    const long = bytes('v=0', `a=${'x'.repeat(MAX_SDP_BYTES - 9)}`);
    expect(long).toHaveLength(MAX_SDP_BYTES);
    expect(readSdp(long).session).toHaveLength(2);
    const lines = bytes('v=0', ...Array.from({ length: MAX_SDP_LINES - 2 }, () => 'a=x'));
    expect(readSdp(lines).session).toHaveLength(MAX_SDP_LINES - 1);
    const media = bytes('v=0', ...Array.from({ length: MAX_SDP_MEDIA }, () => 'm='));
    expect(readSdp(media).media).toHaveLength(MAX_SDP_MEDIA);
  });

  it('answers every beginning and anything else with a description or a WireError', () => {
    const whole = bytes(...OFFER);
    for (let end = 0; end <= whole.length; end += 1) orWireError(() => readSdp(whole.subarray(0, end)));
    const unit = fc.constantFrom('v=0\n', 'm=', 'a=', '\r', '\n', '\0', 'x', 'é', '=');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30 }), (text) =>
        orWireError(() => readSdp(Buffer.from(`v=0\n${text}`))),
      ),
      { numRuns: 500 },
    );
  });

  function orWireError(read: () => unknown): void {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(WireError);
    }
  }
});

describe('writeSdp', () => {
  it('writes every byte as it was, also those that are not UTF-8', () => {
    const line = fc.uint8Array({ maxLength: 20 }).map((raw) => {
      return Buffer.concat([Buffer.from('a='), Buffer.from(raw.filter((byte) => ![0, 10, 13].includes(byte)))]);
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(line, fc.constant(Buffer.from('m=x'))), { maxLength: 10 }), (lines) => {
        const end = Buffer.from('\r\n');
        const input = Buffer.concat([Buffer.from('v=0'), end, ...lines.flatMap((one) => [one, end])]);
        expect(writeSdp(readSdp(input))).toEqual(input);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses lines that are none, and media lines in the wrong place', () => {
    const sdp = readSdp(bytes(...OFFER));
    const refused = [
      { ...sdp, session: ['v=0', 'a=b\r\na=c'] },
      { ...sdp, session: ['v=0', 'b'] },
      { ...sdp, session: ['v=0', 'm=audio 9 RTP/AVP 0'] },
      { ...sdp, media: [['a=b']] },
      { ...sdp, media: [[]] },
      { ...sdp, media: [['a=b', 'm=audio 9 RTP/AVP 0']] },
    ];
    for (const one of refused) expect(() => writeSdp(one)).toThrow(/^unwritable-sdp/);
  });
});

describe('editLines', () => {
  const sdp = readSdp(bytes(...OFFER));

  it('keeps, changes, adds and drops lines in their places', () => {
    const edited = editLines(sdp, (line, place) => {
      if (attributeName(line) === 'candidate') return [];
      if (line.startsWith('m=')) return [line, `a=place:${place ?? 'session'}`];
      return line === 's=-' ? 's=x' : line;
    });
    expect(edited.session).toEqual(OFFER.slice(0, 8).map((line) => (line === 's=-' ? 's=x' : line)));
    expect(edited.media.map((lines) => lines.slice(0, 3))).toEqual([
      [OFFER[8], 'a=place:0', OFFER[9]],
      [OFFER[15], 'a=place:1', OFFER[16]],
    ]);
    expect(edited.media[0]).toHaveLength(6);
  });
});

describe('attributes', () => {
  const sdp = readSdp(bytes(...OFFER));

  it('are names and values', () => {
    expect(['a=mid:0', 'a=sendonly', 'a=control:rtsp://h:1/x', 'c=IN IP4 1.2.3.4', 'a='].map(attributeName)).toEqual([
      'mid',
      'sendonly',
      'control',
      undefined,
      '',
    ]);
    expect(['a=mid:0', 'a=sendonly', 'a=control:rtsp://h:1/x'].map(attributeValue)).toEqual(['0', '', 'rtsp://h:1/x']);
  });

  it('are read in one section', () => {
    expect(readAttributes(sdp.media[0] ?? [], 'candidate')).toHaveLength(2);
    expect(readAttributes(sdp.media[0] ?? [], 'sendonly')).toEqual(['']);
    expect(readAttributes(sdp.session, 'candidate')).toEqual([]);
  });

  it('hold for a section from its own lines, or else the session (W14)', () => {
    const ufrags = [0, 1, null, 7].map((place) => readAttribute(sdp, place, 'ice-ufrag'));
    expect(ufrags).toEqual(['aud', 'sess', 'sess', 'sess']);
    expect([readAttribute(sdp, 0, 'setup'), readAttribute(sdp, 1, 'fingerprint')]).toEqual([
      'actpass',
      'sha-256 AA:BB',
    ]);
    expect(readAttribute(sdp, null, 'mid')).toBeUndefined();
  });
});

describe('readMediaLine', () => {
  it('reads kind, port, protocol and formats', () => {
    expect(readMediaLine(['m=video 9 UDP/TLS/RTP/SAVPF 96 97'])).toEqual({
      kind: 'video',
      port: '9',
      protocol: 'UDP/TLS/RTP/SAVPF',
      formats: ['96', '97'],
    });
    expect(readMediaLine(['m=audio 49170/2  RTP/AVP 0 ']).formats).toEqual(['0']);
    expect(readMediaLine(['m=audio 0 RTP/AVP']).formats).toEqual([]);
  });

  it.each([[[]], [['m=']], [['m=audio']], [['m=audio x RTP/AVP']], [['m=audio 9']], [['m= 9 RTP/AVP']]])(
    'refuses %j',
    (lines) => {
      expect(() => readMediaLine(lines)).toThrow(/^sdp-malformed/);
    },
  );
});

describe('replaceAddresses', () => {
  const replaced = (address: string, ...lines: readonly string[]) =>
    replaceAddresses(readSdp(bytes('v=0', ...lines)), address).session.slice(1);

  it('puts one address in the place of all', () => {
    expect(
      replaced('0.0.0.0', 'o=bob 7 8 IN IP4 10.0.0.5', 's=-', 'c=IN IP4 224.2.1.1/127', 'a=rtcp:5001 IN IP4 10.0.0.5'),
    ).toEqual(['o=bob 7 8 IN IP4 0.0.0.0', 's=-', 'c=IN IP4 0.0.0.0', 'a=rtcp:5001']);
    expect(replaced('::', 'o=- 7 8 IN IP4 10.0.0.5', 'c=IN IP4 10.0.0.5')).toEqual([
      'o=- 7 8 IN IP6 ::',
      'c=IN IP6 ::',
    ]);
  });

  it('drops what only tells addresses, and leaves other attributes alone', () => {
    expect(
      replaced('0.0.0.0', 'a=source-filter: incl IN IP4 * 10.0.0.5', 'a=rtcp:x', 'a=rtcp-mux', 'a=tool:x', 'b=AS:1'),
    ).toEqual(['a=rtcp-mux', 'a=tool:x', 'b=AS:1']);
  });

  it('makes a whole origin out of half of one', () => {
    expect(replaced('0.0.0.0', 'o=', 'o=bob', 'o= 1  2')).toEqual([
      'o=- 0 0 IN IP4 0.0.0.0',
      'o=bob 0 0 IN IP4 0.0.0.0',
      'o=- 1 2 IN IP4 0.0.0.0',
    ]);
  });
});
