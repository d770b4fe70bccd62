import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom } from './fakes/gateway-config.js';
import jwt from 'jsonwebtoken';
import type { Config } from '../src/config/config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { GatewayError } from '../src/model/errors.js';
import { Secret } from '../src/model/secret.js';
import { systemClock } from '../src/net/clock.js';
import { createLog } from '../src/telemetry/log.js';
import { createMetrics } from '../src/telemetry/metrics.js';
import { eventually, liveOrigin, livePublisher, type LiveOrigin } from './fakes/rtmp-live.js';
import { json, policyServer, type PolicyServer } from './hooks/call-http/policy-server.js';

const SECRET = 'a secret of the tests, long enough for HS256';

let origin: LiveOrigin;
let server: PolicyServer;
let gateway: Gateway | undefined;
/** What each module URL exports; one that is not here cannot be loaded. */
let modules: ((url: string) => unknown)[];
let imported: string[];
/** The log. */
let written: string[];
let metrics: ReturnType<typeof createMetrics>;
beforeEach(async () => {
  origin = await liveOrigin();
  server = await policyServer(json({ allow: true }));
  [modules, imported, written] = [[], [], []];
  metrics = createMetrics();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await Promise.all([origin.close(), server.close()]);
});

function config(parts: Readonly<Record<string, unknown>>, files: Readonly<Record<string, string>> = {}): Config {
  const text = JSON.stringify({
    listen: { rtmp: { host: '127.0.0.1', port: 0 } },
    auth: { keys: [{ id: 'main', secret: { value: SECRET } }] },
    origins: [{ name: 'origin', preset: 'generic', rtmp: `rtmp://127.0.0.1:${origin.port}` }],
    ...parts,
  });
  const readFile = (path: string): Buffer => {
    const found = files[path];
    if (found === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return Buffer.from(found);
  };
  return configFrom(text, readFile);
}

async function start(
  parts: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Gateway> {
  const log = createLog({ level: 'debug', format: 'json', now: () => 0, write: (line) => void written.push(line) });
  const importModule = (url: string): Promise<unknown> => {
    imported.push(url);
    const found = modules.shift();
    return found === undefined ? Promise.reject(new Error('it is not JavaScript')) : Promise.resolve(found(url));
  };
  gateway = await startGateway(config(parts, files), { log, metrics, clock: systemClock, importModule });
  return gateway;
}

const exp = (): number => Math.floor(Date.now() / 1000) + 60;
const token = (): string => jwt.sign({ exp: exp() }, SECRET);
const publish = (name: string, query = `token=${token()}`) =>
  livePublisher(gateway?.addresses['rtmp']?.port ?? 0, `live?${query}`, name);
const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
const RULES = ['verify-token', 'require-transport', 'require-role', 'require-room'];
const START = 'NetStream.Publish.Start';

describe('a gateway that asks a server', () => {
  it('lets in whom the token and the server let in, and asks nobody about bad tokens', async () => {
    await start({ hooks: [...RULES, { name: 'call-http', url: url('/allow') }] });
    expect((await publish('cam')).codes).toContain(START);
    expect(JSON.parse(server.heard[0]?.body ?? '')).toMatchObject({ action: 'publish', path: 'live/cam' });
    server.answer = json({ allow: false, code: 'limit-rate' });
    expect((await publish('other')).codes).toContain('NetStream.Publish.BadName');
    expect((await publish('bad', 'token=a.b.c')).codes).toContain('NetConnection.Connect.Rejected');
    expect(server.heard).toHaveLength(2);
    expect(metrics.render()).toContain('portcullis_hook_calls_total{hook="call-http",outcome="no"} 1');
  });

  it('keeps a breaker over a reload that does not concern it', async () => {
    const hooks = [...RULES, { name: 'call-http', url: url('/allow'), breakerFailures: 1 }];
    const running = await start({ hooks });
    server.answer = json({}, 500);
    expect((await publish('cam')).codes).not.toContain(START);
    server.answer = json({ allow: true });
    await running.reload(config({ hooks, limits: { perAddress: 99 } }));
    expect((await publish('cam')).codes).not.toContain(START);
    expect(server.heard).toHaveLength(1);
    await running.reload(config({ hooks: [...RULES, { name: 'call-http', url: url('/other') }] }));
    expect((await publish('cam')).codes).toContain(START);
  });

  it('speaks Red5’s round trip for clients that have a login and no token, and says when the publisher is gone', async () => {
    server.answer = (response, heard) => json({ result: heard.body.includes('"password":"right"') })(response);
    const call = { name: 'call-http', form: 'round-trip', url: url('/validate'), invalidateUrl: url('/invalidate') };
    await start({ hooks: [call] });
    expect((await publish('cam', 'username=anna&password=wrong')).codes).not.toContain(START);
    const publisher = await publish('cam', 'username=anna&password=right');
    expect(publisher.codes).toContain(START);
    // Told before the gateway is gone, though nobody waits for the answer.
    await gateway?.stop();
    const asked = { username: 'anna', password: 'right', token: '', type: 'publisher', streamID: 'cam' };
    expect(server.heard.slice(1).map((one) => [one.url, JSON.parse(one.body) as unknown])).toEqual([
      ['/validate', asked],
      ['/invalidate', asked],
    ]);
  });
});

describe('a gateway with a module of the operator', () => {
  const hooks = [...RULES, { name: 'module', id: 'mine', file: 'my.mjs', options: { names: ['cam'] } }];
  const exportsOf = () => ({
    createHook: ({ names }: { names: readonly string[] }) => ({
      actions: ['publish'],
      decide: (request: { target: { name: string } }) => ({ allow: names.includes(request.target.name) }),
    }),
  });

  it('asks it, and loads it anew only when its file or entry has changed', async () => {
    modules = [exportsOf, exportsOf];
    const running = await start({ hooks }, { 'my.mjs': 'one' });
    expect((await publish('cam')).codes).toContain(START);
    expect((await publish('other')).codes).toContain('NetStream.Publish.BadName');
    await running.reload(config({ hooks }, { 'my.mjs': 'one' }));
    expect(imported).toHaveLength(1);
    await running.reload(config({ hooks }, { 'my.mjs': 'two' }));
    expect(imported).toHaveLength(2);
    expect(imported[0]).toMatch(/^file:\/\/.*\/my\.mjs\?[0-9a-f]{16}$/);
    expect(imported[0]).not.toBe(imported[1]);
  });

  it.each<[string, readonly ((url: string) => unknown)[], string]>([
    ['does not load', [], 'cannot be loaded: it is not JavaScript'],
    ['has no decide', [() => ({})], 'has no decide'],
  ])('does not start with one that %s, and says why', async (_, exported, why) => {
    modules = [...exported];
    const starting = start({ hooks }, { 'my.mjs': 'one' });
    await expect(starting).rejects.toThrow(GatewayError);
    await expect(starting).rejects.toMatchObject({ code: 'config-hooks', message: expect.stringContaining(why) });
    await expect(starting).rejects.toThrow('hooks (mine)');
  });

  it('stays as it is when a reload names one that cannot be used', async () => {
    modules = [exportsOf];
    const running = await start({ hooks }, { 'my.mjs': 'one' });
    await expect(running.reload(config({ hooks }, { 'my.mjs': 'broken' }))).rejects.toThrow('cannot be loaded');
    expect((await publish('cam')).codes).toContain(START);
    expect((await publish('other')).codes).toContain('NetStream.Publish.BadName');
  });
});

describe('secrets in the options of a module', () => {
  const [byFile, inPlace] = ['canary of the file', 'canary-in-its-place'];
  const options = { key: { file: 'key' }, other: inPlace, zone: 'UTC', from: 9 };
  const parts = {
    hooks: [...RULES, { name: 'module', id: 'mine', file: 'my.mjs', options }],
    listen: { rtmp: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } },
  };
  type Options = { readonly key: string; readonly other: string };
  type Tools = { readonly log: (fields: object) => void };
  const deep = ({ key, other }: Options) =>
    Object.assign(new Error(`fetch failed: ${key}`, { cause: new Error(`of ${other}`) }), {
      code: `E ${key}`,
      name: other,
    });
  const talkative =
    (seen: unknown[] = []) =>
    () => ({
      createHook: (given: Options, tools: Tools) => {
        seen.push(given);
        tools.log({ note: `made with ${given.key}`, [given.key]: 1, list: [{ given }] });
        return {
          decide({ target, action }: { target: { name: string }; action: string }) {
            if (action === 'connect') return { allow: true };
            if (target.name === 'throws') throw deep(given);
            if (target.name === 'text') return Promise.reject(Object.assign(new Error(), { message: given.key }));
            return { allow: false, detail: `${'x'.repeat(190)} ${given.key} ${given.other}` };
          },
        };
      },
    });

  it('reach the module, and never the log, an answer of the admin API or an event', async () => {
    const seen: unknown[] = [];
    modules = [talkative(seen)];
    await start(parts, { 'my.mjs': 'one', key: byFile });
    expect(seen).toEqual([{ key: byFile, other: inPlace, zone: 'UTC', from: 9 }]);
    for (const name of ['throws', 'text', 'says-no']) expect((await publish(name)).codes).not.toContain(START);
    const at = `http://127.0.0.1:${gateway?.addresses['admin']?.port ?? 0}/api/v1`;
    const answers = await Promise.all(['/config', '/decisions'].map(async (path) => (await fetch(at + path)).text()));
    expect(answers[0]).toMatch(/"zone":"secret:[0-9a-f]{8}","from":9/);
    expect(answers[1]).toContain('hook-denied');
    const log = written.join('');
    expect(log).toContain(`fetch failed: ${new Secret(byFile).toString()}`);
    expect(log).toContain(`made with ${new Secret(byFile).toString()}`);
    expect(log + answers.join()).not.toMatch(/canary/);
  });

  it('are not in what the start says of a module that throws them', async () => {
    modules = [
      () => ({
        createHook: (given: Options) => {
          throw deep(given);
        },
      }),
    ];
    const starting = start(parts, { 'my.mjs': 'one', key: byFile });
    const message = await starting.catch((error: unknown) => inspect(error, { depth: 9 }));
    expect(message).toContain('createHook that threw: fetch failed: secret:');
    expect(message).not.toContain('canary');
  });

  it('are read again at a reload', async () => {
    const seen: unknown[] = [];
    modules = [talkative(seen), talkative(seen)];
    const running = await start(parts, { 'my.mjs': 'one', key: byFile });
    await running.reload(config(parts, { 'my.mjs': 'one', key: byFile }));
    expect(seen).toHaveLength(1);
    await running.reload(config(parts, { 'my.mjs': 'one', key: 'canary that is new' }));
    expect(seen).toMatchObject([{ key: byFile }, { key: 'canary that is new' }]);
  });
});

describe('a gateway whose keys are at a URL', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' };
  const signed = (): string => `token=${jwt.sign({ exp: exp() }, rsa.privateKey, { algorithm: 'RS256', keyid: 'k1' })}`;
  const parts = () => ({
    auth: { keys: [{ id: 'idp', jwksUrl: url('/jwks'), cooldownSeconds: 0.05, refreshSeconds: 1 }] },
    listen: { rtmp: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } },
  });
  const ready = async (): Promise<string> => {
    const reply = await fetch(`http://127.0.0.1:${gateway?.addresses['admin']?.port ?? 0}/readyz`);
    return `${reply.status} ${(await reply.text()).trim()}`;
  };

  it('has them before it takes its first client', async () => {
    server.answer = json({ keys: [jwk] });
    await start(parts());
    expect(await ready()).toBe('200 ok');
    expect((await publish('cam', signed())).codes).toContain(START);
  });

  it('starts without them, says that it is not ready, and gets them when the server is back', async () => {
    server.answer = json({}, 503);
    await start(parts());
    expect(await ready()).toBe('503 no key to check tokens with could be fetched');
    expect((await publish('cam', signed())).codes).toContain('NetConnection.Connect.Failed');
    server.answer = json({ keys: [jwk] });
    await eventually(() => metrics.render().includes('portcullis_key_set_keys{key="idp"} 1'));
    expect(await ready()).toBe('200 ok');
    expect((await publish('cam', signed())).codes).toContain(START);
  });

  it('fetches no more what a reload has taken out', async () => {
    server.answer = json({ keys: [jwk] });
    const running = await start(parts());
    await running.reload(config({ auth: { keys: [{ id: 'main', secret: { value: SECRET } }] } }));
    expect(metrics.render()).not.toContain('portcullis_key_set_keys{');
    const { length } = server.heard;
    await new Promise((done) => systemClock.after(1200, () => done(undefined)));
    expect(server.heard).toHaveLength(length);
    expect((await publish('cam', signed())).codes).toContain('NetConnection.Connect.Rejected');
  });
});
