/** The page to watch on. A stream that nobody publishes yet is asked for again. */
export const WATCH_JS = String.raw`
import { element, endpointOf, fillFields, Refusal, runForm, Session, show, showFigures, showProblem } from './client.js';

let session;
let hideFigures = () => undefined;

function stop() {
  hideFigures();
  session?.close();
  session = undefined;
  element('video').srcObject = null;
}

function pause(seconds) {
  return new Promise((done) => setTimeout(done, seconds * 1000));
}

async function connect({ isWanted, end }) {
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const stream = new MediaStream();
  pc.addTransceiver('audio', { direction: 'recvonly' });
  pc.addTransceiver('video', { direction: 'recvonly' });
  pc.addEventListener('track', ({ track }) => {
    stream.addTrack(track);
    element('video').srcObject = stream;
    element('video').play().catch(() => undefined);
  });
  session = new Session('whep', pc, element('token').value.trim(), {
    onState: (state) => {
      if (state === 'connected') show('live', 'Playing');
      if (state === 'disconnected') show('lost', 'The connection falters …');
    },
    onError: end,
  });
  show('asking', 'Asking the gateway …');
  await session.open(endpointOf('whep', element('stream').value));
  if (!isWanted()) return;
  if (pc.connectionState !== 'connected') show('asking', 'Connecting …');
  hideFigures = showFigures(pc, 'inbound');
}

async function start(run) {
  while (run.isWanted()) {
    try {
      await connect(run);
      showProblem();
      return;
    } catch (error) {
      stop();
      if (!run.isWanted()) return;
      if (!(error instanceof Refusal) || error.status !== 409) throw error;
      show('waiting', 'Waiting for the stream …');
      showProblem(error);
      await pause(error.retryAfterS || 2);
    }
  }
}

fillFields();
runForm(start, stop);
`;
