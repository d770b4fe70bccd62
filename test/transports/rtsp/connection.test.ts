import { describe, expect, it } from '@jest/globals';
import { settle } from '../../fakes/byte-stream.js';
import { makeRtspGate, quiet } from '../../fakes/rtsp-gate.js';
import { rtp, SDP } from '../../fakes/rtsp-peer.js';
import { HOST, lastOrigin, playing, publishing, tcp, TYPE, URL } from './scenes.js';

describe('a publisher', () => {
  it('is announced to the origin without its token, and its frames pass on the channels of the origin', async () => {
    const gate = makeRtspGate({ origin: { channelShift: 4 } });
    const peer = await publishing(gate);
    const origin = lastOrigin(gate);
    expect(peer.responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(origin.methods).toEqual(['OPTIONS', 'ANNOUNCE', 'SETUP', 'SETUP', 'RECORD']);
    expect(origin.requests.map(({ uri }) => uri)).toEqual([
      'rtsp://origin.example:8554/live/cam',
      'rtsp://origin.example:8554/live/cam',
      'rtsp://origin.example:8554/live/cam/trackID=0',
      'rtsp://origin.example:8554/live/cam/trackID=1',
      'rtsp://origin.example:8554/live/cam',
    ]);
    expect(origin.request('ANNOUNCE').body.toString()).not.toContain('198.51.100.9');
    peer.frame(0, rtp('video'));
    peer.frame(2, rtp('audio'));
    peer.frame(9, rtp('nobody knows this channel'));
    await quiet();
    expect(origin.frames.map(({ channel }) => channel)).toEqual([4, 6]);
    expect(origin.frames[0]?.payload).toEqual(rtp('video'));
    origin.frame(5, 'report');
    await quiet();
    expect(peer.frames).toEqual([{ channel: 1, payload: Buffer.from('report') }]);
  });

  it('gets no yes before the origin has taken its stream', async () => {
    const gate = makeRtspGate({ origin: { silent: ['ANNOUNCE'] } });
    const peer = gate.client();
    peer.send('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP);
    await quiet();
    expect(peer.responses).toEqual([]);
    gate.clock.advance(5000);
    await quiet();
    expect(peer.last.status).toBe(503);
  });

  it('whose token may only play is refused before any origin is called', async () => {
    const gate = makeRtspGate();
    const peer = gate.client();
    const answer = await peer.ask('ANNOUNCE', `${URL}?token=${gate.token({ roles: ['red5-subscriber'] })}`, TYPE, SDP);
    expect([answer.status, answer.reason]).toEqual([403, 'role-denied: the token does not allow this action']);
    expect(gate.origins).toEqual([]);
    await quiet();
    expect(peer.closed).toBe(true);
  });

  it('leaves with TEARDOWN and may announce again on its connection', async () => {
    const gate = makeRtspGate();
    const peer = await publishing(gate);
    expect((await peer.ask('TEARDOWN', URL)).status).toBe(200);
    await quiet();
    expect(lastOrigin(gate).methods.at(-1)).toBe('TEARDOWN');
    expect(lastOrigin(gate).closed).toBe(true);
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['client-finished']);
    expect((await peer.ask('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP)).status).toBe(200);
    expect(gate.origins).toHaveLength(2);
  });

  it('who sends nothing is ended', async () => {
    const gate = makeRtspGate();
    await publishing(gate);
    for (let second = 0; second < 20; second++) gate.clock.advance(1000);
    await quiet();
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['media-idle']);
  });
});

describe('a viewer', () => {
  it('is shown tracks and addresses of the gateway, and plays', async () => {
    const gate = makeRtspGate({
      origin: { rtpInfo: 'url=rtsp://origin.example:8554/live/cam/streamid=1;seq=7;rtptime=9' },
    });
    const peer = await playing(gate);
    const origin = lastOrigin(gate);
    const [, described] = peer.responses;
    expect(described?.headers.get('Content-Base')).toBe(`${URL}/`);
    expect(described?.body.toString()).toContain('a=control:trackID=1');
    expect(described?.body.toString()).not.toMatch(/198\.51|origin\.example|streamid/);
    expect(origin.methods).toEqual(['OPTIONS', 'DESCRIBE', 'SETUP', 'SETUP', 'PLAY']);
    expect(origin.request('SETUP').uri).toBe('rtsp://origin.example:8554/live/cam/streamid=1');
    expect(peer.last.headers.get('RTP-Info')).toBe(`url=${URL}/trackID=1;seq=7;rtptime=9`);
    expect(peer.responses[2]?.headers.get('Transport')).toBe('RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=AABBCCDD');
    origin.frame(0, rtp('picture'));
    peer.frame(1, 'receiver report');
    peer.frame(0, 'media of a viewer');
    await quiet();
    expect(peer.frames).toEqual([{ channel: 0, payload: rtp('picture') }]);
    expect(origin.frames).toEqual([{ channel: 1, payload: Buffer.from('receiver report') }]);
  });

  it('may pause for longer than media may be idle, and go on', async () => {
    const gate = makeRtspGate();
    const peer = await playing(gate);
    expect((await peer.ask('PAUSE', URL)).status).toBe(200);
    for (let second = 0; second < 40; second++) gate.clock.advance(1000);
    await quiet();
    expect(gate.ends()).toEqual([]);
    expect((await peer.ask('PLAY', URL)).status).toBe(200);
    for (let second = 0; second < 20; second++) gate.clock.advance(1000);
    await quiet();
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['media-idle']);
  });

  it.each([
    ['another path', `${HOST}/live/other/trackID=0`, {}, 404],
    ['another token', `${URL}/trackID=0?token=aaa.bbb.ccc`, {}, 403],
    ['a track that is none', `${URL}/trackID=9`, {}, 404],
    ['multicast', `${URL}/trackID=0`, { Transport: 'RTP/AVP;multicast;port=4000-4001' }, 461],
    ['datagrams where they are off', `${URL}/trackID=0`, { Transport: 'RTP/AVP;unicast;client_port=4000-4001' }, 461],
    ['what nobody offers', `${URL}/trackID=0`, { Require: 'www.onvif.org/ver20/backchannel' }, 551],
    ['no transport at all', `${URL}/trackID=0`, { Transport: '' }, 400],
  ])('is refused %s and may go on', async (_, uri, headers, status) => {
    const gate = makeRtspGate();
    const peer = gate.client();
    await peer.ask('DESCRIBE', `${URL}?token=${gate.token()}`);
    expect((await peer.ask('SETUP', uri, { ...tcp('0-1'), ...headers })).status).toBe(status);
    expect((await peer.ask('SETUP', `${URL}/trackID=0`, tcp('0-1'))).status).toBe(200);
    expect((await peer.ask('GET_PARAMETER', URL, { Session: 'somebody-else' })).status).toBe(454);
  });

  it('who sets a track up without having asked is judged there, before an origin is called', async () => {
    const gate = makeRtspGate();
    const stranger = gate.client();
    expect((await stranger.ask('SETUP', `${URL}/trackID=0`, tcp('0-1'))).status).toBe(401);
    expect(gate.origins).toEqual([]);
    const peer = gate.client();
    const answer = await peer.ask('SETUP', `${URL}?token=${gate.token()}/trackID=0`, tcp('0-1'));
    expect(answer.status).toBe(200);
    expect((await peer.ask('PLAY', URL)).status).toBe(200);
  });

  it('who looks at another stream instead is judged anew', async () => {
    const gate = makeRtspGate();
    const peer = gate.client();
    await peer.ask('DESCRIBE', `${URL}?token=${gate.token({ rooms: ['a'] })}`).catch(() => undefined);
    const other = gate.client();
    await other.ask('DESCRIBE', `${URL}?token=${gate.token()}`);
    expect((await other.ask('DESCRIBE', `${HOST}/live/two`)).status).toBe(401);
    expect((await other.ask('DESCRIBE', `${HOST}/live/two?token=${gate.token()}`)).status).toBe(200);
    expect(
      gate
        .decisions()
        .map(({ path }) => path)
        .slice(1),
    ).toEqual(['live/cam', 'live/two', 'live/two']);
  });
});

describe('the origin', () => {
  it('is answered what it asks, and kept alive, within the time it gave', async () => {
    const gate = makeRtspGate({ origin: { session: 'x;timeout=20' } });
    const peer = await playing(gate);
    const origin = lastOrigin(gate);
    expect(peer.last.headers.get('Session')).toMatch(/;timeout=20$/);
    origin.asks('OPTIONS');
    origin.asks('REDIRECT');
    await quiet();
    expect(origin.answers).toEqual([200, 501]);
    for (let second = 0; second < 62; second++) {
      gate.clock.advance(1000);
      origin.frame(0, rtp('x'));
      await settle();
    }
    await quiet();
    const keepAlives = origin.requests.filter(({ method }) => method === 'GET_PARAMETER');
    expect(keepAlives.length).toBeGreaterThanOrEqual(5);
    expect(keepAlives[0]?.headers.get('Session')).toBe('x');
    // The player has said nothing for a minute, and takes what it is sent.
    expect(gate.ends()).toEqual([]);
    expect(peer.responses).toHaveLength(5);
  });

  it.each([
    [
      'Basic',
      { mode: 'static', placement: 'arguments', username: 'u', password: 'p' },
      ['Basic realm="r"'],
      'Basic dTpw',
    ],
    [
      'Digest',
      { mode: 'static', placement: 'arguments', username: 'u', password: 'p' },
      ['Digest realm="r", nonce="n"'],
      'Digest username="u"',
    ],
    ['a query', { mode: 'static', placement: 'query', username: 'u', password: 'p' }, [], undefined],
  ])('gets its credentials by %s', async (kind, credentials, challenges, expected) => {
    const { Secret } = await import('../../../src/model/secret.js');
    const option = { ...credentials, password: new Secret(credentials.password) } as never;
    const gate = makeRtspGate({ credentials: option, origin: { challenges } });
    const peer = await playing(gate);
    expect(peer.last.status).toBe(200);
    const { uri, headers } = lastOrigin(gate).request('DESCRIBE');
    if (expected === undefined)
      expect([kind, uri]).toEqual(['a query', expect.stringContaining('?username=u&password=p')]);
    else expect(headers.get('Authorization')).toContain(expected);
  });

  it('that refuses is told of as unavailable, and the no names no origin', async () => {
    const gate = makeRtspGate({ origin: { refuse: { DESCRIBE: 404 } } });
    const answer = await gate.client().ask('DESCRIBE', `${URL}?token=${gate.token()}`);
    expect([answer.status, answer.reason]).toEqual([503, 'origin-refused: the origin refused the stream']);
  });

  it.each([400, 409, 453])('that says %i to ANNOUNCE holds the name already', async (status) => {
    const gate = makeRtspGate({ origin: { refuse: { ANNOUNCE: status } } });
    const answer = await gate.client().ask('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP);
    expect([answer.status, answer.reason]).toEqual([403, 'stream-busy: the stream name is still in use']);
    expect(gate.origins).toHaveLength(1);
  });

  it('that still holds a name we have just let go of is asked again', async () => {
    const gate = makeRtspGate();
    const first = await publishing(gate);
    first.stream.destroy();
    await quiet();
    gate.behaviour = { refuse: { ANNOUNCE: 400 } };
    const again = gate.client();
    again.send('ANNOUNCE', `${URL}?token=${gate.token()}`, TYPE, SDP);
    await quiet();
    expect(again.responses).toEqual([]);
    gate.behaviour = {};
    gate.clock.advance(250);
    await quiet();
    expect(again.last.status).toBe(200);
    expect(gate.origins).toHaveLength(3);
  });

  it('that closes ends the session and the client', async () => {
    const gate = makeRtspGate();
    const peer = await playing(gate);
    lastOrigin(gate).stream.destroy();
    await quiet();
    expect(peer.closed).toBe(true);
    expect(gate.ends().map(({ reason }) => reason)).toEqual(['origin-closed']);
    expect(gate.open).toBe(0);
    gate.clock.advance(10_000);
    expect(gate.clock.pending).toBeLessThanOrEqual(1);
  });
});
