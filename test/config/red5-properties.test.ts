import { describe, expect, it } from '@jest/globals';
import { complete, configOf, faultsOf, SECRET, warningsOf } from './loading.js';

const text = complete({ auth: { red5Properties: 'red5-web.properties' } });
const around = (properties: string) => ({ files: { 'red5-web.properties': Buffer.from(properties, 'latin1') } });

describe("Red5 Pro's property file", () => {
  it('gives secret, ceiling and issuer', () => {
    const { auth } = configOf(text, around(`jwt.secret=${SECRET}\njwt.ttl.minutes=5\njwt.issuer=red5\n`));
    expect(auth).toMatchObject({ maxTtlMinutes: 5, issuers: ['red5'] });
    expect(auth.keys).toMatchObject([{ id: 'red5', algorithm: 'HS256', kind: 'secret', encoding: 'utf8' }]);
    expect(auth.keys[0]?.kind === 'secret' && auth.keys[0].secret.reveal()).toBe(SECRET);
  });

  it('with an empty issuer checks none', () => {
    expect(configOf(text, around(`jwt.secret=${SECRET}\njwt.issuer=\n`)).auth.issuers).toEqual([]);
  });

  it('reads the secret as Java does: the bytes of an umlaut are one character', () => {
    const key = configOf(text, around(`jwt.secret=ä${SECRET}\n`)).auth.keys[0];
    expect(key?.kind === 'secret' && key.secret.reveal()).toBe(`ä${SECRET}`);
  });

  it.each([
    [
      'auth.active=false',
      'red5-web.properties:2: auth.active: is off in Red5; every listener of the gateway stays closed',
    ],
    ['auth.rtmp=false', 'auth.rtmp: leaves RTMP open in Red5; every listener of the gateway stays closed'],
    ['auth.rtsp=false', 'auth.rtsp: leaves RTSP open in Red5'],
    ['auth.rtc=no', 'auth.rtc: leaves WebRTC open in Red5'],
    ['auth.srt=true', 'auth.srt: could not be mapped: the gateway has no SRT'],
    ['auth.mpegts=true', 'auth.mpegts: could not be mapped'],
    ['auth.rtmpAllowQueryParamsEnabled=false', 'auth.rtmpAllowQueryParamsEnabled: could not be mapped'],
    ['auth.streamNameAuth=false', 'auth.streamNameAuth: could not be mapped'],
    ['auth.rtmpAuthRoomScopeEnabled=true', 'auth.rtmpAuthRoomScopeEnabled: could not be mapped'],
    [
      'auth.rtmpAuthRoomScopeName=x',
      'auth.rtmpAuthRoomScopeName: could not be mapped: nothing in the gateway corresponds',
    ],
    ['webapp.contextPath=/live', 'red5-web.properties:2: webapp.contextPath: could not be mapped'],
    ['jwt.ttl.minutes=soon', 'jwt.ttl.minutes: is not a number of minutes; not imported'],
    ['jwt.issuer=${issuer}', 'jwt.issuer: could not be mapped: it holds a ${…} placeholder'],
  ])('warns of %s', (line, expected) => {
    expect(warningsOf(text, around(`jwt.secret=${SECRET}\n${line}\n`)).join('\n')).toContain(expected);
  });

  it.each([
    ['auth.active=true'],
    ['auth.rtmp = TRUE'],
    ['auth.srt=false'],
    ['auth.mpegts=false'],
    ['auth.streamNameAuth=true'],
    ['auth.rtmpAllowQueryParamsEnabled=true'],
    ['auth.rtmpAuthRoomScopeEnabled=false'],
  ])('takes %s without a word', (line) => {
    expect(warningsOf(text, around(`jwt.secret=${SECRET}\n${line}\n`))).toEqual([]);
  });

  it('warns of the sample secret and of white space at the end of a secret', () => {
    const sample = 'jwt.secret=changeme-to-a-strong-32-byte-secret-key\n';
    expect(warningsOf(text, around(sample)).join()).toContain("is the secret of Red5's sample file");
    expect(warningsOf(text, around(`jwt.secret=${SECRET} \n`)).join()).toContain('ends in white space');
  });

  it('repeats no line that may be a secret', () => {
    const lines = warningsOf(text, around(`jwt.secret=${SECRET}\n${SECRET.toUpperCase()}x\n`));
    expect(lines).toEqual([
      'red5-web.properties:2: (a property): could not be mapped: nothing in the gateway corresponds to it',
    ]);
  });

  it('loses to keys that the config sets, with a warning where they differ', () => {
    const both = complete({
      auth: {
        red5Properties: 'red5-web.properties',
        keys: [{ id: 'mine', secret: { value: SECRET } }],
        maxTtlMinutes: 5,
        issuers: ['a'],
      },
    });
    const files = around(`jwt.secret=${SECRET}\njwt.ttl.minutes=5\njwt.issuer=b\n`);
    expect(configOf(both, files).auth).toMatchObject({ issuers: ['a'], keys: [{ id: 'mine' }] });
    expect(warningsOf(both, files)).toEqual([
      'red5-web.properties:1: jwt.secret: is not used, because the config sets auth.keys',
      'red5-web.properties:3: jwt.issuer: is not used, because the config sets auth.issuers',
    ]);
  });

  it.each([
    [
      'jwt.ttl.minutes=60\njwt.secret=short\n',
      'red5-web.properties:2: auth.keys[0].secret: is a weak secret of 5 bytes',
    ],
    ['jwt.ttl.minutes=0\n', 'red5-web.properties:1: auth.maxTtlMinutes: is 0, too little'],
    ['auth.active=true\n', 'auth.keys: names no key'],
    ['jwt.secret=${secret}\n', 'auth.keys: names no key'],
    [
      'jwt.secret=\\u12\n',
      'gateway.yaml:6: auth.red5Properties: names the file red5-web.properties, whose line 1 has a \\u escape',
    ],
  ])('is at fault where it is: %j', (properties, expected) => {
    expect(faultsOf(text, around(properties)).join('\n')).toContain(expected);
  });

  it('is a fault when it is missing', () => {
    expect(faultsOf(text).join('\n')).toContain(
      'auth.red5Properties: names the file red5-web.properties, which does not exist',
    );
  });
});
