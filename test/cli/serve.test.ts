import { describe, expect, it } from '@jest/globals';
import { runServe, type StartGateway } from '../../src/cli/serve.js';
import type { Gateway } from '../../src/gateway.js';
import { GatewayError } from '../../src/model/errors.js';
import { NO_SESSIONS } from '../fakes/no-sessions.js';
import { configText, fakeIo, SECRET, type FakeIo } from './fake-io.js';

/** A gateway that tells what is done to it; draining ends only by stop or `finish`. */
function fakeGateway() {
  const calls: string[] = [];
  let finish: () => void = () => undefined;
  const gateway: Gateway = {
    ...NO_SESSIONS,
    addresses: { rtmp: { host: '127.0.0.1', port: 1935 } },
    reload: () => {
      calls.push('reload');
      return Promise.resolve([]);
    },
    drain: (graceMs) => {
      calls.push(`drain ${graceMs}`);
      return new Promise((resolve) => {
        finish = resolve;
      });
    },
    stop: () => {
      calls.push('stop');
      return Promise.resolve();
    },
  };
  return { gateway, calls, finish: () => finish() };
}

const world = (parts: Readonly<Record<string, unknown>> = {}) => fakeIo({ files: { 'g.yaml': configText(parts) } });
const events = (io: FakeIo) =>
  io
    .out()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Runs serve up to the point where the gateway is open. */
async function started(io: FakeIo, start: StartGateway) {
  const code = runServe(['--config', 'g.yaml'], io, start);
  await turn();
  return code;
}

