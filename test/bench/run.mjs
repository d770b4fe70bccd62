// npm run bench -- rtmp [options]: measures this gateway beside its peers on loopback. See README.md.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import { describeMachine, loadAverage } from './accounting.mjs';
import { Bed } from './bed.mjs';
import { buildLoadTool, makeClip } from './prepare.mjs';
import { checkLines, checkTargets, table } from './report.mjs';
import { measure } from './scenarios.mjs';
import { allTargets } from './targets.mjs';

const HELP = `npm run bench -- rtmp [options]

Measures relay targets side by side on 127.0.0.1 and prints ratios to a plain Node pipe of the same run.

  --quick             one round, short windows: a look, not a figure
  --rounds N          rounds of every scenario (default 3, at most 10); the best one counts
  --only s1,s3        scenarios: s1 publish relay, s2 play relay, s3 churn, s4 idle connections
  --targets a,b       only these targets (direct and node-pipe always run)
  --streams N         streams of s1 and s2 (default 20, at most 200)
  --gateway NAME=FILE one more build of the gateway to compare (its main.js); may be repeated
  --node-args=ARGS    put before the gateway's main.js, e.g. --node-args='--cpu-prof --cpu-prof-dir=/tmp/prof'
  --json FILE         writes machine, plan, results and checks
  --strict            exit 1 when a target of the project is missed
  --keep              leaves the configurations and logs of the run in .cache/bench
Programs are found on PATH; environment NGINX, NGX_MODULES, HAPROXY, CC name others.
`;
const FULL = { rounds: 3, windowS: 12, settleS: 4, setUps: 200, churns: 1500, idles: 1000, warmth: 1 };
const QUICK = { rounds: 1, windowS: 4, settleS: 2, setUps: 60, churns: 400, idles: 300, warmth: 0.3 };
const SCENARIO_NAMES = ['s1', 's2', 's3', 's4'];
const ALWAYS = ['direct', 'node-pipe'];
const ISSUER = 'https://bench.invalid';

const root = resolve(import.meta.dirname, '../..');
const cache = join(root, '.cache/bench');

class UsageError extends Error {}

function count(text, most, name) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new UsageError(`--${name} takes 1 to ${most}`);
  return value;
}
function someOf(text, known, name) {
  const chosen = text.split(',');
  const odd = chosen.find((each) => !known.includes(each));
  if (odd !== undefined) throw new UsageError(`--${name}: no '${odd}'; there are ${known.join(', ')}`);
  return chosen;
}

function readCommandLine() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ quick: flag, strict: flag, keep: flag, help: flag, rounds: text, only: text, targets: text, streams: text },
      ...{ gateway: { type: 'string', multiple: true, default: [] }, 'node-args': text, json: text },
    },
  });
  if (!values.help && positionals.join() !== 'rtmp') throw new UsageError('the only suite is: rtmp');
  return values;
}

/** One token a connection: each carries its own subject, as an issuer's would. */
function mintTokens(file, secret, howMany) {
  const claims = { iss: ISSUER, roles: 'red5-publisher,red5-subscriber', 'red5-transport': 'RTMP' };
  const mint = (i) => jwt.sign({ ...claims, sub: `bench-${i}` }, secret, { algorithm: 'HS256', expiresIn: '50m' });
  writeFileSync(file, Array.from({ length: howMany }, (_, i) => mint(i)).join('\n'), { mode: 0o600 });
}

function chooseTargets(values) {
  const mainFile = join(root, 'dist/main.js');
  const more = values.gateway.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError('--gateway takes NAME=FILE');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const all = allTargets(mainFile, more, values['node-args']?.split(' ') ?? []);
  const names = all.map(({ name }) => name);
  const wanted =
    values.targets === undefined
      ? names
      : [...ALWAYS, ...more.map(([name]) => name), ...someOf(values.targets, names, 'targets')];
  const leftOut = [];
  const targets = all.filter((target) => {
    if (!wanted.includes(target.name)) return false;
    const reason = target.missing?.();
    if (reason !== undefined) leftOut.push(`${target.name}: left out, ${reason}`);
    return reason === undefined;
  });
  return { targets, leftOut };
}

