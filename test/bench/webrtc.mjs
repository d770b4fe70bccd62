// What a packet costs in the WebRTC media relay, beside the plainest UDP relay that Node can be and nginx's stream module.
// All on 127.0.0.1; Linux only.
// npm run bench -- webrtc [--dist dist] [--rates 10000,40000] [--seconds 4] [--sessions 20] [--rounds 3]
// npm run bench -- webrtc --setup: what it costs to set a session up (webrtc-setup.mjs).
import { fork, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { sampleTrees } from './accounting.mjs';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    dist: { type: 'string', default: 'dist' },
    rates: { type: 'string', default: '5000,20000,40000' },
    seconds: { type: 'string', default: '4' },
    sessions: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    as: { type: 'string' },
    setup: { type: 'boolean', default: false },
  },
});
const HOST = '127.0.0.1';
const PACKET_BYTES = 1100;
/** Packets that are sent in one go, as a pacer of an encoder does with a frame. */
const BURST = 10;
const SESSIONS = Number(values.sessions);
const SETTLE_MS = 500;
const REPORT_EVERY = 101;
const REPORT = Buffer.from([129, 201, 0, 7, ...Array(28).fill(0)]);

const load = (path) => import(pathToFileURL(`${process.cwd()}/${values.dist}/${path}`).href);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const lookup = (host, _options, done) => done(null, host, 4);

/** The gateway's media plane in a process of its own. */
async function gateway() {
  const { createMediaPlane } = await load('transports/webrtc/media/plane.js');
  const { systemClock } = await load('net/clock.js');
  const nothing = () => undefined;
  const plane = await createMediaPlane({
    ...{ host: HOST, port: 0, publicAddresses: [HOST], clock: systemClock, random: randomBytes },
    log: { write: nothing, enabled: () => false },
    metrics: { count: nothing, gauge: nothing, observe: nothing },
  });
  serve({
    open: ({ clientSdp, originSdp }) => {
      const session = plane.open({ sessionId: 'bench', role: 'publisher', clientSdp });
      const answer = session.answer(originSdp);
      session.run((reason, error) => console.error('ended', reason, error?.message));
      return { answer, offer: session.sdpForOrigin };
    },
    counters: () => plane.counters,
    collect: () => globalThis.gc?.(),
  });
  process.send({ port: plane.address.port });
}

/** One socket for all clients, one more for each of them towards the origin, no look at anything. */
async function plain() {
  const front = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  const byPort = new Map();
  let origin = 0;
  front.on('message', (bytes, { port }) => {
    let up = byPort.get(port);
    if (up === undefined) {
      up = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
      up.on('message', (one) => front.send(one, port, HOST));
      up.on('error', () => undefined);
      up.held = [bytes];
      byPort.set(port, up);
      up.connect(origin, HOST, () => {
        for (const one of up.held) up.send(one);
        up.held = undefined;
      });
    } else if (up.held !== undefined) up.held.push(bytes);
    else up.send(bytes);
  });
  front.bind(0, HOST);
  await once(front, 'listening');
  serve({ origin: ({ port }) => void (origin = port) });
  process.send({ port: front.address().port });
}

function serve(calls) {
  process.on('message', ({ call, input }) => process.send({ result: calls[call](input) ?? null }));
  process.on('disconnect', () => process.exit(0));
}

async function start(as, execArgv = []) {
  const child = fork(fileURLToPath(import.meta.url), ['--as', as, '--dist', values.dist], {
    stdio: 'inherit',
    execArgv,
  });
  const [{ port }] = await once(child, 'message');
  const ask = async (call, input) => {
    child.send({ call, input });
    const [{ result }] = await once(child, 'message');
    return result;
  };
  return { port, pid: child.pid, ask, stop: () => child.disconnect() };
}

const NGINX = process.env['NGINX'] ?? 'nginx';
const NGINX_MODULE = `${process.env['NGX_MODULES'] ?? '/usr/lib/nginx/modules'}/ngx_stream_module.so`;
const hasNginx = spawnSync(NGINX, ['-v']).error === undefined && existsSync(NGINX_MODULE);

