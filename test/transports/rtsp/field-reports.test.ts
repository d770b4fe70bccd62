import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import type { DatagramPair, OpenDatagrams } from '../../../src/transports/rtsp/options.js';
import { settle } from '../../fakes/byte-stream.js';
import { makeRtspGate, quiet } from '../../fakes/rtsp-gate.js';
import { rtp, SDP } from '../../fakes/rtsp-peer.js';
import { filesBelow, textOf } from '../../house/source.js';
import { HOST, lastOrigin, playing, publishing, tcp, TYPE, URL } from './scenes.js';

const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`u:${password}`).toString('base64')}` });
const hints = (gate: ReturnType<typeof makeRtspGate>) =>
  gate.lines.filter(({ fields }) => fields['note'] === 'token-cut-off').map(({ fields }) => fields['hint']);

/** Ports that only note what happens to them. */
function fakePorts() {
  const pairs: {
    peer: unknown;
    sent: [string, boolean][];
    packet: (bytes: Buffer, isRtcp: boolean) => void;
    closed: boolean;
  }[] = [];
  const open: OpenDatagrams = (peer) => {
    const made: (typeof pairs)[number] = { peer, sent: [], packet: () => undefined, closed: false };
    const ports = { rtp: 20_000 + 2 * pairs.length, rtcp: 20_001 + 2 * pairs.length };
    pairs.push(made);
    const pair: DatagramPair = {
      ports,
      listen: (onPacket) => (made.packet = onPacket),
      send: (packet, isRtcp) => void made.sent.push([packet.toString('latin1'), isRtcp]),
      close: () => (made.closed = true),
    };
    return Promise.resolve(pair);
  };
  return { pairs, open };
}

const udp = (ports: string, more = '') => ({ Transport: `RTP/AVP;unicast;client_port=${ports}${more}` });

describe('tokens and secrets', () => {
  it('RTSP-01 tells a password that the client has cut off', async () => {
    const gate = makeRtspGate();
    const cut = gate.token({ subject: 'x'.repeat(300) }).slice(0, 127);
    const answer = await gate.client().ask('ANNOUNCE', URL, { ...TYPE, ...basic(cut) }, SDP);
    expect([answer.status, answer.headers.has('WWW-Authenticate')]).toEqual([401, false]);
    expect(hints(gate)).toEqual([expect.stringContaining('looks truncated')]);
  });

  it('RTSP-02 tells a URL that the client has cut off', async () => {
    const gate = makeRtspGate();
    const cut = `${URL}?token=${gate.token({ subject: 'x'.repeat(1500) })}`.slice(0, 1023);
    const answer = await gate.client().ask('DESCRIBE', cut);
    expect(answer.status).toBe(401);
    expect(hints(gate)).toEqual([expect.stringContaining('1023')]);
  });

  it('RTSP-03 keeps credentials out of every log line and metric', async () => {
    const gate = makeRtspGate({ credentials: { mode: 'forward', placement: 'query' } });
    const token = gate.token({ subject: 'canary' });
    await publishing(gate, `?token=${token}&password=Canary-Password`);
    await gate.client().ask('DESCRIBE', `${HOST}/live/token=${token}/cam`);
    await gate.client().ask('DESCRIBE', URL, basic(`${token}x`));
    await gate.client().ask('DESCRIBE', `rtsp://u:${token}@gate.example/live/cam`);
    await gate.client().ask('DESCRIBE', `${URL}?token=${token}&token=other.to.ken`);
    gate.raw().stream.write(Buffer.from(`DESCRIBE ${URL}?token=${token} NONSENSE\r\n\r\n`));
    await quiet();
    const told = JSON.stringify(gate.lines) + [...gate.counts.keys()].join();
    for (const part of [...token.split('.'), 'Canary-Password']) expect(told).not.toContain(part);
    expect(lastOrigin(gate)).toBeDefined();
  });
});

