import { createServer, type Server } from 'node:http';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { makeCertificate } from './peers/certificate.js';
import { makeSample, play, publish } from './peers/ffmpeg.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds, prometheus, type Peer } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { folder, freePort } from './peers/place.js';
import { run } from './peers/program.js';
import { rulesFile, startPrometheus, type Prometheus } from './peers/prometheus.js';
import { token } from './peers/tokens.js';

const NEEDED: readonly Peer[] = ['Prometheus'];
const WITH_TRAFFIC: readonly Peer[] = ['Prometheus', 'ffmpeg', 'nginx', 'openssl'];
const ADMIN_TOKEN = 'the-admin-token-of-the-prometheus-test';
const casesFile = join(__dirname, 'peers', 'alerts.test.yaml');

interface Case {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
}
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(readFileSync(join(__dirname, '../../config/grafana/portcullis.json'), 'utf8')) as {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
};
const drawn = panels.flatMap(({ targets = [] }) => targets);

/** What Grafana puts in. */
const filled = (expr: string) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');

/** The series that an expression reads, without what it does with them. */
const selectors = (expr: string) => [...expr.matchAll(/\b(?:portcullis_\w+|up)(?:\{[^}]*\})?/g)].map(([one]) => one);

describe('the alert rules', () => {
  itNeeds(NEEDED, 'pass promtool check rules', async () => {
    const { code, stdout } = await run(`${prometheus ?? ''}promtool`, ['check', 'rules', rulesFile]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`SUCCESS: ${rules.length} rules found`)]);
  });

  it('have a case each in which they fire, and one in which they do not', () => {
    const cases = (parse(readFileSync(casesFile, 'utf8')) as { readonly tests: readonly Case[] }).tests.flatMap(
      (one) => one.alert_rule_test,
    );
    const names = (fires: boolean) =>
      cases.filter(({ exp_alerts: alerts = [] }) => alerts.length > 0 === fires).map(({ alertname }) => alertname);
    const all = rules.map(({ alert }) => alert).sort();
    expect([...new Set(names(true))].sort()).toEqual(all);
    expect([...new Set(names(false))].sort()).toEqual(all);
  });

  itNeeds(NEEDED, 'fire and keep still in promtool as the cases say', async () => {
    const { code, stdout, stderr } = await run(`${prometheus ?? ''}promtool`, ['test', 'rules', casesFile]);
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

/** A policy server that knows no answer for the stream `broken`. */
async function startPolicy(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      response.statusCode = body.includes('broken') ? 500 : 200;
      response.setHeader('content-type', 'application/json').end('{"allow":true}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

/** A gateway with something of everything that is counted. */
async function startBusyGateway(originPort: number): Promise<Gateway> {
  const { cert, key } = await makeCertificate();
  const policy = await startPolicy();
  servers.push(policy);
  const web = `http://127.0.0.1:${(policy.address() as AddressInfo).port}`;
  writeFileSync(join(folder, 'revoked.jsonl'), '');
  writeFileSync(
    join(folder, 'hook.mjs'),
    "export const decide = ({ target }) => { if (target.name === 'throws') throw new Error('a bug'); return { allow: true }; };\n",
  );
  process.env['INTEROP_ADMIN_TOKEN'] = ADMIN_TOKEN;
  const local = { host: '127.0.0.1', port: 0 };
  return startGateway({
    listen: {
      rtmp: local,
      rtmps: local,
      http: local,
      media: local,
      admin: { port: 0, token: { env: 'INTEROP_ADMIN_TOKEN' } },
    },
    tls: { certificates: [{ cert: { file: cert }, key: { file: key } }] },
    auth: {
      keys: [
        { id: 'test', secret: { env: 'INTEROP_SECRET' } },
        { id: 'far', jwksUrl: `https://127.0.0.1:${await freePort()}/keys`, algorithms: ['RS256'] },
      ],
      revocations: { file: join(folder, 'revoked.jsonl') },
    },
    hooks: [
      ...['verify-token', 'require-transport', 'require-role', 'require-room'],
      { name: 'module', id: 'own', file: join(folder, 'hook.mjs'), actions: ['publish', 'subscribe'] },
      {
        name: 'call-http',
        url: `${web}/`,
        actions: ['publish', 'subscribe'],
      },
    ],
    origins: [
      // Nobody finds out that this one is gone but the streams that it gets.
      { name: 'gone', preset: 'generic', rtmp: `rtmp://127.0.0.1:${await freePort()}`, http: web, health: 'off' },
      {
        name: 'here',
        preset: 'generic',
        rtmp: `rtmp://127.0.0.1:${originPort}`,
        http: web,
        healthCheck: { intervalSeconds: 1, timeoutSeconds: 1, failures: 2 },
      },
    ],
    limits: { drainTimeoutSeconds: 1, drainSpreadSeconds: 0 },
    log: { maxPerSecond: 20, traces: { endpoint: web } },
  });
}

const portOf = (gateway: Gateway, listener: string) =>
  Number(gateway.lines('listener.open').find((line) => line['listener'] === listener)?.['port']);

/** All that a gateway can go through in some seconds; ends with an origin that dies under a stream. */
async function liveThrough(gateway: Gateway, stopOrigin: () => Promise<void>): Promise<void> {
  const sample = await makeSample(20);
  const url = (path: string, bearer = token()) => gateway.url(`${path}?token=${bearer}`);
  const publisher = publish(sample, url('live/cam'));
  await play(url('live/cam')).pictures(25);
  // Of so many streams some are for the origin that is gone, and fall to the other.
  const refused = ['live/throws', 'live/broken', 'live/one', 'live/two', 'live/three', 'live/four'].map((path) =>
    publish(sample, url(path)),
  );
  await gateway.logs('decision', { path: 'live/throws', outcome: 'no' });
  await gateway.logs('decision', { path: 'live/broken', outcome: 'no' });
  await gateway.logs('session.start', { path: 'live/four' });
  await publish(sample, url('live/forged', token({}, 'some-other-key-of-thirty-two-bytes'))).ended;
  // What is no RTMP, and a datagram of nobody.
  await fetch(`http://127.0.0.1:${gateway.rtmpPort}/`).catch(() => undefined);
  // More of one sort than the log writes.
  const whip = `http://127.0.0.1:${portOf(gateway, 'http')}/live/whip/cam`;
  const flood = Array.from({ length: 60 }, () =>
    fetch(whip, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0\r\n' }),
  );
  await Promise.allSettled(flood);
  await fetch(`http://127.0.0.1:${portOf(gateway, 'admin')}/api/v1/health`, {
    headers: { authorization: 'Bearer guessed' },
  });
  const stranger = createSocket('udp4');
  stranger.send(Buffer.alloc(100, 1), portOf(gateway, 'media'), '127.0.0.1', () => stranger.close());
  await stopOrigin();
  await gateway.logs('session.end', { path: 'live/cam', action: 'publish' });
  await Promise.all([publisher, ...refused].map((one) => one.stop('SIGKILL')));
}

/** Needs DTLS from end to end: test/interop/webrtc-*.test.ts count these. */
const UNSEEN = ['portcullis_media_packets_total'];

describe('Prometheus at a gateway', () => {
  itNeeds(
    WITH_TRAFFIC,
    'finds nothing wrong with a healthy one, and data for each question of the rules and of the dashboard after traffic',
    async () => {
      const nginx = await startNginx();
      const gateway = await startBusyGateway(nginx.port);
      const server = await startPrometheus(portOf(gateway, 'admin'), ADMIN_TOKEN);
      // The certificate of this test is good for two days: with that rule all have been asked.
      const first = await statesWith(server, 'PortcullisCertificateExpires');
      expect(first.filter(([, , state]) => state !== 'inactive')).toEqual([
        ['PortcullisCertificateExpires', 'ok', 'pending'],
      ]);

      await liveThrough(gateway, () => nginx.stop());
      // What a comparison leaves out is no answer either, so of the rules only the series are asked for.
      const series = [...rules, ...drawn].flatMap(({ expr }) => selectors(filled(expr)));
      await hasDataFor(server, [...new Set(series), ...drawn.map(({ expr }) => filled(expr))]);
      const after = await statesWith(server, 'PortcullisOriginDown');
      expect(after.filter(([, health]) => health !== 'ok')).toEqual([]);
      expect(await gateway.stop()).toBe(0);
      await statesWith(server, 'PortcullisDown');
    },
    180_000,
  );
});

/** Waits until there is data for every expression; names those for which there is none. */
async function hasDataFor(server: Prometheus, exprs: readonly string[]): Promise<void> {
  const wanted = exprs.filter((expr) => !UNSEEN.some((name) => expr.includes(name)));
  let missing: readonly string[] = wanted;
  const look = async () => {
    const lengths = await Promise.all(wanted.map(async (expr) => (await server.query(expr)).length));
    missing = wanted.filter((_, index) => lengths[index] === 0);
    return missing.length === 0 ? true : undefined;
  };
  await server.until('data for everything', look).catch((error: unknown) => {
    if (missing.length === 0) throw error;
  });
  expect(missing).toEqual([]);
}

/** Name, health and state of every alert rule, as soon as one of them is about to fire. */
function statesWith(server: Prometheus, alert: string): Promise<readonly (readonly [string, string, string])[]> {
  return server.until(`${alert} pending`, async () => {
    const now = (await server.rules()).map(({ name, health, state }) => [name, health, state] as const);
    return now.some(([name, , state]) => name === alert && state === 'pending') ? now : undefined;
  });
}
