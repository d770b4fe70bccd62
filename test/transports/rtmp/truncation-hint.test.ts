import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../../src/model/secret.js';
import { truncationHint } from '../../../src/transports/rtmp/truncation-hint.js';

const jwt = (size: number) => `eyJh.eyJp.${'s'.repeat(size - 10)}`;
const hint = (app: string, name: string | undefined, token?: string, tcUrl?: string) =>
  truncationHint(
    new Secret(app),
    tcUrl === undefined ? undefined : new Secret(tcUrl),
    name,
    token === undefined ? undefined : new Secret(token),
  );

describe('truncationHint', () => {
  it.each<[string, string | undefined]>([
    ['a whole token in a short URL', hint('live', `cam?token=${jwt(300)}`, jwt(300))],
    ['a whole token in a URL longer than ffmpeg can send', hint('live', `cam?token=${jwt(1200)}`, jwt(1200))],
    ['a whole token in a URL that ffmpeg just can send', hint('live', `cam?token=${jwt(990)}`, jwt(990))],
    ['no token in a short URL', hint('live', 'cam')],
    ['a connect without a name yet', hint('live', undefined)],
    ['an & in a name that has no credentials (RTMP-17)', hint('live', 'a&b=c')],
    ['parameters in their place', hint('live', `cam?x=1&token=${jwt(300)}`, jwt(300))],
  ])('says nothing of %s', (_, said) => {
    expect(said).toBeUndefined();
  });

  it.each([
    ['without a signature', 'eyJh.eyJp', 2],
    ['with an empty signature', 'eyJh.eyJp.', 2],
    ['of one part', 'eyJhbGciOi', 1],
    ['of five parts', 'a.b.c.d.e', 5],
  ])('tells of a token %s', (_, token, count) => {
    expect(hint('live', `cam?token=${token}`, token)).toContain(`the token has ${count} of 3 parts`);
  });

  it('tells of a token of three parts in a URL that is as long as ffmpeg cuts it', () => {
    const name = `cam?token=${jwt(1007)}`;
    expect(`live/${name}`).toHaveLength(1022);
    expect(hint('live', name, jwt(1007))).toMatch(/^app and stream name have 1022 characters, the length at which/);
    expect(hint(`live?token=${jwt(1011)}`, undefined, jwt(1011))).toBeDefined();
  });

  it('tells of a long URL in which no token was found', () => {
    expect(hint(`live?username=${'u'.repeat(1000)}`, '')).toContain('but no usable token');
    expect(hint('live', 'n'.repeat(1000))).toContain('but no usable token');
    expect(hint('live', 'cam', undefined, `rtmp://h/live?${'u'.repeat(1000)}`)).toContain('but no usable token');
  });

  it('tells of a slash in a parameter that has moved the split (seen with ffmpeg, GStreamer and rtmpdump)', () => {
    expect(hint('live/cam?password=a', 'b&token=a.b.c')).toMatch(/^the stream name holds parameters but no \?/);
  });

  it('never repeats the token', () => {
    for (const said of [hint('live', 'b&token=canary.x.y', 'canary.x'), hint('canary', 'canary'.repeat(300))]) {
      expect(said).not.toContain('canary');
    }
  });
});
