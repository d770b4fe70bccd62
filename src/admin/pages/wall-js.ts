/** The wall: which of the live streams have a picture, and that no viewer session outlives its place there. */
export const WALL_JS = `
import { call } from '/connection.js';
import { $, el, put } from '/drawing.js';
import { Tile } from '/tile.js';

const SIZE = 6;
const OUT_OF_SIGHT_MS = 60000;
const FAREWELL_MS = 5000;
/** A tile tells the gateway itself that its session is over; one that could not is ended from here. */
const KICK_AFTER_MS = 4000;
const FORGET_AFTER_MS = 90000;

const COST = 'Each picture is a viewer session: it counts among the viewers and costs the bit rate of its stream.';

/** Where one of the pages is for this one: at the same host, where it is at whatever host reaches the machine. */
export function placeOf(pageUrl, here) {
  const url = new URL(pageUrl);
  if (['0.0.0.0', '[::]'].includes(url.hostname)) url.hostname = here.hostname;
  return url;
}

/** Why there can be no pictures here, with its code; undefined when there can. */
export function obstacleOf({ tileUrl, framedBy, problem }, here) {
  if (problem !== undefined) return problem;
  if (!framedBy.includes(here.origin)) {
    const text = 'This page is open at ' + here.origin + ', but its pictures may be shown at ' + framedBy.join(' and ') +
      ' only. Open it there, or set listen.admin.publicUrl to ' + here.origin + ' and reload the config, then this page.';
    return { code: 'place-unknown', text };
  }
  const { protocol, hostname } = placeOf(tileUrl, here);
  const isLocal = hostname === 'localhost' || hostname.startsWith('127.');
  if (here.protocol === 'https:' && protocol === 'http:' && !isLocal) {
    const text = 'Browsers show nothing without TLS inside a page with TLS. Set listen.http.publicUrl to an https address, or open listen.https.';
    return { code: 'mixed-content', text };
  }
  return undefined;
}

/** Which streams come next: free places are filled from the first of this page on, newest first. */
export function nextOnes(live, first, free, isWanted) {
  return live.slice(first).filter(isWanted).slice(0, free);
}

const keyOf = ({ path, publisher }) => path + '\\n' + publisher;

/** refusalOf: what is known of a refused session. say: tells it to those who do not see. watchLink: a link for people. */
export function createWall({ refusalOf, say, watchLink }) {
  const slots = Array.from({ length: SIZE }, () => undefined);
  const spent = new Map();
  const takenOff = new Set();
  let info = { framedBy: [] };
  let live = [];
  let first = 0;
  let isOn = false;
  let isAsleep = false;
  let sleepTimer;

  const slotOf = (key) => slots.findIndex((tile) => tile !== undefined && keyOf(tile.stream) === key);

  function set(slot, stream) {
    clear(slot);
    const { tokenTtlSeconds } = info;
    const tileUrl = placeOf(info.tileUrl, location).href;
    const tile = new Tile(stream, { tileUrl, tokenTtlSeconds, spent, onLeave, onNews: say, detailOf: (id) => refusalOf(id)?.detail, watchLink });
    slots[slot] = tile;
    // Never moved afterwards: a frame that is moved loads again.
    $('wall').insertBefore(tile.place, slots.slice(slot + 1).find((one) => one !== undefined)?.place ?? null);
  }

  function clear(slot) {
    const tile = slots[slot];
    slots[slot] = undefined;
    clearTimeout(tile?.farewell);
    void tile?.remove();
  }

  function clearAll() {
    for (const slot of slots.keys()) clear(slot);
  }

  function onLeave(tile) {
    takenOff.add(keyOf(tile.stream));
    clear(slots.indexOf(tile));
    fill();
    drawTexts();
    $('wall-switch').focus();
  }

  /** Those whose publisher is gone say so for a moment; their places go to others. */
  function fill() {
    if (!isOn || isAsleep) return;
    const here = new Set(live.map(keyOf));
    for (const [slot, tile] of slots.entries()) {
      if (tile === undefined || tile.state === 'ended' || here.has(keyOf(tile.stream))) continue;
      tile.end();
      tile.farewell = setTimeout(() => { clear(slot); fill(); drawTexts(); }, FAREWELL_MS);
    }
    if (first >= live.length) first = 0;
    const isWanted = (stream) => slotOf(keyOf(stream)) < 0 && !takenOff.has(keyOf(stream));
    const free = [...slots.keys()].filter((slot) => slots[slot] === undefined);
    nextOnes(live, first, free.length, isWanted).forEach((stream, index) => set(free[index], stream));
  }

  function turn(by) {
    first = Math.max(0, first + by);
    if (first >= live.length) first = 0;
    takenOff.clear();
    const wanted = new Set(live.slice(first, first + SIZE).map(keyOf));
    for (const [slot, tile] of slots.entries()) if (tile !== undefined && !wanted.has(keyOf(tile.stream))) clear(slot);
    fill();
    drawTexts();
  }

  /** In the place of the one that has been there longest, if none is free. */
  function show(stream) {
    takenOff.delete(keyOf(stream));
    const free = slots.indexOf(undefined);
    const oldest = [...slots.keys()].sort((a, b) => slots[a]?.sinceMs - slots[b]?.sinceMs)[0];
    set(free >= 0 ? free : oldest, stream);
    drawTexts();
    $('wall').scrollIntoView({ block: 'nearest' });
  }

  function turnOn(wanted) {
    isOn = wanted;
    first = 0;
    takenOff.clear();
    if (isOn) fill();
    else clearAll();
    drawTexts();
    say(isOn ? 'The wall is on' : 'The wall is off');
  }

  function drawTexts() {
    const obstacle = obstacleOf(info, location);
    const count = slots.filter((tile) => tile !== undefined && tile.state !== 'ended').length;
    document.body.dataset.wall = isOn ? 'on' : 'off';
    put($('wall-switch'), isOn ? 'Switch off' : 'Switch on');
    $('wall-switch').disabled = obstacle !== undefined && !isOn;
    $('wall-pages').hidden = !isOn || live.length <= SIZE;
    $('wall-newer').disabled = first === 0;
    $('wall-older').disabled = first + SIZE >= live.length;
    $('wall').hidden = !isOn;
    const note = obstacle !== undefined ? obstacle.text + ' (' + obstacle.code + ')'
      : isAsleep ? 'The pictures wait, since this page was out of sight.'
      : isOn && live.length > 0 ? count + ' of ' + live.length + (live.length === 1 ? ' live stream. ' : ' live streams. ') + COST
      : 'Live pictures of up to ' + SIZE + ' streams, without sound. ' + COST;
    put($('wall-note'), note);
    $('wall-empty').hidden = live.length > 0;
    drawStreams();
  }

  /** Those that have no place on the wall. */
  function drawStreams() {
    const list = $('streams');
    const rest = live.filter((stream) => slotOf(keyOf(stream)) < 0);
    const canShow = isOn && !isAsleep;
    const key = JSON.stringify([canShow, rest.map(keyOf)]);
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    const focused = document.activeElement?.dataset?.stream;
    list.replaceChildren(...rest.map((stream) => {
      const button = el('button', '', 'Show');
      button.type = 'button';
      button.hidden = !canShow;
      button.dataset.stream = keyOf(stream);
      button.setAttribute('aria-label', 'Show ' + stream.path + ' on the wall');
      button.addEventListener('click', () => show(stream));
      return el('li', '', el('span', 'path', stream.path), el('span', 'do', watchLink(stream.path), button));
    }));
    if (focused !== undefined) [...list.querySelectorAll('button')].find((one) => one.dataset.stream === focused)?.focus();
  }

  /** Kicks the sessions of tiles that could not say goodbye. */
  function sweep(sessions, isWhole) {
    const nowMs = performance.now();
    const running = new Set(sessions.map(({ tokenId }) => tokenId));
    for (const [tokenId, overMs] of spent) {
      const isDue = nowMs - overMs > KICK_AFTER_MS;
      if (isDue && (running.has(tokenId) || !isWhole)) call('/sessions/kick', { method: 'POST', body: { tokenId } }).catch(() => undefined);
      if (nowMs - overMs > FORGET_AFTER_MS || (isDue && !isWhole)) spent.delete(tokenId);
    }
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(sleepTimer);
    if (document.visibilityState === 'hidden') {
      sleepTimer = setTimeout(() => { isAsleep = isOn; if (isOn) clearAll(); drawTexts(); }, OUT_OF_SIGHT_MS);
    } else if (isAsleep) {
      isAsleep = false;
      fill();
      drawTexts();
    }
  });
  addEventListener('pagehide', () => { if (isOn) turnOn(false); });
  $('wall-switch').addEventListener('click', () => turnOn(!isOn));
  $('wall-newer').addEventListener('click', () => turn(-SIZE));
  $('wall-older').addEventListener('click', () => turn(SIZE));

  return {
    /** streams: newest first. isWhole: the list of sessions has all there are. */
    draw(streams, news, sessions, isWhole) {
      live = streams;
      info = news;
      if (isOn && obstacleOf(info, location) !== undefined) turnOn(false);
      fill();
      for (const tile of slots) tile?.showDetail();
      sweep(sessions, isWhole);
      drawTexts();
    },
    /** A session has ended; the operator may have wanted it so. */
    ended({ tokenId, reason }) {
      const tile = slots.find((one) => one?.tokenId !== undefined && one.tokenId === tokenId);
      if (reason === 'kicked' || reason === 'token-revoked') tile?.fail('kicked');
    },
    off() {
      live = [];
      if (isOn) turnOn(false);
      drawTexts();
    },
  };
}
`;
