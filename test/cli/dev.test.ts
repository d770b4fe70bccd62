import { describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { runDev, type DevParts } from '../../src/cli/dev.js';
import type { Config } from '../../src/config/config.js';
import { GatewayError } from '../../src/model/errors.js';
import type { GatewayDeps } from '../../src/gateway.js';
import { NO_SESSIONS } from '../fakes/no-sessions.js';
import { fakeIo } from './fake-io.js';

/** Parts that only note what happens to them. */
function fakeParts(startGateway?: DevParts['startGateway'], { hasWebrtc = true, taken = [] as number[] } = {}) {
  const noted: string[] = [];
  const configs: Config[] = [];
  const operators: GatewayDeps['operator'][] = [];
  const parts: DevParts = {
    probePort: ({ port }) => (taken.includes(port) ? Promise.reject(new Error('in use')) : Promise.resolve()),
    startOrigin: () => {
      noted.push('origin started');
      return Promise.resolve({
        rtmpPort: 4321,
        rtspPort: 4322,
        httpPort: hasWebrtc ? 4323 : undefined,
        stop: () => {
          noted.push('origin stopped');
          return Promise.resolve();
        },
      });
    },
    startGateway:
      startGateway ??
      ((config, { operator }) => {
        configs.push(config);
        operators.push(operator);
        noted.push('gateway started');
        const stop = () => {
          noted.push('gateway stopped');
          return Promise.resolve();
        };
        const port = config.listen.rtmp?.port === 0 ? 5555 : (config.listen.rtmp?.port ?? -1);
        return Promise.resolve({
          ...NO_SESSIONS,
          addresses: { rtmp: { host: '127.0.0.1', port }, admin: { host: '127.0.0.1', port: 6666 } },
          reload: () => Promise.resolve([]),
          drain: stop,
          stop,
        });
      }),
  };
  return { noted, configs, operators, parts };
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

async function runUntilSignal(
  args: readonly string[] = [],
  around: { readonly hasWebrtc?: boolean; readonly taken?: number[] } = {},
) {
  const io = fakeIo({ env: { PORTCULLIS_LISTEN__RTMP__HOST: '0.0.0.0' } });
  const { noted, configs, parts } = fakeParts(undefined, around);
  const running = runDev(args, io, parts);
  await settle();
  io.signal('SIGINT');
  const code = await running;
  const [config] = configs;
  if (config === undefined) throw new Error('no gateway was started');
  return { io, noted, config, code };
}

function secretOf(config: Config): string {
  const [key] = config.auth.keys;
  return key?.kind === 'secret' ? key.secret.reveal() : '';
}

describe('portcullis dev', () => {
  it('starts the origin before the gateway, and stops them the other way round', async () => {
    const { noted, code } = await runUntilSignal();
    expect(noted).toEqual(['origin started', 'gateway started', 'gateway stopped', 'origin stopped']);
    expect(code).toBe(0);
  });

  it('listens on loopback only, whatever the environment says', async () => {
    const { config } = await runUntilSignal();
    expect(config.listen).toEqual({
      rtmp: { host: '127.0.0.1', port: 1935 },
      rtsp: { host: '127.0.0.1', port: 8554 },
      http: { host: '127.0.0.1', port: 5080, pages: true },
      media: { host: '127.0.0.1', port: 8189, publicAddresses: ['127.0.0.1'], iceServers: [] },
      admin: { host: '127.0.0.1', port: 9090 },
    });
  });

  it('relays to its own origin, which is shown nothing', async () => {
    const { config } = await runUntilSignal();
    expect(config.origins).toMatchObject([
      { rtmp: { host: '127.0.0.1', port: 4321, secure: false }, rooms: 'flat', credentials: { mode: 'strip' } },
    ]);
  });

  it('makes another secret of at least 32 bytes at each start', async () => {
    const secrets = [await runUntilSignal(), await runUntilSignal()].map(({ config }) => secretOf(config));
    expect(Buffer.byteLength(secrets[0] ?? '')).toBeGreaterThanOrEqual(32);
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  it('prints tokens of an hour, one that may publish and one that may play', async () => {
    const { io, config } = await runUntilSignal();
    const tokens = [...new Set([...io.out().matchAll(/token=([\w.-]+)/g)].map(([, token]) => token ?? ''))];
    const nowS = Math.floor(io.clock.now() / 1000);
    const all = 'RTMP,RTSP,WHIP,WHEP';
    const claims = tokens.map((token) => jwt.verify(token, secretOf(config), { clockTimestamp: nowS }));
    expect(claims).toEqual([
      { sub: 'dev-publisher', roles: 'red5-publisher', 'red5-transport': all, iat: nowS, exp: nowS + 3600 },
      { sub: 'dev-viewer', roles: 'red5-subscriber', 'red5-transport': all, iat: nowS, exp: nowS + 3600 },
    ]);
  });

  it('prints commands whose addresses are quoted, with the port that is really open', async () => {
    const { io } = await runUntilSignal(['--rtmp-port', '0']);
    const commands = io.out().match(/^ {2}ff.*$/gm) ?? [];
    expect(commands).toHaveLength(6);
    for (const command of commands)
      expect(command).toMatch(/"(?:rtmp:\/\/127\.0\.0\.1:5555|rtsp:\/\/127\.0\.0\.1:8554)\/live\/demo\?token=[\w.-]+"/);
    expect(io.out()).toContain('Server      rtmp://127.0.0.1:5555/live\n');
  });

  it('goes on without WHIP and WHEP where their package is not installed, and says how to get it', async () => {
    const { io, config, code } = await runUntilSignal([], { hasWebrtc: false });
    expect(Object.keys(config.listen).sort()).toEqual(['admin', 'rtmp', 'rtsp']);
    expect(io.out()).toMatch(/WHIP and WHEP are left out[^]*npm install werift@\d/);
    expect(io.out()).not.toContain('/publish#');
    expect(code).toBe(0);
  });

  it('keeps tokens and secret out of the log', async () => {
    const { io, config } = await runUntilSignal(['--log-level', 'debug']);
    const log = io.out().match(/^\d\d:\d\d:.*$/gm) ?? [];
    expect(log.length).toBeGreaterThan(0);
    expect(log.filter((line) => line.includes('eyJ') || line.includes(secretOf(config)))).toEqual([]);
  });

  it.each([
    [['--rtmp-port', 'many'], '--rtmp-port takes a port'],
    [['--rtmp-port', '65536'], '--rtmp-port takes a port'],
    [['--rtsp-port', '-1'], '--rtsp-port takes a port'],
    [['--http-port', 'x'], '--http-port takes a port'],
    [['--media-port', '1e3'], '--media-port takes a port'],
    [['--admin-port', '0x1'], '--admin-port takes a port'],
    [['--log-level', 'loud'], '--log-level takes'],
    [['--port', '1'], 'unknown flag'],
  ])('refuses %j with exit code 2 and starts nothing', async (args, message) => {
    const io = fakeIo();
    const { noted, parts } = fakeParts();
    expect(await runDev(args, io, parts)).toBe(2);
    expect(io.err()).toContain(message);
    expect(noted).toEqual([]);
  });

  it('says where the dashboard is, by the port that is really open', async () => {
    const { io } = await runUntilSignal();
    expect(io.out()).toContain('dashboard   http://127.0.0.1:6666/\n');
  });

  it.each<[string, readonly string[], number[], number]>([
    ['is free', [], [1935], 9090],
    ['is taken', [], [9090], 0],
    ['is what another listener is to have', ['--rtsp-port', '9090'], [], 0],
    ['is taken by UDP only', ['--media-port', '9090'], [], 9090],
    ['is taken, but asked for', ['--admin-port', '9090'], [9090], 9090],
    ['is not the one that is asked for', ['--admin-port', '9191'], [9090], 9191],
  ])('opens the admin listener without a token where its port %s', async (_, args, taken, port) => {
    const { config } = await runUntilSignal(args, { taken });
    expect(config.listen.admin).toEqual({ host: '127.0.0.1', port });
  });

  it('ends when the admin API drains it, as by Ctrl-C, and has nothing to reload', async () => {
    const io = fakeIo();
    const { noted, operators, parts } = fakeParts();
    const running = runDev([], io, parts);
    await settle();
    expect(operators[0]?.reload).toBeUndefined();
    operators[0]?.drain?.();
    operators[0]?.drain?.();
    expect(await running).toBe(0);
    expect(noted).toEqual(['origin started', 'gateway started', 'gateway stopped', 'origin stopped']);
  });

  it('names the flag of the admin port, too, when it is taken all the same', async () => {
    const cause = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    const error = new GatewayError('listen-failed', 'gateway', 'cannot listen on 127.0.0.1:9191: in use', { cause });
    const { parts } = fakeParts(() => Promise.reject(error));
    const io = fakeIo();
    expect(await runDev(['--admin-port', '9191'], io, parts)).toBe(1);
    expect(io.err()).toContain('port 9191 is taken; choose another with --admin-port');
  });

  it('names the flag when the port is taken, and stops the origin', async () => {
    const cause = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    const { noted, parts } = fakeParts(() =>
      Promise.reject(new GatewayError('listen-failed', 'gateway', 'no', { cause })),
    );
    const io = fakeIo();
    expect(await runDev([], io, parts)).toBe(1);
    expect(io.err()).toContain('port 1935 is taken; choose another with --rtmp-port');
    expect(noted).toEqual(['origin started', 'origin stopped']);
  });

  it('tells why the origin did not start', async () => {
    const { parts } = fakeParts();
    const io = fakeIo();
    const startOrigin = () =>
      Promise.reject(new GatewayError('embedded-origin-package-missing', 'gateway', 'run: npm'));
    expect(await runDev([], io, { ...parts, startOrigin })).toBe(1);
    expect(io.err()).toBe('portcullis dev: run: npm\n');
  });

  it('does not wait for a gateway that will not stop when asked twice', async () => {
    const { noted, parts } = fakeParts(() =>
      Promise.resolve({
        ...NO_SESSIONS,
        addresses: {},
        reload: () => Promise.resolve([]),
        drain: () => Promise.resolve(),
        stop: () => new Promise<void>(() => undefined),
      }),
    );
    const io = fakeIo();
    const running = runDev([], io, parts);
    await settle();
    io.signal('SIGINT');
    await settle();
    io.signal('SIGINT');
    expect(await running).toBe(0);
    expect(noted).toEqual(['origin started', 'origin stopped']);
  });
});
