// What it costs to set a WebRTC session up: POST, the answer, one check, DELETE. Beside a plain HTTP proxy of Node in the same
// place, and beside the origin alone. All on 127.0.0.1; Linux only.
// npm run bench -- webrtc --setup [--main dist/main.js] [--sessions 1500] [--rounds 3] [--node-args=--cpu-prof]
import { fork, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { sampleTrees } from './accounting.mjs';

const { values } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    main: { type: 'string', default: 'dist/main.js' },
    sessions: { type: 'string', default: '1500' },
    rounds: { type: 'string', default: '3' },
    targets: { type: 'string', default: 'origin,proxy,portcullis' },
    'node-args': { type: 'string', default: '' },
    as: { type: 'string' },
  },
});
const HOST = '127.0.0.1';
const SESSIONS = Number(values.sessions);
/** What V8 needs to have compiled what is hot. */
const WARM_UP = 1500;
const AT_ONCE = 4;
const SECRET = 'a secret of the bench, long enough for HS256';
const PASSWORD = 'originPasswordOfTheBench';
const FINGERPRINT = `sha-256 ${Array(32).fill('AB').join(':')}`;
const self = fileURLToPath(import.meta.url);
const load = (path) => import(pathToFileURL(join(process.cwd(), values.main, '..', path)).href);

