/** How the page talks to the gateway: the token of this tab, calls, and the live events. */
export const CONNECTION_JS = `
const KEY = 'portcullis-admin-token';
const CALL_MS = 8000;

export class NeedsToken extends Error {}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

/** The answer's value. Throws NeedsToken for 401, an Error with words for people, and the code if the gateway gave one, otherwise. */
export async function call(path, { method = 'GET', body } = {}) {
  const shown = token.get();
  const response = await fetch('/api/v1' + path, {
    method,
    cache: 'no-store',
    signal: AbortSignal.timeout(CALL_MS),
    headers: {
      ...(shown === null ? {} : { authorization: 'Bearer ' + shown }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.status === 401) throw new NeedsToken();
  const value = await response.json();
  if (!response.ok) throw Object.assign(new Error(value.detail ?? value.title ?? 'status ' + response.status), { code: value.code });
  return value;
}

/**
 * Looks every everyMs, and soonMs after something has happened, however much happens: never later for that, never twice at once.
 * look is given what tells it whether its answer is still wanted; now looks at once, in place of one under way.
 */
export function createRhythm(look, everyMs, soonMs) {
  let timer;
  let run = 0;
  let isLooking = false;
  let isNews = false;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(now, isNews ? soonMs : everyMs);
  };
  const now = async () => {
    clearTimeout(timer);
    const mine = ++run;
    const isWanted = () => mine === run;
    isLooking = true;
    isNews = false;
    await look(isWanted);
    if (!isWanted()) return;
    isLooking = false;
    wait();
  };
  return {
    now,
    soon() {
      if (isNews) return;
      isNews = true;
      if (!isLooking) wait();
    },
    stop() {
      run += 1;
      clearTimeout(timer);
      isLooking = false;
      isNews = true;
    },
  };
}

/** Calls onEvent with what happens; onState with true when connected, false when not. Comes back by itself. */
export function listen(onEvent, onState) {
  let isOver = false;
  let socket;
  let waitMs = 1000;
  let timer;
  const again = () => {
    if (isOver) return;
    onState(false);
    timer = setTimeout(connect, waitMs);
    waitMs = Math.min(waitMs * 2, 15000);
  };
  const connect = async () => {
    try {
      const { ticket } = await call('/events/ticket', { method: 'POST', body: {} });
      if (isOver) return;
      const scheme = location.protocol === 'https:' ? 'wss://' : 'ws://';
      socket = new WebSocket(scheme + location.host + '/api/v1/events?ticket=' + encodeURIComponent(ticket));
      socket.onopen = () => { waitMs = 1000; onState(true); };
      socket.onmessage = ({ data }) => onEvent(JSON.parse(data));
      socket.onclose = again;
    } catch {
      again();
    }
  };
  connect();
  return () => { isOver = true; clearTimeout(timer); socket?.close(); };
}
`;
