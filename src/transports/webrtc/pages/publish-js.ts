/** The page to publish from. */
export const PUBLISH_JS = String.raw`
import { element, endpointOf, fillFields, runForm, Session, show, showFigures } from './client.js';
import { testPicture } from './picture.js';

let source;
let session;
let hideFigures = () => undefined;

const CAMERA_PROBLEMS = {
  NotAllowedError: 'The browser did not allow camera and microphone.',
  NotFoundError: 'There is no camera or no microphone.',
  NotReadableError: 'Another program uses the camera.',
};

async function camera() {
  if (navigator.mediaDevices === undefined) {
    throw new Error('The browser gives the camera to pages by HTTPS and on localhost only.');
  }
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    return { stream, stop: () => stream.getTracks().forEach((track) => track.stop()) };
  } catch (error) {
    throw new Error(CAMERA_PROBLEMS[error.name] || error.message);
  }
}

function prefer(transceiver, wanted) {
  if (wanted === '') return;
  const all = RTCRtpSender.getCapabilities('video').codecs;
  const chosen = all.filter(({ mimeType }) => mimeType === wanted);
  if (chosen.length === 0) throw new Error('This browser cannot send ' + wanted.split('/')[1] + '.');
  transceiver.setCodecPreferences([...chosen, ...all.filter(({ mimeType }) => mimeType === 'video/rtx')]);
}

function stop() {
  hideFigures();
  session?.close();
  source?.stop();
  session = undefined;
  source = undefined;
  element('video').srcObject = null;
}

async function start({ isWanted, end }) {
  show('asking', 'Getting the picture …');
  const made = element('source').value === 'camera' ? await camera() : await testPicture();
  if (!isWanted()) {
    made.stop();
    return;
  }
  source = made;
  element('video').srcObject = made.stream;
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  for (const track of made.stream.getTracks()) {
    const transceiver = pc.addTransceiver(track, { direction: 'sendonly', streams: [made.stream] });
    if (track.kind === 'video') prefer(transceiver, element('codec').value);
  }
  session = new Session('whip', pc, element('token').value.trim(), {
    onState: (state) => {
      if (state === 'connected') show('live', 'Live');
      if (state === 'disconnected') show('lost', 'The connection falters …');
    },
    onError: end,
  });
  show('asking', 'Asking the gateway …');
  await session.open(endpointOf('whip', element('stream').value));
  if (!isWanted()) return;
  if (pc.connectionState !== 'connected') show('asking', 'Connecting …');
  hideFigures = showFigures(pc, 'outbound');
}

fillFields();
runForm(start, stop);
`;
