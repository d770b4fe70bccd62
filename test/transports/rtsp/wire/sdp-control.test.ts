import { describe, expect, it } from '@jest/globals';
import { readControls, rewriteControls } from '../../../../src/transports/rtsp/wire/sdp-control.js';
import { readSdp, writeSdp } from '../../../../src/wire/sdp.js';

const LINES = [
  'v=0',
  'o=- 1 1 IN IP4 10.0.0.5',
  's=-',
  'a=control:rtsp://10.0.0.5:8554/live/cam/',
  'm=video 0 RTP/AVP 96',
  'a=control: rtsp://10.0.0.5:8554/live/cam/trackID=0 ',
  'm=audio 0 RTP/AVP 97',
  'a=control:trackID=1',
  'm=application 0 RTP/AVP 98',
];
const sdp = readSdp(Buffer.from(LINES.join('\r\n')));

describe('controls of a description', () => {
  it('are read in the order of the media', () => {
    expect(readControls(sdp)).toEqual(['rtsp://10.0.0.5:8554/live/cam/trackID=0', 'trackID=1', undefined]);
  });

  it('are rewritten one by one, without the origin in them (RTSP-07)', () => {
    const written = rewriteControls(sdp, (_, place) => (place === null ? '*' : `trackID=${place}`));
    expect(
      writeSdp(written)
        .toString()
        .split('\r\n')
        .filter((line) => line.startsWith('a=')),
    ).toEqual(['a=control:*', 'a=control:trackID=0', 'a=control:trackID=1']);
    expect(rewriteControls(sdp, (control) => (control === 'trackID=1' ? control : undefined)).media[0]).toHaveLength(1);
  });

  it('cannot bring a line of their own', () => {
    const written = rewriteControls(sdp, () => 'x\r\na=evil');
    expect(() => writeSdp(written)).toThrow(/^unwritable-sdp/);
  });
});
