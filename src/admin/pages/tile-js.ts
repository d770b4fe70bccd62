/**
 * One picture of the wall: the tile of the watch page in a frame, one viewer session at a time. Token and stream go to it by
 * a channel that only a page of the watch page's own origin can get, so they stand in no URL, log, referrer or history.
 */
export const TILE_JS = `
import { call } from '/connection.js';
import { el, put } from '/drawing.js';

const READY_MS = 8000;
const PICTURE_MS = 15000;
const STOP_MS = 3000;
const RETRY_MS = 2000;
const MOST_TRIES = 4;
/** An origin may need so long to have a picture of a new publisher; later its no is a no. */
const YOUNG_MS = 15000;
/** Who has played so long gets all tries again: its token has ended, or its way was lost. */
const SETTLED_MS = 10000;

const TEXTS = {
  loading: 'Loading the watch page …',
  connecting: 'Asking for the stream …',
  waiting: 'The origin has no picture yet. Asking again …',
  lost: 'The session has ended. Asking again …',
  ended: 'The stream has ended.',
};

/** What went wrong in plain words; the code stands behind. Codes of refusals are those of docs/rejections.md. */
export function reasonFor(code, { transport, origin, offersWhep }, place) {
  switch (code) {
    case 'origin-unavailable':
      return offersWhep === false
        ? 'The origin ' + origin + ' offers no WHEP, so there is no picture of a stream that is only there.'
        : 'No origin answers for it by WHEP.';
    case 'origin-refused':
      return transport === 'WHIP'
        ? 'The origin gives this stream to no viewer by WHEP.'
        : 'The origin gives no picture of it by WHEP; many do not turn ' + transport + ' into WebRTC.';
    case 'hook-denied': return 'A hook of this gateway said no to the token of the wall.';
    case 'hook-failed': return 'A hook of this gateway could not say whether the wall may watch.';
    case 'no-picture': return 'It is connected, but no picture comes. It may be sound only, or in a codec that this browser does not show.';
    case 'frame-refused': return 'The watch page at ' + place + ' did not come up here. Open it in a tab to see why; publicUrl of its listener must be where browsers reach it.';
    case 'kicked': return 'An operator has ended this viewer session.';
    case 'connection-lost': return 'The connection was lost again and again.';
    case 'unreachable': return 'The gateway does not answer.';
    default: return undefined;
  }
}

/** Asks the gateway for a token that is good for this room by WHEP, and for a moment. */
async function mint(path, tokenId, ttlSeconds) {
  const room = path.split('/').slice(1, -1).join('/');
  const body = { subject: 'dashboard-wall', tokenId, roles: ['subscriber'], transports: ['WHEP'], ttlSeconds, ...(room !== '' && { rooms: [room] }) };
  const { token } = await call('/tokens/mint', { method: 'POST', body });
  return token;
}

function newTokenId() {
  // Not randomUUID, which pages without TLS do not have.
  return 'wall-' + [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Tile {
  /** stream: path, publisher, sinceMs, transport, origin, offersWhep. wall: tileUrl, tokenTtlSeconds, spent, onLeave, onNews, detailOf, watchLink. */
  constructor(stream, wall) {
    this.stream = stream;
    this.wall = wall;
    this.sinceMs = performance.now();
    this.screen = el('div', 'screen');
    this.why = el('p', 'why');
    this.detail = el('small', '');
    this.again = el('button', '', 'Try again');
    this.leave = el('button', 'off', 'Take off');
    for (const button of [this.again, this.leave]) button.type = 'button';
    this.again.setAttribute('aria-label', 'Try again to show ' + stream.path);
    this.leave.setAttribute('aria-label', 'Take ' + stream.path + ' off the wall');
    this.again.addEventListener('click', () => this.open());
    this.leave.addEventListener('click', () => wall.onLeave(this));
    this.screen.append(el('div', 'words', this.why, this.detail, this.again));
    const how = stream.transport + (stream.origin === undefined ? '' : ' at ' + stream.origin);
    this.place = el('li', 'tile', this.screen, el('div', 'foot', el('div', '', el('span', 'path', stream.path), el('span', 'sub', how)), el('span', 'do', wall.watchLink(stream.path), this.leave)));
    this.open();
  }

  #is(state, text) {
    this.state = state;
    this.screen.dataset.state = state;
    put(this.why, text ?? TEXTS[state] ?? '');
    put(this.detail, '');
    this.again.hidden = state !== 'failed';
  }

  /** Loads the page and greets it; only a page of that very origin gets the other end of the channel. */
  open() {
    void this.close();
    this.tries = 0;
    this.refusedSession = undefined;
    this.#is('loading');
    const { tileUrl } = this.wall;
    const frame = el('iframe', '');
    frame.title = 'Picture of ' + this.stream.path;
    frame.setAttribute('sandbox', 'allow-scripts allow-same-origin');
    frame.setAttribute('referrerpolicy', 'no-referrer');
    frame.tabIndex = -1;
    const { port1, port2 } = new MessageChannel();
    const view = { frame, port: port1, isOver: false };
    port1.onmessage = ({ data }) => this.#heard(view, data);
    frame.addEventListener('load', () => frame.contentWindow.postMessage({ kind: 'hello' }, new URL(tileUrl).origin, [port2]), { once: true });
    frame.src = tileUrl;
    this.view = view;
    this.#after(READY_MS, () => this.fail('frame-refused'));
    this.screen.prepend(frame);
  }

  #after(ms, act) {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, ms);
  }

  async #ask() {
    const { view, stream, wall } = this;
    this.tries += 1;
    this.#is(this.tries === 1 ? 'connecting' : 'waiting');
    this.#after(PICTURE_MS, () => this.fail('no-picture'));
    this.tokenId = newTokenId();
    try {
      const token = wall.tokenTtlSeconds === undefined ? '' : await mint(stream.path, this.tokenId, wall.tokenTtlSeconds);
      if (!view.isOver) view.port.postMessage({ kind: 'play', stream: stream.path, token });
    } catch (error) {
      if (view.isOver) return;
      if (error.code === undefined) this.fail('unreachable');
      else this.fail(error.code, 'No token could be made for it: ' + error.message);
    }
  }

  #heard(view, { kind, status, code, text, retryAfterS, session }) {
    if (kind === 'stopped') view.onStopped?.();
    if (view.isOver) return;
    if (kind === 'ready') {
      view.isReady = true;
      void this.#ask();
    }
    if (kind === 'playing') {
      clearTimeout(this.timer);
      this.playingSinceMs = performance.now();
      this.#is('playing');
      this.wall.onNews(this.stream.path + ' is on the wall');
    }
    if (kind === 'refused') {
      this.refusedSession = session;
      const isYoung = Date.now() - this.stream.sinceMs < YOUNG_MS;
      if (status === 409 && isYoung && this.tries < MOST_TRIES) this.#askLater((retryAfterS ?? 0) * 1000 || RETRY_MS, TEXTS.waiting);
      else this.fail(code ?? 'status ' + status, text);
    }
    if (kind === 'ended') this.#lost();
  }

  #askLater(ms, text) {
    this.#is('waiting', text);
    this.#after(ms, () => void this.#ask());
  }

  #lost() {
    this.#spend();
    const hasSettled = this.state === 'playing' && performance.now() - this.playingSinceMs >= SETTLED_MS;
    if (hasSettled) this.tries = 0;
    // Not at once: the stream may be over, which the list of sessions tells in a moment.
    if (this.tries < MOST_TRIES) this.#askLater(RETRY_MS, TEXTS.lost);
    else this.fail('connection-lost');
  }

  /** The session that a token began must be gone soon; the wall looks after it. */
  #spend() {
    if (this.tokenId !== undefined) this.wall.spent.set(this.tokenId, performance.now());
    this.tokenId = undefined;
  }

  /** Ends the session and says why there is no picture. */
  fail(code, text) {
    void this.close();
    const reason = reasonFor(code, this.stream, new URL(this.wall.tileUrl).origin);
    this.#is('failed', reason === undefined ? (text ?? 'It cannot be shown (' + code + ').') : reason + ' (' + code + ')');
    this.showDetail();
    this.wall.onNews(this.stream.path + ' cannot be shown: ' + code);
  }

  /** What the log of refusals knows beyond what a client is told; it may come later than the refusal. */
  showDetail() {
    if (this.state === 'failed') put(this.detail, this.wall.detailOf(this.refusedSession) ?? '');
  }

  /** The publisher is gone. */
  end() {
    void this.close();
    this.#is('ended');
  }

  /** Off the wall; what is left of it goes when the gateway has heard. */
  async remove() {
    this.place.hidden = true;
    await this.close();
    this.place.remove();
  }

  /** Ends the session and takes the frame away; resolves when both are done. Harmless when there is none. */
  close() {
    clearTimeout(this.timer);
    this.#spend();
    const { view } = this;
    this.view = undefined;
    if (view === undefined) return this.closed;
    view.isOver = true;
    this.closed = new Promise((done) => {
      view.onStopped = done;
      setTimeout(done, STOP_MS);
      // Before it has said that it is ready it has no session.
      if (!view.isReady) done();
      view.port.postMessage({ kind: 'stop' });
    }).then(() => {
      view.port.close();
      view.frame.remove();
    });
    return this.closed;
  }
}
`;
