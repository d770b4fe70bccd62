// What OBS must do, scene by scene. Every wait has its end; every check says what was seen.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Obs } from './obs.mjs';
import { mint, Nginx, play, publish, startDev, startGateway, tokensIn } from './stage.mjs';

const WATCH_MS = 30_000;
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const publisher = () => mint({ roles: 'red5-publisher' });
const viewer = () => mint({ roles: 'red5-subscriber' });
const expired = () => mint({ roles: 'red5-publisher', exp: Math.floor(Date.now() / 1000) - 60 });

const NOISE =
  /^(Attempted path|\t|\[x264|\[FFmpeg|Freeing|Total|[\s-]*$|rtmp:\S+:$|NV12|Output '[^']*': (stopp|Total|Number))/;

/** A loop must not fill the screen. */
const MOST_WORDS = 2000;

/** OBS's own words from its first try on, without tokens. */
function wordsOf(obs) {
  const lines = obs.lines().map(({ text }) => text);
  return lines
    .slice(lines.findIndex((text) => text.includes('Connecting to RTMP URL')))
    .filter((text) => !NOISE.test(text))
    .map((text) => text.replaceAll(/eyJ[\w.-]+/g, 'TOKEN').replace(/^\[rtmp stream: '[^']*'\] /, ''))
    .map((text) => text.replaceAll(/^=+ | =+$/g, ''))
    .join(' | ')
    .slice(0, MOST_WORDS);
}

async function checkMedia(report, what, url) {
  const seen = await play(url, 13, 45_000);
  const first = seen.firstFrameMs === undefined ? 'none' : `after ${seconds(seen.firstFrameMs)}`;
  const detail = `${seen.frames} frames of ${seen.size} over ${seen.spanS.toFixed(2)} s, first ${first} ${seen.words}`;
  const isFine = seen.frames >= 290 && seen.spanS >= 10 && seen.isMonotonic && seen.size === '640x360';
  report.check(`${what}: a viewer decodes 10 s or more of it`, isFine, detail.trim());
}

/** An OBS that streams to `service`; gives it when the gateway has started its session. */
async function streamingObs(scene, gateway, service) {
  const obs = new Obs(scene.home(), scene.display, service);
  const { atMs } = await obs.says(/Connecting to RTMP URL/, 30_000);
  const start = await gateway.logs('session.start', {}, 10_000, atMs);
  const streaming = await obs.says(/Streaming Start/, 5000, atMs);
  scene.report.note(
    `Connecting -> Streaming Start ${seconds(streaming.atMs - atMs)}, setupMs ${Math.round(start.setupMs)}`,
  );
  return { obs, session: start.session };
}

/** Quits OBS; `session` is the one it has now. */
async function stopAndCheck(scene, gateway, obs, session) {
  const askedMs = Date.now();
  await obs.stop();
  const end = await gateway.logs('session.end', { session }, 5000, askedMs);
  scene.report.check('OBS stops: the session ends with it', /^client-/.test(end.reason), `reason ${end.reason}`);
}

/** A gateway before an nginx that both belong to the scene. */
async function setUp(scene) {
  const nginx = new Nginx(join(scene.folder, 'nginx'));
  await nginx.start();
  const gateway = await startGateway(scene.main, scene.folder, nginx.port);
  return { nginx, gateway, viewerUrl: () => `${gateway.server}/room1/cam?token=${viewer()}` };
}

async function tearDown(scene, { nginx, gateway }) {
  await gateway.program.stop();
  await nginx.kill();
  const leaks = tokensIn(gateway.program.stdout + gateway.program.stderr + nginx.said());
  scene.report.check('no token in the log of gateway or origin', leaks === 0, `${leaks} found`);
}

/** Scene 1: OBS publishes, with the token in either of its two fields. */
async function publishes(scene) {
  const stage = await setUp(scene);
  const { gateway } = stage;
  const services = {
    'token in Stream Key': { server: `${gateway.server}/room1`, key: `cam?token=${publisher()}` },
    'token in Server': { server: `${gateway.server}/room1?token=${publisher()}`, key: 'cam' },
    'room in Stream Key': { server: gateway.server, key: `room1/cam?token=${publisher()}` },
  };
  for (const [name, service] of Object.entries(services)) {
    const { obs, session } = await streamingObs(scene, gateway, service);
    await checkMedia(scene.report, name, stage.viewerUrl());
    await stopAndCheck(scene, gateway, obs, session);
  }
  await tearDown(scene, stage);
}

/** Refusals at the first try: the name, the rejection code, what stands in OBS's settings, whether connect is refused. */
const refusals = (server) => [
  ['expired token, Stream Key', 'token-expired', `${server}/room1`, `cam?token=${expired()}`],
  ['expired token, Server', 'token-expired', `${server}/room1?token=${expired()}`, 'cam', true],
  ['wrong role, Stream Key', 'role-denied', `${server}/room1`, `cam?token=${viewer()}`],
  ['wrong role, Server', 'role-denied', `${server}/room1?token=${viewer()}`, 'cam'],
  ['no token', 'token-missing', `${server}/room1`, 'cam'],
  ['name in use', 'stream-busy', `${server}/room1`, `busy?token=${publisher()}`],
  ['origin away', 'origin-unavailable', `${server}/room1`, `cam?token=${publisher()}`],
];

async function checkRefusal(scene, gateway, [name, code, server, key, isAtConnect = false]) {
  const { report } = scene;
  const beganMs = Date.now();
  const obs = new Obs(scene.home(), scene.display, { server, key });
  const { atMs } = await obs.says(/Connecting to RTMP URL/, 30_000);
  const stop = await obs.says(/Streaming Stop/, 40_000, atMs).catch(() => undefined);
  const stopped = stop === undefined ? 'not within 40 s' : `after ${seconds(stop.atMs - atMs)}`;
  report.check(`${name}: OBS stops`, stop !== undefined && stop.atMs - atMs < 5000, stopped);
  await sleep(WATCH_MS);
  const tries = gateway.lines('connection.open').filter((line) => line.atMs >= beganMs).length;
  report.check(
    `${name}: it does not try again`,
    tries === 1 && !obs.isOver,
    `${tries} connection(s) until ${WATCH_MS / 1000} s later`,
  );
  const isNo = (line) => line.atMs >= beganMs && line.code === code;
  report.check(`${name}: the gateway said ${code}`, gateway.lines().some(isNo), '');
  const words = wordsOf(obs);
  // OBS writes down the words of an onStatus; those of an _error to connect it keeps to itself.
  if (!isAtConnect) report.check(`${name}: OBS's log tells why`, words.includes(`(${code}: `), '');
  report.note(`OBS's log: ${words}`);
  await scene.picture(obs, name);
  await obs.stop();
}

/** Scene 2: OBS is refused at its first try, stops, and stays away. */
async function refused(scene) {
  const stage = await setUp(scene);
  const { gateway, nginx } = stage;
  for (const refusal of refusals(gateway.server)) {
    const [, code] = refusal;
    if (scene.cases !== undefined && !scene.cases.test(refusal[0])) continue;
    if (code === 'origin-unavailable') await nginx.kill();
    const holder = code === 'stream-busy' ? publish(`${gateway.server}/room1/busy?token=${publisher()}`) : undefined;
    if (holder !== undefined) await gateway.logs('session.start', {}, 15_000);
    await checkRefusal(scene, gateway, refusal);
    await holder?.stop();
  }
  await tearDown(scene, stage);
}

async function checkReturn(scene, gateway, obs, lostMs, backMs, viewerUrl) {
  const { report } = scene;
  const again = await obs.says(/Connection to .* successful/, 60_000, backMs).catch(() => undefined);
  report.check(
    'OBS reconnects',
    again !== undefined && again.atMs - backMs < 30_000,
    again === undefined
      ? 'not within 60 s'
      : `${seconds(again.atMs - backMs)} after the return, ${seconds(again.atMs - lostMs)} after the loss`,
  );
  const { session } = await gateway.logs('session.start', { action: 'publish' }, 5000, backMs);
  await checkMedia(report, 'after the return', viewerUrl);
  report.note(`OBS's log: ${wordsOf(obs)}`);
  await stopAndCheck(scene, gateway, obs, session);
}

/** Scene 3: the origin dies in mid stream, stays away for 8 s, and comes back on its port. */
async function originReturns(scene) {
  const { report } = scene;
  const stage = await setUp(scene);
  const { gateway, nginx } = stage;
  const { obs, session } = await streamingObs(scene, gateway, {
    server: `${gateway.server}/room1`,
    key: `cam?token=${publisher()}`,
  });
  await checkMedia(report, 'before the loss', stage.viewerUrl());
  const lostMs = Date.now();
  await nginx.kill();
  const end = await gateway.logs('session.end', { session }, 10_000, lostMs);
  report.check(
    'the loss ends the session',
    /^origin-/.test(end.reason),
    `${end.reason} after ${seconds(end.atMs - lostMs)}`,
  );
  const noticed = await obs.says(/Reconnecting in/, 10_000, lostMs);
  report.check('OBS notices', true, `${seconds(noticed.atMs - lostMs)} after the loss`);
  await sleep(8000);
  const tries = gateway.lines('connection.open').filter(({ atMs }) => atMs > lostMs).length;
  report.check('OBS goes on while the origin is away', tries >= 1, `${tries} refused tries`);
  const backMs = Date.now();
  await nginx.start();
  await checkReturn(scene, gateway, obs, lostMs, backMs, stage.viewerUrl());
  await tearDown(scene, stage);
}

/** Scene 3 again with `portcullis dev`: its embedded origin is killed and the gateway starts it again. */
async function devReturns(scene) {
  const { report } = scene;
  const gateway = await startDev(scene.main);
  const { obs, session } = await streamingObs(scene, gateway, { server: gateway.server, key: gateway.key });
  await checkMedia(report, 'before the loss', gateway.viewerUrl);
  const lostMs = Date.now();
  process.kill(gateway.originPid(), 'SIGKILL');
  await gateway.logs('session.end', { session }, 10_000, lostMs);
  await checkReturn(scene, gateway, obs, lostMs, lostMs, gateway.viewerUrl);
  await gateway.program.stop('SIGINT');
}

/** The gateway itself is told to end and another one takes its port. */
async function gatewayReturns(scene) {
  const stage = await setUp(scene);
  const { obs } = await streamingObs(scene, stage.gateway, {
    server: `${stage.gateway.server}/room1`,
    key: `cam?token=${publisher()}`,
  });
  const lostMs = Date.now();
  const { code } = await stage.gateway.program.stop('SIGTERM', 10_000);
  scene.report.check('the gateway drains and ends', code === 0, `exit ${code} after ${seconds(Date.now() - lostMs)}`);
  const backMs = Date.now();
  const gateway = await startGateway(scene.main, scene.folder, stage.nginx.port, stage.gateway.port);
  await checkReturn(scene, gateway, obs, lostMs, backMs, stage.viewerUrl());
  await tearDown(scene, { ...stage, gateway });
}

/** A token that has expired when the stream is lost: OBS may not come in, and must not storm. */
async function expiredReturns(scene) {
  const { report } = scene;
  const stage = await setUp(scene);
  const { gateway, nginx } = stage;
  const expiresAtS = Math.floor(Date.now() / 1000) + 15;
  const token = mint({ roles: 'red5-publisher', exp: expiresAtS });
  const { obs } = await streamingObs(scene, gateway, { server: `${gateway.server}/room1`, key: `cam?token=${token}` });
  await sleep(Math.max(0, expiresAtS * 1000 - Date.now()) + 1000);
  report.check('the stream outlives its token (profile red5)', gateway.lines('session.end').length === 0, '');
  const lostMs = Date.now();
  await nginx.kill();
  await nginx.start();
  await sleep(WATCH_MS * 1.5);
  const tries = gateway.lines('decision', { code: 'token-expired' });
  const gaps = tries.map(({ atMs }) => ((atMs - lostMs) / 1000).toFixed(1));
  report.check(
    'it is refused each time, and slows down',
    tries.length >= 2 && tries.length <= 8,
    `after ${gaps.join(', ')} s`,
  );
  report.note(`OBS's log: ${wordsOf(obs)}`);
  await scene.picture(obs, 'expired while reconnecting');
  await obs.stop();
  await tearDown(scene, stage);
}

/** All scenes by the names that `--only` takes. */
export const allScenes = {
  publishes,
  refused,
  'origin-returns': originReturns,
  'dev-returns': devReturns,
  'gateway-returns': gatewayReturns,
  'expired-returns': expiredReturns,
};