/** Round after round, forwards and backwards by turns, so that a slow drift of the machine favours nobody. */
async function runAll(parts, targets, scenarios, plan, onBed) {
  const results = [];
  for (const scenario of scenarios) {
    const able = targets.filter((target) => target.scenarios.includes(scenario));
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const target of round % 2 === 1 ? able : able.toReversed()) {
        const bed = new Bed(parts);
        onBed(bed);
        const result = await measure(bed, scenario, target, { ...plan, clip: parts.clip });
        await bed.clear();
        results.push({ ...result, round });
        const cost = result.cpuUsPerStreamS ?? result.cpuMsPerConnection ?? result.pssKbPerConnection;
        const beside =
          result.besideRuler === undefined ? '' : `, ${result.besideRuler.toFixed(2)} x the ruler beside it`;
        const note =
          result.error?.split('\n')[0] ??
          `${cost?.toFixed(3)}${beside}${result.failed > 0 ? `, ${result.failed} FAILED` : ''}`;
        console.error(`${scenario} round ${round} ${target.name.padEnd(18)} ${note}   (load ${result.load})`);
      }
    }
  }
  return results;
}

function print(machine, plan, scenarios, results, leftOut, checks) {
  const { cpu, cpus, memoryGb, kernel, system, node } = machine;
  console.log(`\n${cpus} × ${cpu}, ${memoryGb} GB, kernel ${kernel}, ${system}, Node ${node}`);
  console.log(`best of ${plan.rounds} round(s); load average ${machine.loadBefore} before, ${loadAverage()} after\n`);
  for (const scenario of scenarios) console.log(table(results, scenario, plan));
  for (const line of leftOut) console.log(line);
  console.log(`\nTargets\n${checkLines(checks)}`);
}

async function main() {
  const values = readCommandLine();
  if (values.help) return void console.log(HELP);
  const plan = { streams: 20, ...(values.quick ? QUICK : FULL) };
  if (values.rounds !== undefined) plan.rounds = count(values.rounds, 10, 'rounds');
  if (values.streams !== undefined) plan.streams = count(values.streams, 200, 'streams');
  const scenarios = values.only === undefined ? SCENARIO_NAMES : someOf(values.only, SCENARIO_NAMES, 'only');
  const { targets, leftOut } = chooseTargets(values);
  plan.ruler = targets.find(({ name }) => name === 'node-pipe');
  const machine = { ...describeMachine(), loadBefore: loadAverage() };

  const folder = join(cache, `run-${process.pid}`);
  const tidy = () => values.keep || rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let bed;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, async () => {
      await bed?.kill();
      tidy();
      process.exit(130);
    });
  }
  try {
    const tokens = join(folder, 'tokens.txt');
    const secret = randomBytes(32).toString('hex');
    mintTokens(tokens, secret, Math.max(plan.churns, plan.idles, plan.streams));
    const parts = {
      folder,
      tokens,
      secret,
      issuer: ISSUER,
      tool: buildLoadTool(import.meta.dirname, cache),
      clip: makeClip(cache),
    };
    const results = await runAll(parts, targets, scenarios, plan, (next) => (bed = next));
    const gateways = ['portcullis', ...values.gateway.map((pair) => pair.split('=')[0])];
    const checks = checkTargets(results, gateways);
    print(machine, plan, scenarios, results, leftOut, checks);
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify({ machine, plan, results, leftOut, checks }, null, 2)}\n`);
    }
    if (values.strict && checks.some(({ isMet }) => isMet === false)) process.exitCode = 1;
  } finally {
    tidy();
  }
}

try {
  await main();
} catch (error) {
  console.error(
    error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS') ? `${error.message}\n\n${HELP}` : error,
  );
  process.exitCode = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1;
}
