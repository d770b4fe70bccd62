/**
 * What the pages share: one WHIP or WHEP session (POST, answer or counter-offer, trickle, ICE restart, DELETE), the words for
 * what went wrong, and the figures. Plain JavaScript for browsers; no backticks, since it stands in a template.
 */
export const CLIENT_JS = String.raw`
const RESTART_AFTER_MS = 2000;

/** What the gateway refused, in words. */
export class Refusal extends Error {
  constructor(status, code, text, retryAfterS, session) {
    super(text);
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
    // Under which name the log has it.
    this.session = session;
  }
}

const HELP = {
  'token-missing': 'Paste a token into the field above.',
  'token-expired': 'Get a fresh token.',
  'token-malformed': 'Is the token whole? It has three parts with dots between.',
  'token-signature': 'It was signed with a key that this gateway does not know.',
  'role-denied': 'A publisher needs the role red5-publisher, a viewer red5-subscriber.',
  'room-denied': 'The token is for other rooms.',
  'transport-denied': 'The token is for other transports.',
  'path-invalid': 'The stream has the form app/name or app/room/name.',
  'stream-busy': 'Somebody publishes under this name.',
  'origin-unavailable': 'The media server behind the gateway does not answer.',
};

async function refusalOf(response, kind) {
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // Not ours: a proxy between here and the gateway.
  }
  const retryAfterS = Number(response.headers.get('Retry-After')) || undefined;
  const nobody = kind === 'whep' && response.status === 409;
  const title = nobody ? 'nobody publishes this stream yet' : problem.title || 'the request was refused';
  const help = HELP[problem.code] ? ' ' + HELP[problem.code] : '';
  const code = problem.code || 'status ' + response.status;
  return new Refusal(response.status, problem.code, title + ' (' + code + ').' + (nobody ? '' : help), retryAfterS, problem.session);
}

/** The endpoint of a stream, beside this page. */
export function endpointOf(kind, stream) {
  const path = stream.split('/').filter((part) => part !== '').map(encodeURIComponent).join('/');
  return new URL(path + '/' + kind, new URL('.', location.href)).href;
}

function lineOf(sdp, name) {
  const found = new RegExp('^a=' + name + ':(.*?)\\r?$', 'm').exec(sdp);
  return found ? found[1] : '';
}

/** One session at a gateway. Tells onState of a connection's states, and onError of what ended it. */
export class Session {
  constructor(kind, pc, token, { onState, onError }) {
    this.kind = kind;
    this.pc = pc;
    this.token = token;
    this.onState = onState;
    this.onError = onError;
    this.url = undefined;
    this.isOver = false;
    this.candidates = [];
    pc.addEventListener('connectionstatechange', () => this.#changed());
    pc.addEventListener('icecandidate', ({ candidate }) => this.#found(candidate));
    this.onOnline = () => this.restart();
    addEventListener('online', this.onOnline);
  }

  /** Asks for the stream; rejects with a Refusal. */
  async open(endpoint) {
    const { pc } = this;
    await pc.setLocalDescription();
    const headers = { 'Content-Type': 'application/sdp' };
    if (this.token !== '') headers.Authorization = 'Bearer ' + this.token;
    const response = await fetch(endpoint, { method: 'POST', headers, body: pc.localDescription.sdp });
    const type = response.headers.get('Content-Type') || '';
    if (!response.ok && !(response.status === 406 && type.startsWith('application/sdp'))) {
      throw await refusalOf(response, this.kind);
    }
    const where = response.headers.get('Location');
    this.url = where === null ? undefined : new URL(where, endpoint).href;
    const sdp = await response.text();
    if (this.isOver) {
      await this.#delete();
      return;
    }
    if (/^a=setup:actpass\r?$/m.test(sdp)) await this.#answerOffer(sdp);
    else await pc.setRemoteDescription({ type: 'answer', sdp });
    this.remoteSdp = sdp;
    this.#trickle();
  }

  /** The origin made an offer of its own. */
  async #answerOffer(sdp) {
    const { pc } = this;
    await pc.setLocalDescription({ type: 'rollback' });
    for (const transceiver of pc.getTransceivers()) transceiver.stop();
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    const response = await this.#patch('application/sdp', pc.localDescription.sdp, {});
    if (!response.ok) throw await refusalOf(response, this.kind);
    this.isAnswerer = true;
  }

  #patch(type, body, more) {
    return fetch(this.url, { method: 'PATCH', headers: { 'Content-Type': type, ...more }, body });
  }

  #found(candidate) {
    if (candidate !== null && candidate.candidate !== '') this.candidates.push(candidate.candidate);
    else this.#trickle();
  }

  #fragment(lines) {
    const { sdp } = this.pc.localDescription;
    const media = /^m=.*?\r?$/m.exec(sdp)[0].trim();
    return ['a=ice-ufrag:' + lineOf(sdp, 'ice-ufrag'), 'a=ice-pwd:' + lineOf(sdp, 'ice-pwd'), media, 'a=mid:' + lineOf(sdp, 'mid'), ...lines, ''].join('\r\n');
  }

  /** All candidates at once, when there are no more. A gateway that relays the media does not need them. */
  async #trickle() {
    if (this.url === undefined || this.isOver || this.pc.iceGatheringState !== 'complete') return;
    const lines = this.candidates.splice(0).map((candidate) => 'a=' + candidate);
    if (lines.length === 0) return;
    try {
      await this.#patch('application/trickle-ice-sdpfrag', this.#fragment([...lines, 'a=end-of-candidates']), {});
    } catch {
      // The connection itself tells whether they were missed.
    }
  }

  /** Looks for a new way to the gateway, with the media where they are. */
  async restart() {
    const { pc } = this;
    if (this.url === undefined || this.isOver || this.isAnswerer || this.isRestarting) return;
    this.isRestarting = true;
    try {
      pc.restartIce();
      await pc.setLocalDescription();
      const response = await this.#patch('application/trickle-ice-sdpfrag', this.#fragment([]), { 'If-Match': '*' });
      if (response.status !== 200) throw await refusalOf(response, this.kind);
      const fragment = await response.text();
      const sdp = this.remoteSdp
        .replace(/^a=ice-ufrag:.*?$/gm, 'a=ice-ufrag:' + lineOf(fragment, 'ice-ufrag'))
        .replace(/^a=ice-pwd:.*?$/gm, 'a=ice-pwd:' + lineOf(fragment, 'ice-pwd'));
      await pc.setRemoteDescription({ type: 'answer', sdp });
      this.remoteSdp = sdp;
    } catch (error) {
      if (!this.isOver && error instanceof Refusal && error.status === 404) this.#fail('The session has ended.');
    } finally {
      this.isRestarting = false;
    }
  }

  #changed() {
    const state = this.pc.connectionState;
    if (this.isOver) return;
    this.onState(state);
    clearTimeout(this.timer);
    if (state === 'disconnected') this.timer = setTimeout(() => this.restart(), RESTART_AFTER_MS);
    if (state === 'failed') {
      this.#fail(this.kind === 'whep' ? 'The stream has ended, or the connection is lost.' : 'The gateway has ended the stream, or the connection is lost.');
    }
  }

  #fail(text) {
    void this.close();
    this.onError(new Error(text));
  }

  /** Ends it, here and at the gateway; resolves when that has heard of it. Harmless when it is over already. */
  async close() {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    removeEventListener('online', this.onOnline);
    this.pc.close();
    await this.#delete();
  }

  async #delete() {
    if (this.url === undefined) return;
    const { url } = this;
    this.url = undefined;
    try {
      // Goes out even while the page is being left.
      await fetch(url, { method: 'DELETE', keepalive: true });
    } catch {
      // The gateway notices the silence.
    }
  }
}

export const element = (id) => document.getElementById(id);

export function show(state, text) {
  element('state').dataset.state = state;
  element('state').textContent = text;
}

export function showProblem(error) {
  element('problem').textContent = error === undefined ? '' : error.message || String(error);
}

function sizeText(bytes) {
  return bytes < 1e6 ? Math.round(bytes / 1e3) + ' kB' : (bytes / 1e6).toFixed(1) + ' MB';
}

function timeText(ms) {
  const s = Math.floor(ms / 1000);
  return Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0');
}

/** Shows figures once a second until what comes back is called. */
export function showFigures(pc, direction) {
  const startedMs = performance.now();
  let last = { bytes: 0, atMs: startedMs };
  const put = (id, value) => {
    const place = element(id);
    if (place !== null && value !== undefined) place.textContent = value;
  };
  const look = async () => {
    const all = [...(await pc.getStats()).values()];
    const streams = all.filter(({ type }) => type === direction + '-rtp');
    const sum = (key) => streams.reduce((total, one) => total + (one[key] || 0), 0);
    const video = streams.filter(({ kind }) => kind === 'video').sort((a, b) => (b.frameWidth || 0) - (a.frameWidth || 0))[0];
    const codecs = new Set(streams.map(({ codecId }) => all.find(({ id }) => id === codecId)?.mimeType?.split('/')[1]));
    const pair = all.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
    const bytes = sum(direction === 'outbound' ? 'bytesSent' : 'bytesReceived');
    const atMs = performance.now();
    const far = all.filter(({ type }) => type === 'remote-inbound-rtp');
    put('time', timeText(atMs - startedMs));
    put('size', video?.frameWidth ? video.frameWidth + ' × ' + video.frameHeight + ', ' + Math.round(video.framesPerSecond || 0) + ' fps' : undefined);
    put('codecs', [...codecs].filter(Boolean).join(', ') || undefined);
    put('frames', String(video?.framesDecoded ?? video?.framesSent ?? 0));
    put('bytes', sizeText(bytes));
    element('bytes').dataset.bytes = String(bytes);
    put('rate', Math.round(((bytes - last.bytes) * 8) / Math.max(1, atMs - last.atMs)) + ' kb/s');
    put('lost', String(direction === 'inbound' ? sum('packetsLost') : far.reduce((total, one) => total + (one.packetsLost || 0), 0)));
    put('freezes', String(video?.freezeCount ?? 0));
    put('rtt', pair?.currentRoundTripTime === undefined ? undefined : Math.round(pair.currentRoundTripTime * 1000) + ' ms');
    last = { bytes, atMs };
  };
  const timer = setInterval(() => void look().catch(() => undefined), 1000);
  return () => clearInterval(timer);
}

/** Fills the fields from the address: #stream=live/demo&token=... The token leaves the address bar and the history at once. */
export function fillFields() {
  const given = new URLSearchParams(location.hash.slice(1) || location.search);
  if (given.has('stream')) element('stream').value = given.get('stream');
  if (given.has('token')) element('token').value = given.get('token');
  given.delete('token');
  const rest = given.toString();
  history.replaceState(null, '', location.pathname + (rest === '' ? '' : '#' + rest));
  element('other').addEventListener('click', () => {
    element('other').hash = new URLSearchParams({ stream: element('stream').value }).toString();
  });
}

/** Joins the form to what starts and stops; start gets a function that tells whether it is still wanted. */
export function runForm(start, stop) {
  let run = 0;
  const set = (isRunning) => {
    element('start').disabled = isRunning;
    element('stop').disabled = !isRunning;
    for (const field of document.querySelectorAll('input, select')) field.disabled = isRunning;
  };
  const end = (state, text, error) => {
    run += 1;
    stop();
    set(false);
    show(state, text);
    showProblem(error);
  };
  element('form').addEventListener('submit', (event) => {
    event.preventDefault();
    const mine = ++run;
    set(true);
    showProblem();
    const isWanted = () => mine === run;
    start({ isWanted, end: (error) => isWanted() && end('ended', 'Stopped', error) }).catch((error) => {
      if (isWanted()) end('refused', error instanceof Refusal ? 'Refused' : 'Stopped', error);
    });
  });
  element('stop').addEventListener('click', () => end('idle', 'Stopped'));
  addEventListener('pagehide', () => stop());
}
`;
