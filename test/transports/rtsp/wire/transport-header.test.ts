import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { WireError } from '../../../../src/model/errors.js';
import {
  MAX_TRANSPORT_PARAMETERS,
  MAX_TRANSPORTS,
  readTransport,
  writeTransport,
  type TransportSpec,
} from '../../../../src/transports/rtsp/wire/transport-header.js';

const UDP = { profile: 'RTP/AVP', lower: 'UDP', others: [] };
const TCP = { ...UDP, lower: 'TCP' };

describe('readTransport', () => {
  it.each<[string, string, TransportSpec[]]>([
    [
      'ffmpeg publishing over TCP',
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record',
      [{ ...TCP, delivery: 'unicast', interleaved: { rtp: 0, rtcp: 1 }, mode: 'record' }],
    ],
    [
      'ffmpeg playing over UDP',
      'RTP/AVP/UDP;unicast;client_port=26548-26549',
      [{ ...UDP, delivery: 'unicast', clientPort: { rtp: 26548, rtcp: 26549 } }],
    ],
    [
      'rtspclientsink over TCP',
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode=RECORD',
      [{ ...TCP, delivery: 'unicast', interleaved: { rtp: 0, rtcp: 1 }, mode: 'record' }],
    ],
    [
      'rtspclientsink with ports of 0 (RTSP-17)',
      'RTP/AVP;unicast;client_port=0-0;mode=RECORD',
      [{ ...UDP, delivery: 'unicast', clientPort: { rtp: 0, rtcp: 0 }, mode: 'record' }],
    ],
    ["Red5's Android SDK", 'rtp/avp/tcp; interleaved=', [TCP]],
    [
      'alternatives in their order (GStreamer)',
      'RTP/AVP;unicast;client_port=5000-5001, RTP/AVP/TCP;unicast;interleaved=2-3 ,RTP/SAVPF;multicast',
      [
        { ...UDP, delivery: 'unicast', clientPort: { rtp: 5000, rtcp: 5001 } },
        { ...TCP, delivery: 'unicast', interleaved: { rtp: 2, rtcp: 3 } },
        { ...UDP, profile: 'RTP/SAVPF', delivery: 'multicast' },
      ],
    ],
    [
      'live555 publishing',
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode=receive',
      [{ ...TCP, delivery: 'unicast', interleaved: { rtp: 0, rtcp: 1 }, mode: 'receive' }],
    ],
    ['a mode in quotes', 'RTP/AVP;unicast;mode="PLAY"', [{ ...UDP, delivery: 'unicast', mode: 'play' }]],
    ['a mode of two words', 'RTP/AVP;mode="PLAY,RECORD"', [{ ...UDP, mode: 'play,record' }]],
    ['no numbers (gortsplib 72)', 'RTP/AVP/TCP;unicast', [{ ...TCP, delivery: 'unicast' }]],
    ['one number', 'RTP/AVP;client_port=5000', [{ ...UDP, clientPort: { rtp: 5000, rtcp: 5001 } }]],
    ['one port for both', 'RTP/AVP;client_port=5000-5000', [{ ...UDP, clientPort: { rtp: 5000, rtcp: 5000 } }]],
    [
      'what a server answers',
      'RTP/AVP/UDP;unicast;client_port=1-2;server_port=3-4;source=10.0.0.1;ssrc=1234ABCD;mode=play',
      [
        {
          ...UDP,
          delivery: 'unicast',
          clientPort: { rtp: 1, rtcp: 2 },
          serverPort: { rtp: 3, rtcp: 4 },
          source: '10.0.0.1',
          ssrc: '1234ABCD',
          mode: 'play',
        },
      ],
    ],
    [
      'multicast',
      'RTP/AVP;multicast;destination=224.2.0.1;port=3456-3457;ttl=16;layers=2',
      [
        {
          ...UDP,
          delivery: 'multicast',
          destination: '224.2.0.1',
          port: { rtp: 3456, rtcp: 3457 },
          ttl: 16,
          others: ['layers=2'],
        },
      ],
    ],
    ['a destination without a value', 'RTP/AVP;destination;append', [{ ...UDP, destination: '', others: ['append'] }]],
    [
      'names in upper case, blanks, empty parts',
      ' RTP/AVP/TCP ;; UNICAST ; Interleaved = 4 - 5 ; ',
      [{ ...TCP, delivery: 'unicast', interleaved: { rtp: 4, rtcp: 5 } }],
    ],
    ['unicast and multicast: the first', 'RTP/AVP;unicast;multicast', [{ ...UDP, delivery: 'unicast' }]],
    [
      'profiles of others, for the caller to refuse',
      'x-real-rdt/tcp;unicast,MP2T/H2221/UDP',
      [
        { ...UDP, profile: 'X-REAL-RDT/TCP', delivery: 'unicast' },
        { ...UDP, profile: 'MP2T/H2221' },
      ],
    ],
    ['quotes with separators inside', 'RTP/AVP;x="a;b,c\\"d"', [{ ...UDP, others: ['x="a;b,c\\"d"'] }]],
  ])('reads %s', (_, value, specs) => {
    expect(readTransport(value)).toEqual(specs);
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['separators', ' ,;, '],
    ['no profile', 'RTP;unicast'],
    ['a parameter first', 'unicast;RTP/AVP'],
    ['four parts', 'RTP/AVP/TCP/X'],
    ['an empty part', 'RTP//TCP'],
    ['a port beyond 16 bit', 'RTP/AVP;client_port=65536-65537'],
    ['a last port without a next', 'RTP/AVP;client_port=65535'],
    ['a negative port', 'RTP/AVP;client_port=-1'],
    ['a port that is no number', 'RTP/AVP;client_port=a-b'],
    ['an empty port', 'RTP/AVP;client_port='],
    ['ports in the wrong order', 'RTP/AVP;client_port=5-4'],
    ['three ports', 'RTP/AVP;client_port=4-5-6'],
    ['a channel beyond 255', 'RTP/AVP/TCP;interleaved=255-256'],
    ['a channel of many digits', 'RTP/AVP/TCP;interleaved=0000000001-2'],
    ['a TTL beyond 255', 'RTP/AVP;ttl=256'],
    ['a parameter twice', 'RTP/AVP;client_port=1-2;CLIENT_PORT=3-4'],
  ])('refuses %s', (_, value) => {
    expect(() => readTransport(value)).toThrow(/^transport-invalid/);
  });

  it('takes as many parts as the limits and refuses more', () => {
    const alternatives = (count: number) => Array.from({ length: count }, () => 'RTP/AVP').join();
    expect(readTransport(alternatives(MAX_TRANSPORTS))).toHaveLength(MAX_TRANSPORTS);
    expect(() => readTransport(alternatives(MAX_TRANSPORTS + 1))).toThrow(/^too-many-parts/);
    const parameters = (count: number) => `RTP/AVP${[...Array(count).keys()].map((at) => `;x${at}`).join('')}`;
    expect(readTransport(parameters(MAX_TRANSPORT_PARAMETERS - 1))[0]?.others).toHaveLength(
      MAX_TRANSPORT_PARAMETERS - 1,
    );
    expect(() => readTransport(parameters(MAX_TRANSPORT_PARAMETERS))).toThrow(/^too-many-parts/);
  });

  it('answers anything with transports or a WireError', () => {
    const unit = fc.constantFrom('RTP/AVP', '/TCP', ';', ',', '"', '\\', 'interleaved=', 'mode=', '0', '-', ' ', 'x=');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), (value) => {
        try {
          readTransport(`RTP/AVP${value}`);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('writeTransport', () => {
  it('writes what servers and clients say', () => {
    expect(writeTransport({ ...TCP, delivery: 'unicast', interleaved: { rtp: 0, rtcp: 1 }, mode: 'record' })).toBe(
      'RTP/AVP/TCP;unicast;interleaved=0-1;mode=record',
    );
    expect(writeTransport(UDP, { ...TCP, destination: '', others: ['append'] })).toBe(
      'RTP/AVP,RTP/AVP/TCP;destination;append',
    );
    expect(writeTransport({ ...UDP, mode: 'play,record', ttl: 0 })).toBe('RTP/AVP;ttl=0;mode="play,record"');
  });

  it('brings back what it wrote', () => {
    const word = fc.stringMatching(/^[0-9a-zA-Z.:]{1,10}$/);
    const pair = (max: number) =>
      fc.tuple(fc.nat(max), fc.nat(max)).map(([a, b]) => ({ rtp: Math.min(a, b), rtcp: Math.max(a, b) }));
    const spec = fc.record(
      {
        profile: fc.constantFrom('RTP/AVP', 'RTP/SAVPF'),
        lower: fc.constantFrom('UDP', 'TCP'),
        delivery: fc.constantFrom('unicast' as const, 'multicast' as const),
        interleaved: pair(255),
        clientPort: pair(65535),
        serverPort: pair(65535),
        port: pair(65535),
        mode: fc.constantFrom('play', 'record', 'play,record'),
        destination: fc.oneof(word, fc.constant('')),
        source: word,
        ssrc: word,
        ttl: fc.nat(255),
        others: fc.constantFrom([], ['append'], ['layers=2', 'x="a b"']),
      },
      { requiredKeys: ['profile', 'lower', 'others'] },
    );
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), (specs) => {
        expect(readTransport(writeTransport(...specs))).toEqual(specs);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, Partial<TransportSpec>]>([
    ['a line break', { source: 'a\r\nB: c' }],
    ['a quote in a value', { source: 'a"b;c' }],
    ['a semicolon in a bare parameter', { others: ['a;b'] }],
    ['a comma in a bare parameter', { others: ['a,b'] }],
    ['an empty parameter', { others: [''] }],
    ['a space in the profile', { profile: 'RTP AVP' }],
  ])('refuses %s', (_, fields) => {
    expect(() => writeTransport({ ...UDP, ...fields })).toThrow(/^unwritable-header/);
  });
});
