// The four scenarios. Each takes a bed, a target and a plan, and gives back one flat record; times are milliseconds
// unless the name says otherwise. What the figures mean stands in README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { hostCpuBetween, loadAverage, sampleHost, sampleTrees } from './accounting.mjs';

const MAX_LOAD_S = 200;
/** Connections that a target has served before it is measured, so that no figure holds its first-time costs. */
const WARM_UP = { cold: 200, total: 1500, compiled: 100, idle: 20 };

/** A publisher's or viewer's URL with the token where encoders put it; %d and %T are filled in by the load client. */
const url = (port, name) => `rtmp://127.0.0.1:${port}/live/${name}?token=%T`;
/** The same with the token in the app, so that it is there at connect. */
const urlWithEarlyToken = (port, name) => `rtmp://127.0.0.1:${port}/live?token=%T/${name}`;
/** Times that target and ruler change places; batches of s3 that each serves by turns. */
const TURNS = 4;
const CHURN_TURNS = 10;

const ms = (us) => us / 1000;
const spread = (quantiles) => ({ p50: ms(quantiles.p50), p99: ms(quantiles.p99) });

/** Connects `total` times, `concurrency` at once, and leaves after twelve messages (publish) or the first one (play). */
async function churn(bed, plan, port, role, { total, concurrency, perSecond }) {
  const load = bed.load(
    ...['churn', '--url', url(port, role === 'publish' ? 'c%d' : 's%d'), '--role', role, '--max-s', MAX_LOAD_S],
    ...['--total', total, '--conc', concurrency, ...(perSecond === undefined ? [] : ['--rate', perSecond])],
    ...(role === 'publish' ? ['--flv', plan.clip] : []),
  );
  const report = await load.expect('report', MAX_LOAD_S * 1000);
  await load.quit();
  if (report.churn_ok === 0) throw new Error(`none of ${total} connections came through`);
  return report;
}

/** As many connections as it takes V8 to compile what is hot; few for a target that is compiled already. */
async function warmUp(bed, target, plan, port, role) {
  const total = Math.round((target.isNode ? WARM_UP.total : WARM_UP.compiled) * plan.warmth);
  await churn(bed, plan, port, role, { total, concurrency: 8 });
  await sleep(500);
}

/** CPU seconds of several process trees, of the machine and of the bench itself, at one moment. */
function readAll(beds) {
  return {
    targets: beds.map((bed) => bed.sample()),
    bench: sampleTrees([process.pid]).cpuS,
    host: sampleHost(),
    atMs: performance.now(),
  };
}

/** What `beds` and the machine did between two readings. */
function costsBetween(before, after, { streams }) {
  const seconds = (after.atMs - before.atMs) / 1000;
  const hostS = hostCpuBetween(before.host, after.host);
  const ofTarget = (i) => {
    const grown = (key) => after.targets[i][key] - before.targets[i][key];
    const ticks = grown('userS') + grown('systemS');
    return {
      cpuUsPerStreamS: (grown('cpuS') * 1e6) / seconds / streams,
      userShare: ticks > 0 ? grown('userS') / ticks : null,
      wakeupsPerS: grown('wakeups') / seconds,
    };
  };
  return {
    targets: after.targets.map((_, i) => ofTarget(i)),
    hostPercent: (hostS * 100) / seconds,
    neighboursPercent: ((hostS - (after.bench - before.bench)) * 100) / seconds,
  };
}

/** The two directions of a relay: who sends, who receives, what a set-up is. */
const DIRECTIONS = {
  publish: {
    sinkServes: false,
    start: (bed, plan, port, name) => bed.load(...clientArgs('publish', plan, port, name), '--flv', plan.clip),
    sender: (clients) => clients,
    receiver: (_, sink) => sink,
    setUpOf: (report) => report.setup_us,
  },
  play: {
    sinkServes: true,
    start: (bed, plan, port, name) => bed.load(...clientArgs('play', plan, port, name)),
    sender: (_, sink) => sink,
    receiver: (clients) => clients,
    setUpOf: (report) => report.first_media_us,
  },
};
const clientArgs = (word, { streams }, port, name) => [
  ...[word, '--url', url(port, name), '-n', streams, '--max-s', MAX_LOAD_S],
  ...['--ramp-ms', Math.max(1, Math.round(1000 / streams))],
];