describe('URLs and tracks', () => {
  it.each([
    ['RTSP-04 takes a track before the query', `${URL}/streamid=0?token=T`],
    ['RTSP-05 takes a track that is not last in the URL', `${URL}?token=T/streamid=0?token=T`],
    ['RTSP-06 takes a track behind the query', `${URL}?token=T/streamid=0`],
    ['RTSP-06 takes a track behind a query that ends in a slash', `${URL}?token=T/streamid=0/`],
    ['RTSP-06 takes a track before a query that ends in a slash', `${URL}/streamid=0?token=T/`],
  ])('%s', async (_, form) => {
    const gate = makeRtspGate();
    const token = gate.token();
    const peer = gate.client();
    await peer.ask('ANNOUNCE', `${URL}?token=${token}`, TYPE, SDP);
    const answer = await peer.ask('SETUP', form.replaceAll('T', token).replace('rtsp:', 'rtsp:'), tcp('0-1'));
    expect(answer.status).toBe(200);
    expect(lastOrigin(gate).request('SETUP').uri).toBe('rtsp://origin.example:8554/live/cam/trackID=0');
  });

  it('RTSP-07 shows its own address in Content-Base, not the private one of the origin', async () => {
    const gate = makeRtspGate({ origin: { contentBase: 'rtsp://10.0.0.5:554/inner/path/' } });
    const peer = await playing(gate);
    expect(peer.responses[1]?.headers.get('Content-Base')).toBe(`${URL}/`);
    // The origin's path is the origin's to choose; where it is, is ours.
    expect(lastOrigin(gate).request('PLAY').uri).toBe('rtsp://origin.example:8554/inner/path/');
  });

  it.each([['live/cam/'], ['://'], ['http://10.0.0.5/x'], [undefined]])(
    'RTSP-08 goes by the URL it asked for when the Content-Base is %s',
    async (contentBase) => {
      const gate = makeRtspGate({ origin: { contentBase } });
      expect((await playing(gate)).last.status).toBe(200);
      expect(lastOrigin(gate).request('SETUP').uri).toBe('rtsp://origin.example:8554/live/cam/streamid=1');
    },
  );
});

