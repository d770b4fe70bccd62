import type { Secret } from '../model/secret.js';

/** What the banner of `dev` shows. */
export interface DevBanner {
  readonly host: string;
  readonly rtmpPort: number;
  readonly rtspPort: number;
  readonly adminPort: number;
  /** Where WHIP and WHEP are, or what must be installed for them. */
  readonly webrtc: { readonly httpPort: number } | { readonly missingPackage: string };
  /** For publishing any stream. */
  readonly publisherToken: Secret;
  /** For playing any stream, and for nothing else. */
  readonly viewerToken: Secret;
  /** Life of the tokens, in minutes. */
  readonly ttlMinutes: number;
}

const APP = 'live';
const STREAM = 'demo';

/** Pictures and a tone that need no file; a key frame each second, so that a player starts at once. */
const TEST_SOURCE =
  'ffmpeg -re -f lavfi -i testsrc=size=1280x720:rate=30 -f lavfi -i sine=frequency=440 ' +
  '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 30 -c:a aac';

/** Double quotes do in every shell, since no character of these URLs means anything inside them. */
function quote(url: string): string {
  return `"${url}"`;
}

/** The text of the banner: where the gateway is, and commands to paste. Holds tokens, so it is no log line. */
export function devBanner(banner: DevBanner): string {
  const { host, rtmpPort, rtspPort, ttlMinutes } = banner;
  const server = `rtmp://${host}:${rtmpPort}/${APP}`;
  const publisherKey = `${STREAM}?token=${banner.publisherToken.reveal()}`;
  const rtsp = `rtsp://${host}:${rtspPort}/${APP}`;
  const rtspPublisherUrl = quote(`${rtsp}/${STREAM}?token=${banner.publisherToken.reveal()}`);
  const rtspViewerUrl = quote(`${rtsp}/${STREAM}?token=${banner.viewerToken.reveal()}`);
  const viewerUrl = quote(`${server}/${STREAM}?token=${banner.viewerToken.reveal()}`);
  return `
Portcullis is open on this machine only, with an origin of its own and a secret made for this run.
The tokens below are good for ${ttlMinutes} minutes; start again for fresh ones. Ctrl-C ends everything.

  ${server}/NAME            a stream
  ${server}/ROOM/NAME       a stream in a room

Publish a test picture:
  ${TEST_SOURCE} -f flv ${quote(`${server}/${publisherKey}`)}

Play it, in a window or without one:
  ffplay -fflags nobuffer ${viewerUrl}
  ffmpeg -i ${viewerUrl} -t 10 -f null -

OBS, Settings > Stream, Service "Custom...":
  Server      ${server}
  Stream Key  ${publisherKey}

See a refusal (a viewer's token that wants to publish; the log below says role-denied):
  ${TEST_SOURCE} -f flv ${viewerUrl}

The same by RTSP, for cameras, VLC and GStreamer (what comes in by RTSP is played by RTSP):
  ${TEST_SOURCE} -f rtsp ${rtspPublisherUrl}
  ffplay ${rtspViewerUrl}
  vlc ${rtspViewerUrl}

${webrtcPart(banner)}
See who is here and who was refused, and end streams, in a browser (without a token, since it is for this machine only):
  dashboard   http://${host}:${banner.adminPort}/
  metrics     http://${host}:${banner.adminPort}/metrics
`;
}

function webrtcPart({ host, webrtc, publisherToken, viewerToken }: DevBanner): string {
  if ('missingPackage' in webrtc) {
    return `Browsers, WHIP and WHEP are left out, since a package is not installed. To have them:
  npm install ${webrtc.missingPackage}
`;
  }
  const web = `http://${host}:${webrtc.httpPort}`;
  // Behind `#`, so that no token is ever part of a request for a page.
  const pageUrl = (page: string, token: Secret): string =>
    `${web}/${page}#stream=${APP}/${STREAM}&token=${token.reveal()}`;
  return `In a browser, with a test picture or the camera (what comes in by WHIP is watched by WHEP):
  publish     ${pageUrl('publish', publisherToken)}
  watch       ${pageUrl('watch', viewerToken)}

OBS, Settings > Stream, Service "WHIP":
  Server        ${web}/${APP}/whip/${STREAM}
  Bearer Token  ${publisherToken.reveal()}
`;
}
