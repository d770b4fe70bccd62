/**
 * The watch page for a frame. Stream and token come from the page around it through a channel, never by the address; what
 * becomes of them goes back the same way. One order is one try: whether to try again is for the page around it, which has
 * the tokens. Plain JavaScript for browsers; no backticks, since it stands in a template.
 */
export const TILE_JS = String.raw`
import { endpointOf, Refusal, Session } from './client.js';

const LOOK_MS = 500;
const STILL_MS = 10000;

const video = document.getElementById('video');
const line = document.getElementById('state');
let port;
let session;
let opening;
let timer;
let run = 0;

function say(text) {
  if (line.textContent !== text) line.textContent = text;
}

function tell(kind, more) {
  port?.postMessage({ kind, ...more });
}

/** Ends what runs; resolves when the gateway has heard of it, whatever was under way. */
async function stop() {
  clearInterval(timer);
  const [mine, asked] = [session, opening];
  session = undefined;
  opening = undefined;
  video.srcObject = null;
  await Promise.allSettled([mine?.close(), asked]);
}

function rateText(kbps) {
  return kbps < 1000 ? Math.round(kbps) + ' kbit/s' : (kbps / 1000).toFixed(1) + ' Mbit/s';
}

/** Tells of the first picture, and of a picture that stands still. */
function watchPictures(pc) {
  let last = { frames: 0, bytes: 0, atMs: performance.now(), newAtMs: performance.now() };
  return setInterval(async () => {
    const all = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const picture = all.find(({ kind, framesDecoded }) => kind === 'video' && framesDecoded > 0);
    if (session?.pc !== pc || picture === undefined) return;
    if (last.frames === 0) tell('playing');
    const atMs = performance.now();
    const frames = picture.framesDecoded;
    const bytes = all.reduce((sum, { bytesReceived = 0 }) => sum + bytesReceived, 0);
    const newAtMs = frames > last.frames ? atMs : last.newAtMs;
    const kbps = ((bytes - last.bytes) * 8) / Math.max(1, atMs - last.atMs);
    last = { frames, bytes, atMs, newAtMs };
    if (pc.connectionState !== 'connected') return;
    const figures = [picture.frameWidth + ' × ' + picture.frameHeight, Math.round(picture.framesPerSecond || 0) + ' fps', rateText(kbps)];
    say(atMs - newAtMs < STILL_MS ? figures.join(' · ') : 'No new picture for ' + Math.round((atMs - newAtMs) / 1000) + ' s');
  }, LOOK_MS);
}

function refused(error) {
  say('');
  if (error instanceof Refusal) {
    const { status, code, message, retryAfterS, session: id } = error;
    tell('refused', { status, code, text: message, retryAfterS, session: id });
  } else {
    tell('refused', { status: 0, code: 'unreachable', text: 'The gateway did not answer this page.' });
  }
}

async function play({ stream, token }) {
  const mineRun = ++run;
  await stop();
  // Another order came meanwhile.
  if (mineRun !== run) return;
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const media = new MediaStream();
  pc.addTransceiver('audio', { direction: 'recvonly' });
  pc.addTransceiver('video', { direction: 'recvonly' });
  pc.addEventListener('track', ({ track }) => {
    media.addTrack(track);
    video.srcObject = media;
    video.play().catch(() => undefined);
  });
  const mine = new Session('whep', pc, token, {
    onState: (state) => { if (state === 'disconnected') say('The connection falters …'); },
    onError: ({ message }) => {
      void stop();
      say('');
      tell('ended', { text: message });
    },
  });
  session = mine;
  say('Connecting …');
  timer = watchPictures(pc);
  try {
    opening = mine.open(endpointOf('whep', stream));
    await opening;
  } catch (error) {
    if (session !== mine) return;
    await stop();
    refused(error);
  }
}

async function heard({ kind, ...order }) {
  if (kind === 'play') await play(order);
  if (kind === 'stop') {
    run += 1;
    say('');
    await stop();
    tell('stopped');
  }
}

addEventListener('message', ({ source, data, ports }) => {
  // Whoever may be the parent stands in the policy of this page; others are not heard, and the first word is the only one.
  if (parent === self || source !== parent || port !== undefined || data?.kind !== 'hello' || ports.length !== 1) return;
  [port] = ports;
  port.onmessage = ({ data: order }) => void heard(order);
  say('');
  tell('ready');
});
addEventListener('pagehide', () => void stop());
`;