/** nginx as a UDP proxy, one worker. */
async function startNginx(originPort) {
  const probe = dgram.createSocket('udp4');
  await bound(probe);
  const { port } = probe.address();
  probe.close();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `load_module ${NGINX_MODULE};
user root; worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn;
events { worker_connections 16384; }
stream { access_log off; server { listen ${HOST}:${port} udp; proxy_timeout 60s; proxy_pass ${HOST}:${originPort}; } }
`,
  );
  const child = spawn(NGINX, ['-c', file, '-e', join(folder, 'boot.log')], { stdio: 'ignore' });
  await wait(SETTLE_MS);
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  return { port, pid: child.pid, stop };
}

/** The origin: answers checks, counts the rest, remembers where each session's packets came from. */
async function openSink() {
  const { readStun } = await load('transports/webrtc/wire/stun-read.js');
  const { writeStun } = await load('transports/webrtc/wire/stun-write.js');
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 8 << 20, lookup });
  const sink = { count: 0, peers: new Set(), delays: [], socket, pwd: 'originPasswordOfTheBench' };
  socket.on('message', (bytes, { address, port }) => {
    if (bytes[0] < 4) {
      const { transaction } = readStun(bytes);
      const mapped = { host: address, port };
      socket.send(writeStun({ kind: 'success', transaction, mapped }, sink.pwd), port, address);
      return;
    }
    sink.count++;
    // As an SFU says now and then what has arrived: the gateway goes by who speaks to it.
    if (sink.count % REPORT_EVERY === 0) socket.send(REPORT, port, address);
    if (!sink.peers.has(port)) sink.peers.add(port);
    if ((sink.count & 15) === 0) sink.delays.push(performance.now() - bytes.readDoubleBE(12));
  });
  await bound(socket);
  return sink;
}

/** With a lookup that answers at once the event comes inside of bind. */
async function bound(socket) {
  const listening = once(socket, 'listening');
  socket.bind(0, HOST);
  await listening;
}