describe('serve', () => {
  it('keeps every secret of the config out of a crash, and those of the next one before it is tried', async () => {
    const files: Record<string, string> = { 'g.yaml': configText() };
    const io = fakeIo({ files });
    const { gateway } = fakeGateway();
    const during: (readonly string[])[] = [];
    const texts = () => io.hidden.map((secret) => secret.reveal());
    const reload = () => {
      during.push(texts());
      return Promise.reject(new GatewayError('config-hooks', 'gateway', 'no'));
    };
    void runServe(['--config', 'g.yaml'], io, () => Promise.resolve({ ...gateway, reload }));
    await turn();
    expect(texts()).toEqual([SECRET]);
    files['g.yaml'] = configText().replace(SECRET, `${SECRET}-next`);
    io.signal('SIGHUP');
    await turn();
    expect(during).toEqual([[SECRET, `${SECRET}-next`]]);
  });

  it('starts, logs where it listens, and drains on the first signal', async () => {
    const io = world();
    const { gateway, calls, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    io.clock.advance(20);
    expect(events(io)).toMatchObject([
      { event: 'gateway.start', version: '1.2.3', addresses: { rtmp: { port: 1935 } } },
    ]);
    expect(io.signal('SIGTERM')).toBe(true);
    expect(calls).toEqual(['drain 30000']);
    finish();
    expect(await code).toBe(0);
    expect(events(io).map(({ event }) => event)).toEqual(['gateway.start', 'gateway.drain', 'gateway.stop']);
    expect(io.signal('SIGTERM')).toBe(false);
    expect(io.clock.pending).toBe(0);
  });

  it('counts the lines that its log leaves out', async () => {
    const io = world({ log: { maxPerSecond: 1 } });
    const seen: { render?: () => string } = {};
    const { gateway } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, (_, { log, metrics }) => {
      for (let count = 0; count < 5; count += 1) log.write('info', 'decision', { outcome: 'no', address: '192.0.2.1' });
      seen.render = () => metrics.render();
      return Promise.resolve(gateway);
    });
    await turn();
    io.clock.advance(1000);
    expect(seen.render?.()).toContain('portcullis_log_suppressed_total{event="decision"} 4\n');
    io.signal('SIGTERM');
    io.signal('SIGTERM');
    expect(await code).toBe(0);
  });

  it('stops at once on a second signal', async () => {
    const io = world();
    const { gateway, calls } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    io.signal('SIGINT');
    io.signal('SIGTERM');
    expect(await code).toBe(0);
    expect(calls).toEqual(['drain 30000', 'stop']);
  });

  it('ends on a third signal even when stopping hangs', async () => {
    const io = world();
    const gateway: Gateway = { ...fakeGateway().gateway, stop: () => new Promise(() => undefined) };
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    for (let times = 0; times < 3; times += 1) io.signal('SIGINT');
    expect(await code).toBe(0);
  });

  it('obeys a signal that came while it was starting', async () => {
    const io = world();
    const { gateway, calls, finish } = fakeGateway();
    let open: (gateway: Gateway) => void = () => undefined;
    const code = started(io, () => new Promise((resolve) => (open = resolve)));
    await turn();
    io.signal('SIGTERM');
    open(gateway);
    await turn();
    expect(calls).toEqual(['drain 30000']);
    finish();
    expect(await code).toBe(0);
  });

  it('reloads on SIGHUP, also one that came while it was starting', async () => {
    const io = world();
    const { gateway, calls, finish } = fakeGateway();
    let open: (gateway: Gateway) => void = () => undefined;
    const code = started(io, () => new Promise((resolve) => (open = resolve)));
    await turn();
    io.signal('SIGHUP');
    open(gateway);
    await turn();
    expect(calls).toEqual(['reload']);
    io.signal('SIGHUP');
    await turn();
    expect(calls).toEqual(['reload', 'reload']);
    io.clock.advance(20);
    expect(events(io).at(-1)).toMatchObject({ event: 'config.reload', trigger: 'signal', outcome: 'applied' });
    io.signal('SIGTERM');
    finish();
    expect(await code).toBe(0);
    expect(io.clock.pending).toBe(0);
  });

  it('drains for as long as the config that holds now says', async () => {
    const files = { 'g.yaml': configText() };
    const io = fakeIo({ files });
    const { gateway, calls, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    files['g.yaml'] = configText({ limits: { drainTimeoutSeconds: 7 } });
    io.signal('SIGHUP');
    await turn();
    io.signal('SIGTERM');
    expect(calls).toEqual(['reload', 'drain 7000']);
    finish();
    expect(await code).toBe(0);
  });

  it('writes its log as the config that holds now says', async () => {
    const files = { 'g.yaml': configText({ log: { level: 'error' } }) };
    const io = fakeIo({ files });
    const { gateway, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    files['g.yaml'] = configText({ log: { level: 'info', format: 'text' } });
    io.signal('SIGHUP');
    await turn();
    io.clock.advance(20);
    expect(io.out()).toMatch(/^\S+ INFO {2}config\.reload trigger=signal outcome=applied notes=\[\]\n$/);
    io.signal('SIGTERM');
    finish();
    expect(await code).toBe(0);
  });

  it('reloads when the config file changes, unless told not to watch it', async () => {
    const files = { 'g.yaml': configText() };
    for (const [flags, reloads] of [
      [[], 1],
      [['--no-watch'], 0],
    ] as const) {
      const io = fakeIo({ files });
      const { gateway, calls, finish } = fakeGateway();
      const code = runServe(['--config', 'g.yaml', ...flags], io, () => Promise.resolve(gateway));
      await turn();
      files['g.yaml'] += ' ';
      io.clock.advance(6_000);
      await turn();
      expect(calls).toHaveLength(reloads);
      io.signal('SIGTERM');
      finish();
      expect(await code).toBe(0);
    }
  });

  it('sees a change of the file that came while it started', async () => {
    const files = { 'g.yaml': configText() };
    const io = fakeIo({ files });
    const { gateway, calls, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => {
      files['g.yaml'] = configText({ limits: { drainTimeoutSeconds: 7 } });
      return Promise.resolve(gateway);
    });
    await turn();
    io.clock.advance(6_000);
    await turn();
    expect(calls).toEqual(['reload']);
    io.signal('SIGTERM');
    expect(calls[1]).toBe('drain 7000');
    finish();
    expect(await code).toBe(0);
  });

  it('keeps the old config on SIGHUP when the new one is wrong, and says where', async () => {
    const files = { 'g.yaml': configText() };
    const io = fakeIo({ files });
    const { gateway, calls, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    files['g.yaml'] = configText({ limits: { connections: -1 } });
    io.signal('SIGHUP');
    await turn();
    io.clock.advance(20);
    expect(calls).toEqual([]);
    expect(events(io).at(-1)).toMatchObject({
      level: 'error',
      event: 'config.reload',
      outcome: 'kept-old',
      faults: [expect.stringContaining('limits.connections')],
    });
    io.signal('SIGTERM');
    finish();
    expect(await code).toBe(0);
  });

  it('tells which key names a port that a reload could not open, and how to find out by whom it is taken', async () => {
    const files = { 'g.yaml': configText() };
    const io = fakeIo({ files });
    const { gateway, finish } = fakeGateway();
    const cause = Object.assign(new Error('bind'), { code: 'EADDRINUSE', port: 8189, syscall: 'bind' });
    const failure = new GatewayError('listen-failed', 'gateway', 'cannot listen on [::]:8189 (UDP): EADDRINUSE', {
      cause,
    });
    const running: Gateway = { ...gateway, reload: () => Promise.reject(failure) };
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(running));
    await turn();
    const media = { port: 8189, publicAddresses: ['192.0.2.1'] };
    files['g.yaml'] = configText({ listen: { rtmp: { port: 8189 }, media } });
    io.signal('SIGHUP');
    await turn();
    io.clock.advance(20);
    expect(events(io).at(-1)).toMatchObject({
      event: 'config.reload',
      faults: [
        "cannot listen on [::]:8189 (UDP): EADDRINUSE (listen.media.port); see who has it: ss -lunp 'sport = :8189' or lsof -nP -iUDP:8189",
      ],
    });
    io.signal('SIGTERM');
    finish();
    expect(await code).toBe(0);
  });

  it('tells in one line which port is taken and how to find out by whom', async () => {
    const io = world();
    const cause = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 1935 });
    const failure = new GatewayError('listen-failed', 'gateway', 'cannot listen on 0.0.0.0:1935: EADDRINUSE', {
      cause,
    });
    expect(await runServe(['--config', 'g.yaml'], io, () => Promise.reject(failure))).toBe(1);
    expect(io.err()).toBe(
      "portcullis: cannot listen on 0.0.0.0:1935: EADDRINUSE (listen.rtmp.port); see who has it: ss -ltnp 'sport = :1935' or lsof -nP -iTCP:1935 -sTCP:LISTEN\n",
    );
    expect(io.clock.pending).toBe(0);
  });

  it('ends like a bad config when what the config names cannot be used', async () => {
    const io = world();
    const failure = new GatewayError('config-hooks', 'gateway', 'hooks (mine): the module my.mjs has no decide');
    expect(await runServe(['--config', 'g.yaml'], io, () => Promise.reject(failure))).toBe(78);
    expect(io.err()).toBe('portcullis: hooks (mine): the module my.mjs has no decide\n');
  });

  it('tells any other failure in one line without a stack', async () => {
    const io = world();
    expect(await runServe(['--config', 'g.yaml'], io, () => Promise.reject(new Error('broken\n  at x')))).toBe(1);
    expect(io.err()).toBe('portcullis: broken  at x\n');
  });

  it('fails when draining fails', async () => {
    const io = world();
    const gateway: Gateway = { ...fakeGateway().gateway, drain: () => Promise.reject(new Error('no')) };
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    io.signal('SIGTERM');
    expect(await code).toBe(1);
  });

  it('logs every warning of the config at its start, and no secret', async () => {
    const io = world({ auth: { allowWeakSecret: true, keys: [{ id: 'x', secret: { value: 'short' } }] } });
    const { gateway, finish } = fakeGateway();
    const code = runServe(['--config', 'g.yaml'], io, () => Promise.resolve(gateway));
    await turn();
    io.signal('SIGTERM');
    finish();
    await code;
    expect(events(io)[0]).toMatchObject({
      level: 'warn',
      event: 'gateway.warning',
      warning: expect.stringContaining('weak secret') as unknown,
    });
    expect(io.out()).not.toContain(SECRET);
  });

  it('starts nothing with a bad config or command line', async () => {
    const start: StartGateway = () => {
      throw new Error('started');
    };
    const bad = world({ log: { level: 'loud' } });
    expect(await runServe(['--config', 'g.yaml'], bad, start)).toBe(78);
    expect(bad.err()).toMatch(/^g\.yaml:1: log\.level: /);
    expect(await runServe(['--confg', 'g.yaml'], world(), start)).toBe(2);
    expect(await runServe([], world(), start)).toBe(2);
  });
});