describe('sessions and keep-alives', () => {
  it('RTSP-09 takes a session that comes back with its timeout', async () => {
    const gate = makeRtspGate();
    const peer = await publishing(gate);
    const session = peer.last.headers.get('Session') ?? '';
    expect(session).toMatch(/;timeout=60$/);
    expect((await peer.ask('OPTIONS', URL, { Session: session })).status).toBe(200);
  });

  it('RTSP-10 takes a SET_PARAMETER without a body for a keep-alive', async () => {
    const gate = makeRtspGate();
    const peer = await playing(gate);
    expect((await peer.ask('SET_PARAMETER', URL)).status).toBe(200);
    expect((await peer.ask('GET_PARAMETER', URL)).status).toBe(200);
  });

  it('RTSP-11 keeps a paused player for a little longer than it was told', async () => {
    const gate = makeRtspGate();
    const peer = await playing(gate);
    await peer.ask('PAUSE', URL);
    for (let second = 0; second < 62; second++) gate.clock.advance(1000);
    await quiet();
    expect(gate.ends()).toEqual([]);
    for (let second = 0; second < 40; second++) gate.clock.advance(1000);
    await quiet();
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['client-error']);
    expect(peer.closed).toBe(true);
  });

  it('RTSP-12 lets a player by TCP live on what it takes', async () => {
    const gate = makeRtspGate();
    await playing(gate);
    for (let second = 0; second < 200; second++) {
      gate.clock.advance(1000);
      lastOrigin(gate).frame(0, rtp('x'));
      await settle();
    }
    expect(gate.ends()).toEqual([]);
  });

  it('RTSP-12 lets a player by UDP live on its receiver reports', async () => {
    const ports = fakePorts();
    const gate = makeRtspGate({ openDatagrams: ports.open });
    await playing(gate, [udp('4000-4001')]);
    for (let second = 0; second < 200; second++) {
      gate.clock.advance(1000);
      lastOrigin(gate).frame(0, rtp('x'));
      ports.pairs[0]?.packet(Buffer.from('report'), true);
      await settle();
    }
    expect(gate.ends()).toEqual([]);
    for (let second = 0; second < 100; second++) {
      gate.clock.advance(1000);
      lastOrigin(gate).frame(0, rtp('x'));
      await settle();
    }
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['client-error']);
    expect(ports.pairs[0]?.closed).toBe(true);
    // The player is told by RTCP, which is what it listens to.
    expect(ports.pairs[0]?.sent.at(-1)?.[1]).toBe(true);
  });

  it('RTSP-13 signs the very URL of its request line', async () => {
    const credentials = { mode: 'static', placement: 'arguments', username: 'u', password: new Secret('p') } as const;
    const gate = makeRtspGate({ credentials, origin: { challenges: ['Digest realm="r", nonce="n", algorithm=MD5'] } });
    await playing(gate);
    for (const { uri, headers, method } of lastOrigin(gate).requests.slice(2)) {
      expect([method, headers.get('Authorization')]).toEqual([method, expect.stringContaining(`uri="${uri}"`)]);
    }
  });

  it('RTSP-14 answers one of several challenges, and offers one itself', async () => {
    const credentials = { mode: 'static', placement: 'arguments', username: 'u', password: new Secret('p') } as const;
    const challenges = [
      'Basic realm="b"',
      'Digest realm="d", nonce="n", algorithm=SHA-512',
      'Digest realm="d", nonce="n"',
    ];
    const gate = makeRtspGate({ credentials, origin: { challenges } });
    expect((await playing(gate)).last.status).toBe(200);
    expect(lastOrigin(gate).request('DESCRIBE').headers.get('Authorization')).toMatch(/^Digest /);
    const refused = await gate.client().ask('DESCRIBE', URL);
    expect([refused.status, refused.headers.all('WWW-Authenticate')]).toEqual([
      401,
      [expect.stringMatching(/^Basic /)],
    ]);
  });

  it('RTSP-14 takes the credentials of the second try on the same connection, and challenges no more than four times', async () => {
    const gate = makeRtspGate();
    const peer = gate.client();
    expect((await peer.ask('DESCRIBE', URL)).status).toBe(401);
    expect((await peer.ask('DESCRIBE', URL, basic(gate.token()))).status).toBe(200);
    const looping = gate.client();
    for (let turn = 0; turn < 5; turn++) expect((await looping.ask('DESCRIBE', URL)).status).toBe(401);
    await quiet();
    expect(looping.closed).toBe(true);
  });

  it('RTSP-15 makes nothing of a session the client has thought up', async () => {
    const gate = makeRtspGate();
    const peer = gate.client();
    const session = { Session: 'mine' };
    expect((await peer.ask('OPTIONS', URL, session)).status).toBe(200);
    expect((await peer.ask('PLAY', URL, session)).status).toBe(454);
    expect((await peer.ask('DESCRIBE', `${URL}?token=${gate.token()}`, session)).status).toBe(200);
    const first = await peer.ask('SETUP', `${URL}/trackID=0`, { ...tcp('0-1'), ...session });
    expect([first.status, first.headers.get('Session')]).toEqual([200, expect.not.stringContaining('mine')]);
    expect((await peer.ask('PLAY', URL, session)).status).toBe(454);
  });
});

