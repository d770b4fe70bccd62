/** What the page does: looks every two seconds, hears of refusals at once, and asks before it ends anything. */
export const DASHBOARD_JS = `
import { call, createRhythm, listen, NeedsToken, token } from '/connection.js';
import { $, ask, drawSparkline, el, put, rateText, spanText, sparkline } from '/drawing.js';
import { createWall, placeOf } from '/wall.js';

const LOOK_MS = 2000;
const SOON_MS = 200;
const SAMPLES = 45;
const MOST_SESSIONS = 200;
const MOST_REFUSALS = 60;
const FIVE_MINUTES_MS = 300000;

const rows = new Map();
let sessions = [];
let total = 0;
let refusals = [];
let watchUrl;
let stopListening;
let isLive = false;
const rhythm = createRhythm(look, LOOK_MS, SOON_MS);
const wall = createWall({
  refusalOf: (session) => refusals.find((one) => session !== undefined && one.session === session),
  say: (text) => put($('said'), text),
  watchLink,
});

function show(view) {
  document.body.dataset.view = view;
  $('login').hidden = view !== 'login';
  $('main').hidden = view !== 'main';
  $('logout').hidden = view !== 'main' || token.get() === null;
}

function linkIs(state, text) {
  $('link').dataset.link = state;
  put($('link').querySelector('b'), text);
}

function broken(text) {
  document.body.dataset.stale = text === undefined ? 'no' : 'yes';
  $('banner').hidden = text === undefined;
  put($('banner'), text ?? '');
  if (text !== undefined) linkIs('broken', 'No connection');
}

/** Nothing stays in the page of what it has shown to somebody with the token. */
function forget() {
  [sessions, total, refusals] = [[], 0, []];
  for (const { row } of rows.values()) row.remove();
  rows.clear();
  drawAll([]);
  $('ask').close();
  for (const id of ['ask-title', 'ask-text', 'said']) put($(id), '');
}

function askForToken(problem) {
  rhythm.stop();
  stopListening?.();
  stopListening = undefined;
  wall.off();
  forget();
  token.forget();
  broken(undefined);
  linkIs('loading', 'Not logged in');
  put($('token-problem'), problem ?? '');
  show('login');
  $('token').focus();
}

async function look(isWanted) {
  try {
    // Alone, so that a slip in the token counts as one wrong token and not as four.
    const health = await call('/health');
    const [listed, decisions, origins] = await Promise.all([
      call('/sessions?limit=' + MOST_SESSIONS),
      call('/decisions?limit=' + MOST_REFUSALS),
      call('/origins'),
    ]);
    watchUrl = health.watchUrl;
    const news = watchUrl === undefined ? undefined : await call('/wall');
    const more = news !== undefined && listed.total > listed.items.length ? (await call('/sessions?action=publish&limit=500')).items : listed.items;
    if (!isWanted()) return;
    sessions = listed.items;
    total = listed.total;
    refusals = decisions.items;
    show('main');
    broken(undefined);
    linkIs(health.isReady ? 'live' : 'loading', health.isReady ? (isLive ? 'Live' : 'Connected') : 'Not ready: ' + health.reason);
    sample();
    drawAll(origins.items);
    drawWall(news, more, origins.items);
    stopListening ??= listen(heard, (state) => { isLive = state; });
  } catch (error) {
    if (!isWanted()) return;
    if (error instanceof NeedsToken) {
      askForToken(token.get() === null ? undefined : 'The gateway does not take this token.');
      return;
    }
    broken(error.code === 'token-throttled'
      ? 'Too many wrong tokens came from your address. This page tries again every few seconds.'
      : 'The gateway does not answer. What you see is old; this page tries again every few seconds.');
  }
}

function heard({ type, event, id, atMs, fields }) {
  if (event === 'session.end') wall.ended(fields);
  if (type === 'decision' && fields.outcome === 'no') {
    refusals = [{ ...fields, id, atMs }, ...refusals.filter((one) => one.id !== id)].slice(0, MOST_REFUSALS);
    drawRefusals();
  } else if (type === 'session' || type === 'origin') {
    rhythm.soon();
  }
}

/** Rates come from two looks at the byte counts. */
function sample() {
  const nowMs = performance.now();
  const here = new Set(sessions.map(({ id }) => id));
  for (const [id, { row }] of rows) {
    if (!here.has(id)) { row.remove(); rows.delete(id); }
  }
  for (const session of sessions) {
    const known = rows.get(session.id) ?? makeRow(session);
    const bytes = session.action === 'publish' ? session.clientBytes : session.originBytes;
    const spanMs = nowMs - known.atMs;
    if (known.atMs === undefined || spanMs > 500) {
      if (known.atMs !== undefined) {
        known.kbps = Math.max(0, ((bytes - known.bytes) * 8) / spanMs);
        known.rates.push(known.kbps);
        if (known.rates.length > SAMPLES) known.rates.shift();
      }
      known.bytes = bytes;
      known.atMs = nowMs;
    }
    known.session = session;
  }
}

function makeRow(session) {
  const path = el('span', 'path');
  const origin = el('span', 'sub');
  const how = el('span', 'tag ' + session.action);
  const transport = el('span', 'sub');
  const who = el('span', '');
  const address = el('span', 'sub');
  const since = el('span', '');
  const graph = sparkline();
  const rate = el('span', '');
  const kick = el('button', '', 'Kick');
  kick.type = 'button';
  kick.setAttribute('aria-label', 'Kick ' + session.path + ' of ' + (session.subject ?? session.address));
  kick.addEventListener('click', () => kickOne(session, kick));
  const row = el('tr', '', ...[
    [path, origin], [how, transport], [who, address], [since], [el('div', 'rate', graph, rate)], [kick],
  ].map((children) => el('td', '', ...children)));
  row.dataset.session = session.id;
  const made = { row, path, origin, how, transport, who, address, since, graph, rate, rates: [], session };
  rows.set(session.id, made);
  return made;
}

function drawAll(origins) {
  drawSessions();
  drawRefusals();
  drawOrigins(origins);
}

function drawSessions() {
  const wanted = $('find').value.trim().toLowerCase();
  const body = $('sessions').tBodies[0];
  let shown = 0;
  const sum = { publishers: 0, viewers: 0, inward: 0, outward: 0 };
  for (const { id } of sessions) {
    const one = rows.get(id);
    const { session } = one;
    const isPublisher = session.action === 'publish';
    if (session.isRunning) sum[isPublisher ? 'publishers' : 'viewers'] += 1;
    sum[isPublisher ? 'inward' : 'outward'] += one.kbps ?? 0;
    const isWanted = [session.path, session.subject, session.address, session.origin, session.transport]
      .some((text) => (text ?? '').toLowerCase().includes(wanted));
    one.row.hidden = !isWanted;
    if (isWanted) shown += 1;
    drawRow(one);
    const place = body.rows[sessions.findIndex((other) => other.id === id)];
    if (place !== one.row) body.insertBefore(one.row, place ?? null);
  }
  put($('publishers'), String(sum.publishers));
  put($('viewers'), String(sum.viewers));
  put($('inward'), rateText(sum.inward));
  put($('outward'), rateText(sum.outward));
  $('sessions').hidden = shown === 0;
  $('sessions-empty').hidden = shown > 0;
  put($('sessions-empty'), sessions.length === 0 ? 'No sessions. They appear here as soon as somebody publishes or watches.' : 'No session fits.');
  $('sessions-more').hidden = total <= sessions.length;
  put($('sessions-more'), 'The newest ' + sessions.length + ' of ' + total + ' are shown; figures above are of these.');
}

function drawRow({ row, path, origin, how, transport, who, address, since, graph, rate, rates, kbps, session }) {
  row.classList.toggle('setup', !session.isRunning);
  put(path, session.path);
  put(origin, session.origin === undefined ? 'no origin yet' : 'at ' + session.origin);
  put(how, session.action === 'publish' ? 'publishes' : 'watches');
  put(transport, session.transport + (session.secure ? ' over TLS' : ''));
  put(who, session.subject ?? 'no subject');
  put(address, session.address);
  put(since, session.isRunning ? spanText(Date.now() - session.sinceMs) : 'being set up');
  put(rate, rateText(kbps));
  drawSparkline(graph, rates, SAMPLES);
}

function drawRefusals() {
  const sinceMs = Date.now() - FIVE_MINUTES_MS;
  const recent = refusals.filter(({ atMs }) => atMs >= sinceMs).length;
  put($('refused'), recent >= MOST_REFUSALS ? MOST_REFUSALS + '+' : String(recent));
  $('refusals-empty').hidden = refusals.length > 0;
  const list = $('refusals');
  list.hidden = refusals.length === 0;
  const newest = refusals[0]?.id;
  if (list.dataset.newest === String(newest)) return;
  list.dataset.newest = String(newest);
  list.replaceChildren(...refusals.map((one) => {
    const time = el('time', '', new Date(one.atMs).toLocaleTimeString());
    time.dateTime = new Date(one.atMs).toISOString();
    const who = [one.transport, one.action, one.path, one.subject ?? one.address].filter(Boolean).join(' · ');
    return el('li', '',
      el('div', 'top', el('b', '', one.code), time),
      el('p', '', who),
      el('p', 'detail', [[one.reason, one.detail].filter(Boolean).join(': '), one.hint].filter(Boolean).join('. ')),
      el('p', 'fix', one.fix));
  }));
}

function drawOrigins(origins) {
  const key = JSON.stringify(origins);
  const list = $('origins');
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const focused = document.activeElement?.dataset?.origin;
  list.replaceChildren(...origins.map((one) => {
    const button = el('button', '', one.isDrained ? 'Take back' : 'Drain');
    button.type = 'button';
    button.dataset.origin = one.name;
    button.setAttribute('aria-label', button.textContent + ' ' + one.name);
    button.addEventListener('click', () => drainOne(one, button));
    return el('li', '',
      el('div', '', el('span', 'path', one.name), one.detail ? el('span', 'sub', one.detail) : undefined),
      el('span', 'tag ' + one.state, one.state === 'unknown' ? 'not called yet' : one.state),
      one.isDrained ? el('span', 'tag drained', 'drained') : undefined,
      button);
  }));
  if (focused !== undefined) [...list.querySelectorAll('button')].find((one) => one.dataset.origin === focused)?.focus();
}

/** The watch page is for people with a token; where the listener has no address of its own, it is at the host of this page. */
function watchLink(path) {
  const link = el('a', '', 'Watch');
  const url = placeOf(watchUrl, location);
  url.hash = new URLSearchParams({ stream: path }).toString();
  link.href = url.href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  link.setAttribute('aria-label', 'Watch ' + path + ' in a new tab');
  return link;
}

function drawWall(news, listed, origins) {
  $('wall-section').hidden = news === undefined;
  if (news === undefined) { wall.off(); return; }
  const streams = listed
    .filter(({ action, isRunning }) => action === 'publish' && isRunning)
    .sort((a, b) => b.sinceMs - a.sinceMs)
    .map(({ id, path, transport, origin, sinceMs }) => ({
      ...{ path, publisher: id, transport, origin, sinceMs },
      offersWhep: origins.find(({ name }) => name === origin)?.offersWhep,
    }));
  wall.draw(streams, news, sessions, total <= sessions.length);
}

async function act(button, said, doIt) {
  button.disabled = true;
  try {
    await doIt();
    put($('said'), said);
    await rhythm.now();
  } catch (error) {
    if (error instanceof NeedsToken) askForToken('The gateway does not take this token any more.');
    else { $('banner').hidden = false; put($('banner'), 'That did not work: ' + error.message); }
  } finally {
    button.disabled = false;
  }
}

async function kickOne({ id, path, subject, address, action }, button) {
  const who = subject ?? address;
  const what = action === 'publish' ? 'stops publishing ' : 'stops watching ';
  const text = who + ' ' + what + path + ' at once. The client may come back with the same token; revoke the token to keep it out.';
  if (await ask('Kick this session?', text, 'Kick')) {
    await act(button, 'Kicked ' + path, () => call('/sessions/' + encodeURIComponent(id), { method: 'DELETE' }));
  }
}

async function drainOne({ name, isDrained }, button) {
  const text = 'It gets no new streams. Those that run there stay until they end.';
  if (!isDrained && !(await ask('Drain ' + name + '?', text, 'Drain'))) return;
  const change = { method: 'PUT', body: { drained: !isDrained } };
  await act(button, (isDrained ? 'Took back ' : 'Drained ') + name, () => call('/origins/' + encodeURIComponent(name) + '/drained', change));
}

$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('token').value.trim();
  $('token').value = '';
  if (!/^[\\x21-\\x7e]+$/.test(text)) {
    put($('token-problem'), 'That is no token: it has only visible ASCII characters.');
    return;
  }
  token.set(text);
  rhythm.now();
});
$('logout').addEventListener('click', () => askForToken());
$('find').addEventListener('input', drawSessions);
rhythm.now();
`;
