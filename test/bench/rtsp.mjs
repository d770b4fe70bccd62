// npm run bench -- rtsp [--quick] [--streams N]: publishers by RTSP through the gateway, interleaved and by UDP, beside two sockets piped
// into each other. CPU of the target by the scheduler's own count; the best of the rounds counts.
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import jwt from 'jsonwebtoken';
import { describeMachine, sampleTrees } from './accounting.mjs';

const here = import.meta.dirname;
const SECRET = 'a secret of the bench, long enough for HS256';
/** Of the pipe's CPU: what looking at each frame may cost. */
const TARGET_RATIO = 1.15;
const { values } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    streams: { type: 'string', default: '50' },
    gateway: { type: 'string' },
  },
});
const streams = Number(values.streams);
const plan = values.quick ? { rounds: 1, warmS: 4, windowS: 5 } : { rounds: 3, warmS: 8, windowS: 12 };
const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));

const told = (child, key) =>
  new Promise((done, fail) => {
    const hear = (message) => {
      if (message.failed) fail(new Error(message.failed));
      if (message[key] === undefined) return;
      child.off('message', hear);
      done(message[key]);
    };
    child.on('message', hear);
    child.once('exit', () => fail(new Error('a peer ended')));
  });
const peer = (...args) => fork(join(here, 'rtsp-peer.mjs'), args.map(String));
const packetsOf = (child) => {
  const answer = told(child, 'packets');
  child.send('count');
  return answer;
};

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function answers(port) {
  for (let tries = 0; tries < 100; tries++) {
    const isOpen = await new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => done(true)).on('error', () => done(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await sleep(50);
  }
  throw new Error(`nobody listens on ${port}`);
}

function start(target, port, originPort) {
  if (target === 'node-pipe') return spawn(process.execPath, [join(here, 'node-pipe.mjs'), port, originPort]);
  const file = join(folder, 'gateway.json');
  const config = {
    listen: { rtsp: { host: '127.0.0.1', port, udpPorts: '24000-24999' } },
    auth: { keys: [{ id: 'bench', secret: { env: 'BENCH_SECRET' } }] },
    origins: [{ name: 'sink', preset: 'generic', rtsp: `rtsp://127.0.0.1:${originPort}` }],
    log: { level: 'warn' },
  };
  writeFileSync(file, JSON.stringify(config));
  const main = values.gateway ?? resolve(here, '../../dist/main.js');
  return spawn(process.execPath, [main, 'serve', '--config', file], {
    env: { ...process.env, BENCH_SECRET: SECRET },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

async function measure(target, way) {
  const sink = peer('sink');
  const originPort = await told(sink, 'port');
  const port = await freePort();
  const relay = start(target, port, originPort);
  try {
    await answers(port);
    const token = jwt.sign({ sub: 'bench', exp: Math.floor(Date.now() / 1000) + 600 }, SECRET);
    const load = peer('load', port, streams, way, token);
    await told(load, 'ready');
    await sleep(plan.warmS * 1000);
    const read = async () => ({
      sent: await packetsOf(load),
      got: await packetsOf(sink),
      cpuS: sampleTrees([relay.pid]).cpuS,
      atMs: performance.now(),
    });
    const before = await read();
    await sleep(plan.windowS * 1000);
    const after = await read();
    load.disconnect();
    const seconds = (after.atMs - before.atMs) / 1000;
    const [sent, got] = [after.sent - before.sent, after.got - before.got];
    return {
      ...{ target, way, sent, got },
      cpuUsPerStreamS: ((after.cpuS - before.cpuS) * 1e6) / seconds / streams,
      perPacketUs: ((after.cpuS - before.cpuS) * 1e6) / got,
    };
  } finally {
    sink.disconnect();
    relay.kill();
    await new Promise((done) => (relay.exitCode === null ? relay.once('exit', done) : done()));
  }
}

const { cpu, cpus, node } = describeMachine();
console.log(`${cpu} (${cpus}), Node ${node}; ${streams} publishers of 200 packets a second, best of ${plan.rounds}\n`);
const cells = [
  ['node-pipe', 'tcp'],
  ['portcullis', 'tcp'],
  ['portcullis', 'udp'],
];
const best = new Map();
for (let round = 0; round < plan.rounds; round++) {
  for (const [target, way] of round % 2 === 0 ? cells : [...cells].reverse()) {
    const one = await measure(target, way);
    const key = `${target} ${way}`;
    if (!(best.get(key)?.cpuUsPerStreamS <= one.cpuUsPerStreamS)) best.set(key, one);
  }
}
const ruler = best.get('node-pipe tcp').cpuUsPerStreamS;
console.log(
  '| target | from the client | CPU µs per stream and second | × node-pipe | µs per packet | packets lost |\n|---|---|---|---|---|---|',
);
for (const { target, way, cpuUsPerStreamS, perPacketUs, sent, got } of best.values()) {
  const lost = Math.max(0, ((sent - got) * 100) / sent).toFixed(2);
  console.log(
    `| ${target} | ${way} | ${cpuUsPerStreamS.toFixed(0)} | ${(cpuUsPerStreamS / ruler).toFixed(2)} | ${perPacketUs.toFixed(1)} | ${lost} % |`,
  );
}
const ratio = best.get('portcullis tcp').cpuUsPerStreamS / ruler;
console.log(
  `\n${ratio <= TARGET_RATIO ? 'met' : 'MISSED'}: CPU per interleaved stream at most ${TARGET_RATIO} × the pipe's: ${ratio.toFixed(2)}`,
);
rmSync(folder, { recursive: true, force: true });
