import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../src/config/load.js';
import { faultLine } from '../src/config/fault.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { dialTcp } from '../src/net/dial.js';
import { systemClock } from '../src/net/clock.js';
import { createMetrics } from '../src/telemetry/metrics.js';

let gateway: Gateway | undefined;
const servers: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

/** An RTSP origin that describes anything, or takes connections and says nothing. */
async function origin(isSilent = false) {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      if (isSilent) return;
      const text = bytes.toString('latin1');
      const [method = ''] = text.split(' ');
      asked.push(method);
      const sequence = /CSeq: *(\d+)/i.exec(text)?.[1] ?? '1';
      const head = `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n`;
      if (method === 'DESCRIBE') {
        const sdp =
          'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n';
        socket.write(`${head}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`);
      } else if (method === 'SETUP') {
        socket.write(`${head}Session: 12345678\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`);
      } else socket.write(`${head}Session: 12345678\r\n\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = { server, sockets };
  servers.push(one);
  const { port } = server.address() as AddressInfo;
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return { port, asked, kill, url: `rtsp://127.0.0.1:${port}` };
}

async function start(urls: readonly string[], health = 'off') {
  const origins = urls.map(
    (url, index) => `  - { name: o${index}, preset: generic, rtsp: "${url}", health: ${health} }`,
  );
  const text = ['listen: { rtsp: { host: 127.0.0.1, port: 0 } }', 'hooks: [open]', 'origins:', ...origins].join('\n');
  const loaded = loadConfig({ text, env: {}, readFile: () => Buffer.alloc(0) });
  if (!loaded.ok) throw new Error(loaded.faults.map(faultLine).join('\n'));
  const log = { write: () => undefined, enabled: () => false };
  gateway = await startGateway(loaded.config, { log, metrics: createMetrics(), clock: systemClock });
  return gateway.addresses['rtsp']?.port ?? 0;
}

/** A viewer of RTSP that asks one thing after the other. */
async function viewer(port: number) {
  const stream = await dialTcp({
    ...{ host: '127.0.0.1', port, secure: false, timeoutMs: 2000, signal: new AbortController().signal },
  });
  let heard = '';
  let onMore: () => void = () => undefined;
  const closed = new Promise<number>((resolve) =>
    stream.handle({
      onBytes: (bytes) => {
        heard += bytes.toString('latin1');
        onMore();
      },
      onClose: () => {
        resolve(performance.now());
        onMore();
      },
    }),
  );
  let sequence = 0;
  const ask = async (method: string, path: string, more = '') => {
    heard = '';
    sequence += 1;
    stream.write(
      Buffer.from(`${method} rtsp://127.0.0.1:${port}/${path} RTSP/1.0\r\nCSeq: ${sequence}\r\n${more}\r\n`),
    );
    while (!heard.includes('\r\n\r\n') && !stream.closed) await new Promise<void>((resolve) => (onMore = resolve));
    return { status: Number(heard.split(' ')[1]), text: heard };
  };
  return { ask, closed };
}

const PATHS = Array.from({ length: 8 }, (_, index) => `live/cam${index}`);

async function describeAll(port: number) {
  const times: number[] = [];
  for (const path of PATHS) {
    const { ask } = await viewer(port);
    const startedMs = performance.now();
    expect((await ask('DESCRIBE', path)).status).toBe(200);
    times.push(performance.now() - startedMs);
  }
  return Math.max(...times);
}

describe('an origin of two', () => {
  it('that is killed is passed over within a second by every new stream', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    await describeAll(port);
    expect(one.asked).toContain('DESCRIBE');
    expect(two.asked).toContain('DESCRIBE');
    one.kill();
    expect(await describeAll(port)).toBeLessThan(1000);
  });

  it('that takes connections and is silent is passed over within three seconds, and then not called', async () => {
    const [dumb, good] = [await origin(true), await origin()];
    const port = await start([dumb.url, good.url]);
    const times: number[] = [];
    for (const path of PATHS) {
      const { ask } = await viewer(port);
      const startedMs = performance.now();
      expect((await ask('DESCRIBE', path)).status).toBe(200);
      times.push(performance.now() - startedMs);
    }
    expect(Math.max(...times)).toBeLessThan(3000);
  }, 30_000);

  it('that is drained gets no new streams', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    expect(gateway?.origins.drain('o0', true)).toBe(true);
    expect(gateway?.origins.list()).toMatchObject([
      { name: 'o0', isDrained: true },
      { name: 'o1', isDrained: false },
    ]);
    await describeAll(port);
    expect(one.asked).toEqual([]);
    expect(two.asked).toContain('DESCRIBE');
  });

  it('that dies has its viewers told within two seconds', async () => {
    const [one, two] = [await origin(), await origin()];
    const port = await start([one.url, two.url]);
    const watching = [];
    for (const path of PATHS) {
      const { ask, closed } = await viewer(port);
      await ask('DESCRIBE', path);
      const setUp = await ask('SETUP', `${path}/trackID=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n');
      const session = /Session: *([^;\r]+)/i.exec(setUp.text)?.[1] ?? '';
      await ask('PLAY', path, `Session: ${session}\r\n`);
      watching.push(closed);
    }
    const killedMs = performance.now();
    one.kill();
    two.kill();
    for (const closedMs of await Promise.all(watching)) expect(closedMs - killedMs).toBeLessThan(2000);
  }, 15_000);
});