const FINGERPRINT = `sha-256 ${Array(32).fill('AB').join(':')}`;
function sdp(ufrag, pwd, direction, setup, candidate) {
  return [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0'],
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:${FINGERPRINT}`, `a=setup:${setup}`, 'a=mid:0'],
    ...[`a=${direction}`, 'a=rtcp-mux', 'a=rtpmap:96 VP8/90000'],
    ...(candidate === undefined ? [] : [`a=candidate:1 1 udp 1 ${HOST} ${candidate} typ host`]),
    '',
  ].join('\r\n');
}

async function openClients(relay, sink, isGateway, count = SESSIONS) {
  const { writeStun } = await load('transports/webrtc/wire/stun-write.js');
  const clients = [];
  for (let at = 0; at < count; at++) {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, lookup });
    await bound(socket);
    await new Promise((done) => socket.connect(relay.port, HOST, done));
    const client = { socket, count: 0 };
    socket.on('message', () => client.count++);
    clients.push(client);
    if (!isGateway) continue;
    const clientSdp = sdp('bench', 'clientPasswordOfTheBench', 'sendonly', 'actpass');
    const originSdp = sdp('orig', sink.pwd, 'recvonly', 'passive', sink.socket.address().port);
    const { answer } = await relay.ask('open', { clientSdp, originSdp });
    const [, ufrag] = /ice-ufrag:(\S+)/.exec(answer);
    const [, pwd] = /ice-pwd:(\S+)/.exec(answer);
    const transaction = randomBytes(12);
    socket.send(writeStun({ kind: 'request', transaction, username: `${ufrag}:bench`, useCandidate: true }, pwd));
    await once(socket, 'message');
    client.count = 0;
  }
  return clients;
}

/** Sends so many a second for so long, in bursts, making up for timers that come late. */
async function pace(rate, seconds, sendOne) {
  const startMs = performance.now();
  let sent = 0;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs >= seconds * 1000) return sent;
    const due = Math.min((elapsedMs / 1000) * rate, sent + 400);
    while (sent + BURST <= due) for (let at = 0; at < BURST; at++) sendOne(sent++);
    await new Promise((done) => setImmediate(done));
  }
}

async function measureOne(as, rate, direction) {
  const sink = await openSink();
  const isGateway = as === 'gateway';
  const relay = as === 'nginx' ? await startNginx(sink.socket.address().port) : await start(as);
  if (as === 'plain') await relay.ask('origin', { port: sink.socket.address().port });
  const cpu = () => sampleTrees([relay.pid]).cpuS;
  const clients = await openClients(relay, sink, isGateway);
  const bytes = Buffer.alloc(PACKET_BYTES, 7);
  bytes[0] = 128;
  bytes[1] = 96;
  const up = (at) => {
    const one = Buffer.from(bytes);
    one.writeDoubleBE(performance.now(), 12);
    clients[at % SESSIONS].socket.send(one);
  };
  // Both learn where the other is, and Node compiles what it needs.
  await pace(Math.min(rate, 5000), 2.5, up);
  await wait(SETTLE_MS);
  const peers = [...sink.peers];
  const down = (at) => sink.socket.send(bytes, peers[at % peers.length], HOST);
  if (direction === 'down') await pace(Math.min(rate, 5000), 0.5, down);
  await wait(SETTLE_MS);
  sink.count = 0;
  sink.delays.length = 0;
  for (const client of clients) client.count = 0;
  const before = cpu();
  const startMs = performance.now();
  const sent = await pace(rate, Number(values.seconds), direction === 'up' ? up : down);
  const seconds = (performance.now() - startMs) / 1000;
  const after = cpu();
  await wait(SETTLE_MS);
  const received = direction === 'up' ? sink.count : clients.reduce((sum, { count }) => sum + count, 0);
  const delays = sink.delays.sort((a, b) => a - b);
  if (isGateway && process.env['VERBOSE']) console.log(await relay.ask('counters'));
  for (const { socket } of clients) socket.close();
  sink.socket.close();
  await relay.stop();
  return {
    perPacketUs: ((after - before) * 1e6) / received,
    cpu: (after - before) / seconds,
    rate: sent / seconds,
    lost: sent - received,
    p50: delays[Math.floor(delays.length / 2)],
    p99: delays[Math.floor(delays.length * 0.99)],
  };
}

const RELAYS = ['plain', ...(hasNginx ? ['nginx'] : []), 'gateway'];

/** What sessions hold in the gateway, each with its socket towards the origin, when its garbage has been collected. */
async function measureMemory() {
  const COUNT = 500;
  const sink = await openSink();
  const relay = await start('gateway', ['--expose-gc']);
  const rest = async () => {
    await wait(SETTLE_MS);
    await relay.ask('collect');
    await wait(SETTLE_MS);
    return sampleTrees([relay.pid]).ownKb;
  };
  const close = ({ socket }) => socket.close();
  // First-time costs belong to nobody.
  const first = await openClients(relay, sink, true, 100);
  const before = await rest();
  const clients = await openClients(relay, sink, true, COUNT);
  const perSession = ((await rest()) - before) / COUNT;
  [...first, ...clients].forEach(close);
  sink.socket.close();
  relay.stop();
  console.log(`\nMemory: ${perSession.toFixed(1)} KB a session (${COUNT} sessions, settled).`);
}

async function measure() {
  const [model = ''] = /model name.*/.exec(readFileSync('/proc/cpuinfo', 'utf8')) ?? [];
  console.log(
    `${model.split(':')[1]?.trim()}, Node ${process.version}, ${SESSIONS} sessions, ${PACKET_BYTES} B, best of ${values.rounds}\n`,
  );
  console.log(
    '| direction | packets/s asked | relay | µs/packet | × plain | CPU % | packets/s sent | lost | p50 / p99 ms |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const direction of ['up', 'down']) {
    for (const rate of values.rates.split(',').map(Number)) {
      const best = {};
      for (let round = 0; round < Number(values.rounds); round++) {
        for (const as of round % 2 === 0 ? RELAYS : [...RELAYS].reverse()) {
          const one = await measureOne(as, rate, direction);
          if (best[as] === undefined || one.perPacketUs < best[as].perPacketUs) best[as] = one;
        }
      }
      for (const as of RELAYS) {
        const { perPacketUs, cpu, rate: real, lost, p50, p99 } = best[as];
        const delay = direction === 'up' ? `${p50.toFixed(2)} / ${p99.toFixed(2)}` : '–';
        console.log(
          `| ${direction} | ${rate} | ${as} | ${perPacketUs.toFixed(2)} | ${(perPacketUs / best.plain.perPacketUs).toFixed(2)} | ` +
            `${(cpu * 100).toFixed(0)} | ${real.toFixed(0)} | ${lost} | ${delay} |`,
        );
      }
    }
  }
}

if (values.setup) await import('./webrtc-setup.mjs');
else if (values.as === 'gateway') await gateway();
else if (values.as === 'plain') await plain();
else {
  await measure();
  await measureMemory();
}