async function startClients(direction, bed, plan, port, name) {
  const clients = direction.start(bed, plan, port, name);
  const { failed } = await clients.expect('ready', 20_000);
  if (failed > 0) throw new Error(`${failed} of ${plan.streams} clients were refused`);
  await sleep(plan.settleS * 1000);
  return clients;
}

/** The window of its own: cost, latency and whether all arrived. */
async function windowAlone(direction, bed, plan, clients, sink) {
  const [sender, receiver] = [direction.sender(clients, sink), direction.receiver(clients, sink)];
  for (const load of [sender, receiver]) load.say('begin');
  for (const load of [sender, receiver]) await load.expect('begun', 5000);
  const before = readAll([bed]);
  await sleep(plan.windowS * 1000);
  const after = readAll([bed]);
  for (const load of [sender, receiver]) load.say('end');
  const [sent, got] = [await sender.expect('report', 5000), await receiver.expect('report', 5000)];
  const { targets, hostPercent, neighboursPercent } = costsBetween(before, after, plan);
  return {
    ownKb: after.targets[0].ownKb,
    figures: {
      ...targets[0],
      hostPercent,
      neighboursPercent,
      delivered: got.video / sent.video,
      latency: spread(got.latency_us),
      failed: got.failed + got.closed_early + sent.failed + sent.closed_early,
    },
  };
}

/**
 * The window beside the ruler, both under the same load at the same time: a ratio that no neighbour can bend. Each has a CPU to
 * itself and they change places four times; left to itself the kernel puts one beside its client and the other away from it, which
 * alone moves CPU time by a quarter.
 */
async function windowBeside(role, bed, plan, sinkPort) {
  const { other, port } = await bed.beside(plan.ruler, sinkPort);
  await warmUp(other, plan.ruler, plan, port, role);
  await startClients(DIRECTIONS[role], other, plan, port, 'r%d');
  const spentS = [0, 0];
  for (let turn = 0; turn < TURNS; turn += 1) {
    bed.pin(turn);
    await sleep(500);
    const before = [bed, other].map((each) => each.sample().cpuS);
    await sleep((plan.windowS * 1000) / TURNS);
    [bed, other].forEach((each, i) => (spentS[i] += each.sample().cpuS - before[i]));
  }
  await other.clear();
  return spentS[0] / spentS[1];
}

/**
 * s1 and s2: streams through the target, each by itself. First alone, then beside the ruler, then set-ups one at a time beside
 * the live streams.
 */
async function relay(role, bed, target, plan) {
  const direction = DIRECTIONS[role];
  const sink = await bed.sink(direction.sinkServes);
  const port = await bed.target(target, sink.port);
  await warmUp(bed, target, plan, port, role);
  const baseKb = await bed.settledKb();
  const clients = await startClients(direction, bed, plan, port, 's%d');
  const { figures, ownKb } = await windowAlone(direction, bed, plan, clients, sink.load);
  const settledKb = await bed.settledKb();
  const setUps = await churn(bed, plan, port, role, { total: plan.setUps, concurrency: 1, perSecond: 50 });
  const besideRuler = target.command && (await windowBeside(role, bed, plan, sink.port));
  return {
    ...figures,
    besideRuler,
    setUp: spread(direction.setUpOf(setUps)),
    failed: figures.failed + setUps.failed,
    pssKbPerStream: (settledKb - baseKb) / plan.streams,
    pssKbPerStreamRaw: (ownKb - baseKb) / plan.streams,
  };
}

