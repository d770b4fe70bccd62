import { afterAll, describe, expect, it } from '@jest/globals';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { liveOrigin, livePublisher, sendVideo } from '../fakes/rtmp-live.js';
import { liveRtspOrigin, liveRtspViewer } from '../fakes/rtsp-live.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { LightClient, startLightOrigin } from './peers/light-webrtc.js';
import { freePort } from './peers/place.js';
import { token } from './peers/tokens.js';

/** `RELOADS=1000` for a long run. */
const RELOADS = Number(process.env['RELOADS'] ?? 150);
const HOST = '127.0.0.1';

let gateway: Gateway | undefined;
const closers: (() => unknown)[] = [];
afterAll(async () => {
  await gateway?.stop();
  for (const close of closers) await close();
});

/** The same run each time: the numbers of a linear congruential generator, 0 to 1. */
function dice(): () => number {
  let state = 7;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

async function startOrigins() {
  const [rtmp, rtsp, light] = [await liveOrigin(), await liveRtspOrigin(), await startLightOrigin()];
  closers.push(
    () => rtmp.close(),
    () => rtsp.close(),
  );
  const at = { rtmp: `rtmp://${HOST}:${rtmp.port}`, rtsp: rtsp.url, http: `http://${HOST}:${light.port}` };
  return { rtmp, light, origin: { name: 'all', preset: 'generic', health: 'off', ...at } };
}

type Ports = Readonly<Record<'rtmp' | 'rtsp' | 'http' | 'media', readonly [number, number]>>;

async function twoOfEach(): Promise<Ports> {
  const two = async (): Promise<readonly [number, number]> => [await freePort(), await freePort()];
  return { rtmp: await two(), rtsp: await two(), http: await two(), media: await two() };
}

/** Any config that serves all transports; where each listener is, is chosen too. */
function anyConfig(random: () => number, ports: Ports, origin: Readonly<Record<string, unknown>>) {
  const may = <Part>(part: Part): Part | undefined => (random() < 0.5 ? part : undefined);
  const one = (of: readonly [number, number]): number => of[random() < 0.5 ? 0 : 1];
  const at = (of: readonly [number, number]) => ({ host: HOST, port: one(of) });
  const udpPorts = random() < 0.5 ? '20000-20040' : '20020-20060';
  const gone = { name: 'gone', preset: 'generic', health: random() < 0.5 ? 'off' : 'on', rtmp: `rtmp://${HOST}:9` };
  const call = { name: 'call-http', id: 'asked', url: `http://${HOST}:9/`, onFailure: 'allow' };
  return {
    listen: {
      ...{ rtmp: at(ports.rtmp), rtsp: { ...at(ports.rtsp), udpPorts }, http: at(ports.http), media: at(ports.media) },
      admin: may({ host: HOST, port: 0 }),
    },
    auth: { keys: [{ id: 'test', secret: { env: 'INTEROP_SECRET' } }] },
    hooks: ['verify-token', may('require-role'), may({ ...call, timeoutSeconds: 1 + random() })].filter(Boolean),
    origins: [origin, ...(random() < 0.5 ? [{ ...gone, apps: ['other'] }] : [])],
    limits: { connections: Math.floor(random() * 3), handshakeTimeoutSeconds: 1 + random(), idleTimeoutSeconds: 600 },
    relay: { paceMs: 0, allowRecord: random() < 0.5 },
    log: { level: 'info', traces: may({ endpoint: `http://${HOST}:9/${Math.floor(random() * 9)}` }) },
  };
}

/** Lets the gateway reload, and waits until it has; later lines are looked at only once. */
function reloader(running: Gateway) {
  const file = running.program.args.at(-1) ?? '';
  let seen = running.program.stdout.length;
  return async (config: object): Promise<string> => {
    writeFileSync(file, JSON.stringify(config));
    running.program.send('SIGHUP');
    return running.program.until('config.reload', ({ stdout }) => {
      const at = stdout.indexOf('"event":"config.reload"', seen);
      const end = at === -1 ? -1 : stdout.indexOf('\n', at);
      if (end === -1) return undefined;
      seen = end;
      return stdout.slice(stdout.lastIndexOf('\n', at) + 1, end);
    });
  };
}

/** What the process holds on to. */
async function weigh({ program }: Gateway) {
  const from = program.stderr.length;
  program.send('SIGUSR2');
  const [, text = ''] = await program.until(
    'weighed',
    ({ stderr }) => /weighed (.*)\n/.exec(stderr.slice(from)) ?? undefined,
  );
  const { heap, resources } = JSON.parse(text) as { heap: number; resources: Readonly<Record<string, number>> };
  return { heapMb: heap / 1e6, files: readdirSync(`/proc/${program.pid}/fd`).length, resources };
}

describe('a gateway that reloads again and again under traffic', () => {
  it('drops nobody and holds on to nothing', async () => {
    const { rtmp, light, origin } = await startOrigins();
    const [ports, random] = [await twoOfEach(), dice()];
    const first = { ...anyConfig(random, ports, origin), limits: { idleTimeoutSeconds: 600 } };
    process.env['NODE_OPTIONS'] = `--expose-gc --require ${join(__dirname, 'peers', 'weigh.cjs')}`;
    gateway = await startGateway(first);
    delete process.env['NODE_OPTIONS'];
    const reload = reloader(gateway);

    const publisher = await livePublisher(gateway.rtmpPort, `live?token=${token()}`, 'one');
    const viewer = await liveRtspViewer(gateway.rtspPort);
    const url = `live/cam?token=${token()}`;
    await viewer.ask('DESCRIBE', url);
    const transport = 'RTP/AVP;unicast;client_port=40000-40001';
    expect((await viewer.ask('SETUP', 'live/cam/trackID=0', `Transport: ${transport}\r\n`)).status).toBe(200);
    expect((await viewer.ask('PLAY', url)).status).toBe(200);
    const [one, two] = [
      await LightClient.open(gateway.web, 'whip', 1, token()),
      await LightClient.open(gateway.web, 'whep', 2, token()),
    ];
    await Promise.all([one.check(), two.check()]);

    let before: Awaited<ReturnType<typeof weigh>> | undefined;
    for (let round = 1; round <= RELOADS; round += 1) {
      const next = anyConfig(random, ports, origin);
      expect(await reload(next)).toContain('"outcome":"applied"');
      sendVideo(publisher, round);
      await Promise.all([one.echo('rtp', round), two.echo('rtp', round)]);
      if (round % 10 === 0) {
        await Promise.all([one.check(), two.check()]);
        expect((await viewer.ask('GET_PARAMETER', url)).status).toBe(200);
        await reload({ ...next, limits: {} });
        const late = await LightClient.open(`http://${HOST}:${next.listen.http.port}`, 'whip', round, token());
        await late.check();
        expect((await livePublisher(next.listen.rtmp.port, `live?token=${token()}`, `late${round}`)).codes).toContain(
          'NetStream.Publish.Start',
        );
        expect(await late.delete()).toBe(200);
        rtmp.calls.at(-1)?.peer.stream.destroy();
      }
      if (round === Math.floor(RELOADS / 5)) before = await weigh(gateway);
    }
    const after = await weigh(gateway);
    expect(publisher.closed).toBe(false);
    expect(rtmp.calls[0]?.peer.media.length).toBe(RELOADS);
    expect([one.got.length, two.got.length, light.strays]).toEqual([RELOADS, RELOADS, 0]);
    // A listener, a client that leaves and an old port more or less; one a reload would be some hundred.
    expect(after.files - (before?.files ?? 0)).toBeLessThan(12);
    expect(after.heapMb - (before?.heapMb ?? 0)).toBeLessThan(12);
  }, 170_000);
});
