// The four scenarios. Each takes a bed, a target and a plan, and gives back one flat record; times are milliseconds
// unless the name says otherwise. What the figures mean stands in README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { hostCpuBetween, loadAverage, sampleHost, sampleTrees } from './accounting.mjs';

const MAX_LOAD_S = 200;
/** Connections that a target has served before it is measured, so that no figure holds its first-time costs. */
const WARM_UP = { relay: 40, churn: 200, idle: 20 };

/** A publisher's or viewer's URL with the token where encoders put it; %d and %T are filled in by the load client. */
const url = (port, name) => `rtmp://127.0.0.1:${port}/live/${name}?token=%T`;
/** The same with the token in the app, so that it is there at connect. */
const urlWithEarlyToken = (port, name) => `rtmp://127.0.0.1:${port}/live?token=%T/${name}`;
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

/** The steady window of a relay: CPU of the target, of the whole machine, and of what is no part of the bench. */
async function steadyWindow(bed, publisher, receiver, { streams, windowS }) {
  for (const load of [publisher, receiver]) load.say('begin');
  for (const load of [publisher, receiver]) await load.expect('begun', 5000);
  const read = () => ({
    target: bed.sample(),
    bench: sampleTrees([process.pid]),
    host: sampleHost(),
    atMs: performance.now(),
  });
  const before = read();
  await sleep(windowS * 1000);
  const after = read();
  for (const load of [publisher, receiver]) load.say('end');
  const sent = await publisher.expect('report', 5000);
  const got = publisher === receiver ? sent : await receiver.expect('report', 5000);
  const seconds = (after.atMs - before.atMs) / 1000;
  const grown = (key) => after.target[key] - before.target[key];
  const ticks = grown('userS') + grown('systemS');
  const hostS = hostCpuBetween(before.host, after.host);
  return {
    sent,
    got,
    after: after.target,
    cost: {
      cpuUsPerStreamS: (grown('cpuS') * 1e6) / seconds / streams,
      userShare: ticks > 0 ? grown('userS') / ticks : null,
      wakeupsPerS: grown('wakeups') / seconds,
      hostPercent: (hostS * 100) / seconds,
      neighboursPercent: ((hostS - (after.bench.cpuS - before.bench.cpuS)) * 100) / seconds,
    },
  };
}

/** s1: publishers through the target to the sink; afterwards, beside them, connection set-ups one at a time. */
async function relayPublish(bed, target, plan) {
  const sink = await bed.sink(false);
  const port = await bed.target(target, sink.port);
  const cold = await churn(bed, plan, port, 'publish', { total: WARM_UP.relay, concurrency: 1 });
  const baseKb = await bed.settledKb();
  const n = plan.streams;
  const publishers = bed.load(
    ...['publish', '--url', url(port, 's%d'), '-n', n, '--flv', plan.clip],
    ...['--ramp-ms', Math.max(1, Math.round(1000 / n)), '--max-s', MAX_LOAD_S],
  );
  const ready = await publishers.expect('ready', 20_000);
  if (ready.failed > 0) throw new Error(`${ready.failed} of ${n} publishers were refused`);
  await sleep(plan.settleS * 1000);
  const { sent, got, after, cost } = await steadyWindow(bed, publishers, sink.load, plan);
  const settledKb = await bed.settledKb();
  const setUp = await churn(bed, plan, port, 'publish', { total: plan.setUps, concurrency: 1, perSecond: 50 });
  return {
    ...cost,
    delivered: got.video / sent.video,
    latency: spread(got.latency_us),
    setUp: spread(setUp.setup_us),
    setUpCold: spread(cold.setup_us),
    failed: sent.failed + sent.closed_early + setUp.failed,
    pssKbPerStream: (settledKb - baseKb) / n,
    pssKbPerStreamRaw: (after.ownKb - baseKb) / n,
  };
}

/** s2: as many players as origin streams, each through the target by itself; then first-media times one at a time. */
async function relayPlay(bed, target, plan) {
  const sink = await bed.sink(true);
  const port = await bed.target(target, sink.port);
  await churn(bed, plan, port, 'play', { total: WARM_UP.relay, concurrency: 1, perSecond: 50 });
  const baseKb = await bed.settledKb();
  const n = plan.streams;
  const players = bed.load(
    ...['play', '--url', url(port, 's%d'), '-n', n, '--ramp-ms', Math.max(1, Math.round(1000 / n))],
    ...['--max-s', MAX_LOAD_S],
  );
  const ready = await players.expect('ready', 20_000);
  if (ready.failed > 0) throw new Error(`${ready.failed} of ${n} players were refused`);
  await sleep(plan.settleS * 1000);
  const { sent, got, after, cost } = await steadyWindow(bed, sink.load, players, plan);
  const settledKb = await bed.settledKb();
  const setUp = await churn(bed, plan, port, 'play', { total: plan.setUps, concurrency: 1, perSecond: 50 });
  return {
    ...cost,
    delivered: got.video / sent.video,
    latency: spread(got.latency_us),
    setUp: spread(setUp.first_media_us),
    failed: got.failed + got.closed_early + setUp.failed,
    pssKbPerStream: (settledKb - baseKb) / n,
    pssKbPerStreamRaw: (after.ownKb - baseKb) / n,
  };
}

/** s3: connect, show a token, publish, twelve messages, leave; eight at once, as fast as it goes. */
async function churnPublish(bed, target, plan) {
  const sink = await bed.sink(false);
  const port = await bed.target(target, sink.port);
  const before = bed.sample();
  const cold = await churn(bed, plan, port, 'publish', { total: WARM_UP.churn, concurrency: 8 });
  await sleep(500);
  const [warm, startMs] = [bed.sample(), performance.now()];
  const report = await churn(bed, plan, port, 'publish', { total: plan.churns, concurrency: 8 });
  const seconds = (performance.now() - startMs) / 1000;
  await sleep(500);
  const after = bed.sample();
  return {
    cpuMsPerConnection: ((after.cpuS - warm.cpuS) * 1000) / report.churn_ok,
    cpuMsPerConnectionCold: ((warm.cpuS - before.cpuS) * 1000) / cold.churn_ok,
    connectionsPerS: report.churn_ok / seconds,
    setUp: spread(report.setup_us),
    failed: report.failed + cold.failed,
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
  const warmUp = await hold(WARM_UP.idle);
  await warmUp.clients.quit();
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

const SCENARIOS = { s1: relayPublish, s2: relayPlay, s3: churnPublish, s4: idle };

/** Measures one target in one scenario. Never throws: a target that fails gives a record with `error`. */
export async function measure(bed, scenario, target, plan) {
  const head = { scenario, target: target.name, load: loadAverage() };
  try {
    return { ...head, ...(await SCENARIOS[scenario](bed, target, plan)) };
  } catch (error) {
    return { ...head, error: error.message };
  }
}