/** CPU of one batch of connections, in seconds. */
async function churnCost(bed, plan, port, total) {
  const before = bed.sample().cpuS;
  const report = await churn(bed, plan, port, 'publish', { total, concurrency: 8 });
  await sleep(200);
  return { cpuS: bed.sample().cpuS - before, report };
}

/** Batches by turns, target and ruler: what holds one up soon holds up the other. */
async function churnBeside(bed, plan, port, sinkPort) {
  const { other, port: otherPort } = await bed.beside(plan.ruler, sinkPort);
  await warmUp(other, plan.ruler, plan, otherPort, 'publish');
  const spent = { target: 0, ruler: 0 };
  for (let turn = 0; turn < CHURN_TURNS; turn += 1) {
    const total = Math.ceil(plan.churns / CHURN_TURNS);
    spent.target += (await churnCost(bed, plan, port, total)).cpuS;
    spent.ruler += (await churnCost(other, plan, otherPort, total)).cpuS;
  }
  await other.clear();
  return spent.target / spent.ruler;
}

/** s3: connect, show a token, publish, twelve messages, leave; eight at once, as fast as it goes. */
async function churnPublish(bed, target, plan) {
  const sink = await bed.sink(false);
  const port = await bed.target(target, sink.port);
  const cold = await churnCost(bed, plan, port, WARM_UP.cold);
  await warmUp(bed, target, plan, port, 'publish');
  const startMs = performance.now();
  const { cpuS, report } = await churnCost(bed, plan, port, plan.churns);
  const seconds = (performance.now() - startMs) / 1000 - 0.2;
  return {
    cpuMsPerConnection: (cpuS * 1000) / report.churn_ok,
    cpuMsPerConnectionCold: (cold.cpuS * 1000) / cold.report.churn_ok,
    connectionsPerS: report.churn_ok / seconds,
    besideRuler: target.command && (await churnBeside(bed, plan, port, sink.port)),
    setUp: spread(report.setup_us),
    failed: report.failed + cold.report.failed,
  };
}

/** s4: clients that connect, show a token and then do nothing. */
async function idle(bed, target, plan) {
  const sink = await bed.sink(false);
  const port = await bed.target(target, sink.port, MAX_LOAD_S);
  const hold = async (n) => {
    const clients = bed.load(
      ...['idle', '--url', urlWithEarlyToken(port, 'i%d'), '-n', n],
      ...['--stage', 'connect', '--ramp-ms', 1, '--max-s', MAX_LOAD_S],
    );
    const { up, failed } = await clients.expect('ready', 60_000);
    if (failed > 0) throw new Error(`${failed} of ${n} idle clients were refused`);
    return { clients, up };
  };
  const first = await hold(WARM_UP.idle);
  await first.clients.quit();
  await sleep(500);
  const baseKb = await bed.settledKb();
  const base = bed.sample();
  const { up } = await hold(plan.idles);
  await sleep(3000);
  const before = bed.sample();
  await sleep(3000);
  const after = bed.sample();
  const settledKb = await bed.settledKb();
  return {
    pssKbPerConnection: (settledKb - baseKb) / up,
    pssKbPerConnectionRaw: (after.ownKb - baseKb) / up,
    basePssMb: base.pssKb / 1000,
    idleCpuUsPerConnectionS: ((after.cpuS - before.cpuS) * 1e6) / 3 / up,
    failed: 0,
  };
}

const SCENARIOS = {
  s1: (...all) => relay('publish', ...all),
  s2: (...all) => relay('play', ...all),
  s3: churnPublish,
  s4: idle,
};

/** Measures one target in one scenario. Never throws: a target that fails gives a record with `error`. */
export async function measure(bed, scenario, target, plan) {
  const head = { scenario, target: target.name, load: loadAverage() };
  try {
    return { ...head, ...(await SCENARIOS[scenario](bed, target, plan)) };
  } catch (error) {
    return { ...head, error: error.message };
  }
}