/** As long as Chromium's: about 5 KB. */
function sdp(ufrag, pwd, direction, setup, more = []) {
  const transport = [
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:${FINGERPRINT}`, `a=setup:${setup}`],
  ];
  const types = Array.from({ length: 20 }, (_, at) => 96 + at);
  const codecs = types.flatMap((type) => [
    ...[`a=rtpmap:${type} ${type % 2 ? 'rtx' : 'VP8'}/90000`],
    ...(type % 2
      ? [`a=fmtp:${type} apt=${type - 1}`]
      : ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'].map((one) => `a=rtcp-fb:${type} ${one}`)),
  ]);
  const extensions = Array.from(
    { length: 10 },
    (_, at) => `a=extmap:${at + 1} urn:ietf:params:rtp-hdrext:example-${at}`,
  );
  const ends = (mid) => [`a=mid:${mid}`, `a=${direction}`, 'a=rtcp-mux', 'a=rtcp-rsize', 'a=msid:stream track'];
  return [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=extmap-allow-mixed'],
    ...['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0', ...transport],
    ...[...extensions, ...ends(0), 'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', ...more],
    ...[`m=video 9 UDP/TLS/RTP/SAVPF ${types.join(' ')}`, 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0'],
    ...[...transport, ...extensions, ...ends(1), ...codecs, ''],
  ].join('\r\n');
}

function token() {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const head = part({ alg: 'HS256', typ: 'JWT' });
  const body = part({
    sub: 'bench',
    exp,
    iat: exp - 3600,
    roles: 'red5-publisher',
    jti: randomBytes(8).toString('hex'),
  });
  return `${head}.${body}.${createHmac('sha256', SECRET).update(`${head}.${body}`).digest('base64url')}`;
}

function ask(options, body) {
  return new Promise((done, fail) => {
    const asked = request({ host: HOST, ...options }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () =>
        done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() }),
      );
    });
    asked.on('error', fail);
    asked.end(body);
  });
}

/** Listens, tells its parent the port, and ends with it. */
async function serve(onRequest) {
  const server = createServer((incoming, response) => {
    const parts = [];
    incoming.on('data', (part) => parts.push(part));
    incoming.on('end', () => onRequest(incoming, Buffer.concat(parts).toString(), response));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  process.on('disconnect', () => process.exit(0));
  process.send({ port: server.address().port });
}

/** Answers every offer and every check. */
async function origin() {
  const { readStun } = await load('transports/webrtc/wire/stun-read.js');
  const { writeStun } = await load('transports/webrtc/wire/stun-write.js');
  const media = dgram.createSocket('udp4');
  media.on('message', (bytes, { address, port }) => {
    const { transaction } = readStun(bytes);
    media.send(writeStun({ kind: 'success', transaction, mapped: { host: address, port } }, PASSWORD), port, address);
  });
  media.bind(0, HOST);
  await once(media, 'listening');
  const candidate = `a=candidate:1 1 udp 2130706431 ${HOST} ${media.address().port} typ host`;
  const answer = sdp('orig', PASSWORD, 'recvonly', 'passive', [candidate, 'a=end-of-candidates']);
  let count = 0;
  await serve(({ method }, _body, response) => {
    if (method === 'DELETE') response.end();
    else response.writeHead(201, { 'Content-Type': 'application/sdp', Location: `/session/${count++}` }).end(answer);
  });
}

/** The plainest thing that could stand there: each request on a connection of its own towards the origin, as the gateway has it. */
async function proxy() {
  const port = Number(process.argv.at(-1));
  await serve(async ({ method, url, headers }, body, response) => {
    const type = headers['content-type'];
    const more = type === undefined ? {} : { 'Content-Type': type };
    const reply = await ask({ port, agent: false, method, path: url, headers: more }, body);
    const { location } = reply.headers;
    response.writeHead(reply.status, { ...(location && { Location: location, 'Content-Type': 'application/sdp' }) });
    response.end(reply.body);
  });
}

async function startPeer(as, ...args) {
  const child = fork(self, ['--as', as, '--main', values.main, ...args], { stdio: 'inherit' });
  const [{ port }] = await once(child, 'message');
  return { port, pid: child.pid, stop: () => child.disconnect() };
}

async function startGateway(originPort) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const file = join(folder, 'config.json');
  const config = {
    listen: { http: { host: HOST, port: 0 }, media: { host: HOST, port: 0 } },
    auth: { keys: [{ id: 'bench', secret: { env: 'BENCH_SECRET' } }] },
    origins: [{ name: 'origin', preset: 'mediamtx', http: `http://${HOST}:${originPort}` }],
  };
  writeFileSync(file, JSON.stringify(config));
  const nodeArgs = values['node-args'].split(' ').filter(Boolean);
  const child = spawn(process.execPath, [...nodeArgs, values.main, 'serve', '--config', file], {
    env: { ...process.env, BENCH_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const port = await new Promise((done) => {
    child.stdout.on('data', (part) => {
      text = (text + part).slice(-65536);
      const found = text
        .split('\n')
        .find((line) => line.includes('listener.open') && line.includes('"listener":"http"'));
      if (found) done(JSON.parse(found).port);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    rmSync(folder, { recursive: true });
  };
  return { port, pid: child.pid, stop };
}

/** One session from POST to DELETE; gives the milliseconds from POST to its answer. */
async function session({ port, agent, text, client, writeStun, waiting }) {
  const at = `s${randomBytes(6).toString('hex')}`;
  const headers = { 'Content-Type': 'application/sdp', Authorization: `Bearer ${text}` };
  const offer = sdp(at, 'clientPasswordOfTheBench', 'sendonly', 'actpass');
  const startMs = performance.now();
  const {
    status,
    headers: got,
    body,
  } = await ask({ port, agent, method: 'POST', path: `/live/${at}/whip`, headers }, offer);
  const tookMs = performance.now() - startMs;
  if (status !== 201) throw new Error(`${status} ${body}`);
  const [, to] = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+)/m.exec(body);
  const [, ufrag] = /ice-ufrag:(\S+)/.exec(body);
  const [, pwd] = /ice-pwd:(\S+)/.exec(body);
  const transaction = randomBytes(12);
  const answered = new Promise((done) => waiting.set(transaction.toString('hex'), done));
  client.send(
    writeStun({ kind: 'request', transaction, username: `${ufrag}:${at}`, useCandidate: true }, pwd),
    Number(to),
    HOST,
  );
  await answered;
  const { pathname } = new URL(got.location, `http://${HOST}`);
  await ask({ port, agent, method: 'DELETE', path: pathname });
  return tookMs;
}

async function measureOne(target, originPort) {
  const { writeStun } = await load('transports/webrtc/wire/stun-write.js');
  const relay =
    target === 'proxy'
      ? await startPeer('proxy', String(originPort))
      : target === 'origin'
        ? { port: originPort, pid: undefined, stop: () => undefined }
        : await startGateway(originPort);
  const agent = new Agent({ keepAlive: true });
  const waiting = new Map();
  const clients = [];
  const one = async () => {
    // An address of one session belongs to it for a while.
    const client = dgram.createSocket('udp4');
    client.on('message', (bytes) => waiting.get(bytes.subarray(8, 20).toString('hex'))?.());
    client.bind(0, HOST);
    await once(client, 'listening');
    clients.push(client);
    try {
      return await session({ port: relay.port, agent, text: token(), client, writeStun, waiting });
    } finally {
      client.close();
    }
  };
  const many = async (count, atOnce) => {
    const took = [];
    let left = count;
    const lane = async () => {
      while (left-- > 0) took.push(await one());
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return took.sort((a, b) => a - b);
  };
  await many(WARM_UP, AT_ONCE);
  const cpu = () => (relay.pid === undefined ? 0 : sampleTrees([relay.pid]).cpuS);
  const before = cpu();
  await many(SESSIONS, AT_ONCE);
  const cpuMs = ((cpu() - before) * 1000) / SESSIONS;
  const took = await many(Math.ceil(SESSIONS / 3), 1);
  agent.destroy();
  await relay.stop();
  return { cpuMs, p50: took[Math.floor(took.length / 2)], p99: took[Math.floor(took.length * 0.99)] };
}

async function measure() {
  const peer = await startPeer('origin');
  const targets = values.targets.split(',');
  const best = {};
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const target of round % 2 ? [...targets].reverse() : targets) {
      const one = await measureOne(target, peer.port);
      const last = best[target] ?? one;
      best[target] = Object.fromEntries(Object.entries(one).map(([key, value]) => [key, Math.min(value, last[key])]));
    }
  }
  peer.stop();
  console.log(
    `Node ${process.version}, ${SESSIONS} sessions after ${WARM_UP}, ${AT_ONCE} at once for CPU, best of ${values.rounds}\n`,
  );
  console.log('| target | CPU ms a session | × proxy | POST to 201, one at a time, p50 / p99 ms |\n|---|---|---|---|');
  for (const [target, { cpuMs, p50, p99 }] of Object.entries(best)) {
    const ratio = best.proxy ? (cpuMs / best.proxy.cpuMs).toFixed(2) : '–';
    console.log(`| ${target} | ${cpuMs.toFixed(2)} | ${ratio} | ${p50.toFixed(2)} / ${p99.toFixed(2)} |`);
  }
}

if (values.as === 'origin') await origin();
else if (values.as === 'proxy') await proxy();
else await measure();