describe('transports and frames', () => {
  it('RTSP-16 maps the channels of each leg', async () => {
    const gate = makeRtspGate({ origin: { channelShift: 10 } });
    const peer = await playing(gate, [tcp('7-8'), { Transport: 'rtp/avp/tcp; interleaved=' }]);
    expect(peer.responses[3]?.headers.get('Transport')).toContain('interleaved=0-1');
    lastOrigin(gate).frame(10, rtp('video'));
    lastOrigin(gate).frame(12, rtp('audio'));
    lastOrigin(gate).frame(99, rtp('nobody'));
    await quiet();
    expect(peer.frames.map(({ channel }) => channel)).toEqual([7, 0]);
  });

  it.each([
    ['RTSP-17 sends a client with ports 0-0 to TCP', udp('0-0', ';mode=RECORD')],
    ['RTSP-17 sends a client whose media shall go elsewhere to TCP', udp('4000-4001', ';destination=203.0.113.9')],
  ])('%s', async (_, transport) => {
    const ports = fakePorts();
    const gate = makeRtspGate({ openDatagrams: ports.open });
    const peer = gate.client();
    await peer.ask('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP);
    expect((await peer.ask('SETUP', `${URL}/streamid=0`, transport)).status).toBe(461);
    expect((await peer.ask('SETUP', `${URL}/streamid=0`, tcp('0-1'))).status).toBe(200);
    expect(ports.pairs).toEqual([]);
  });

  it('RTSP-18 ends a publisher by UDP whose packets do not come, and says why', async () => {
    const ports = fakePorts();
    const gate = makeRtspGate({ openDatagrams: ports.open });
    const peer = gate.client();
    await peer.ask('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP);
    const answer = await peer.ask('SETUP', `${URL}/streamid=0`, udp('4000-4001', ';mode=record'));
    expect(answer.headers.get('Transport')).toBe(
      'RTP/AVP;unicast;client_port=4000-4001;server_port=20000-20001;ssrc=AABBCCDD;mode=record',
    );
    await peer.ask('RECORD', URL);
    for (let second = 0; second < 5; second++) gate.clock.advance(1000);
    ports.pairs[0]?.packet(rtp('one'), false);
    await quiet();
    expect(lastOrigin(gate).frames).toEqual([{ channel: 0, payload: rtp('one') }]);
    lastOrigin(gate).frame(1, 'report');
    await quiet();
    expect(ports.pairs[0]?.sent).toEqual([['report', true]]);
    for (let second = 0; second < 20; second++) {
      gate.clock.advance(1000);
      peer.send('GET_PARAMETER', URL);
      await settle();
    }
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['media-idle']);
    expect(ports.pairs[0]?.closed).toBe(true);
  });

  it('RTSP-19 tells frames and messages apart wherever they meet', async () => {
    const gate = makeRtspGate();
    const peer = await publishing(gate);
    peer.frame(0, rtp('a'));
    peer.send('GET_PARAMETER', URL);
    peer.frame(0, rtp('b'));
    peer.send('OPTIONS', '*');
    peer.frame(2, rtp('c'));
    await quiet();
    expect(peer.order.slice(-2)).toEqual(['200', '200']);
    expect(
      lastOrigin(gate)
        .frames.map(({ payload }) => payload.toString('latin1').slice(-1))
        .join(''),
    ).toBe('abc');
  });

  it('RTSP-20 answers OPTIONS to anybody, so that a client can see that RTSP is here', async () => {
    const answer = await makeRtspGate().client().ask('OPTIONS', '*');
    expect([answer.status, answer.headers.get('Public')]).toEqual([200, expect.stringContaining('ANNOUNCE')]);
  });
});

describe('RTSPS and HTTP', () => {
  it.each([
    [
      'RTSP-21 refuses a tunnel and closes',
      'GET /live/cam HTTP/1.0\r\nx-sessioncookie: c\r\n\r\nPOST /live/cam HTTP/1.0\r\nx-sessioncookie: c\r\nContent-Length: 32767\r\n\r\nAAAA',
    ],
    ['RTSP-22 refuses a tunnel in words of HTTP/1.0', 'POST / HTTP/1.1\r\nx-sessioncookie: c\r\n\r\n'],
  ])('%s', async (_, text) => {
    const gate = makeRtspGate();
    const { stream } = gate.raw();
    stream.handle({ onBytes: () => undefined, onClose: () => undefined });
    stream.write(Buffer.from(text));
    await quiet();
    expect(stream.received.toString()).toMatch(/^HTTP\/1\.0 400 [^]*Connection: close/);
    expect(stream.received.toString().match(/HTTP/g)).toHaveLength(1);
    expect(gate.origins).toEqual([]);
  });

  it.each([['rtsp'], ['rtsps']])(
    'RTSP-23 takes %s in the request line inside TLS, and gives it back',
    async (scheme) => {
      const gate = makeRtspGate();
      const peer = gate.client({ secure: true });
      const answer = await peer.ask('DESCRIBE', `${scheme}://gate.example:322/live/cam?token=${gate.token()}`);
      expect([answer.status, answer.headers.get('Content-Base')]).toEqual([
        200,
        `${scheme}://gate.example:322/live/cam/`,
      ]);
    },
  );
});

describe('the field reports about RTSP', () => {
  it('are each a test that says so in its name', () => {
    const rows = Array.from({ length: 23 }, (_, index) => `RTSP-${String(index + 1).padStart(2, '0')}`);
    const files = filesBelow('test/transports/rtsp', /\.test\.ts$/);
    const named = files.flatMap((file) => [...textOf(file).matchAll(/[([]\s*['"`](RTSP-\d\d) [a-z]/g)]);
    expect([...new Set(named.map(([, id]) => id))].sort()).toEqual(rows);
  });
});
