import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { openCollector } from '../fakes/collector.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { folder } from './peers/place.js';
import { token } from './peers/tokens.js';

const password = 'canary-password-5a0f';
/** What a module of hooks has in its options, as it stands and by a file. */
const options = ['canary-option-77c1', 'canary-option-of-a-file-d20e'] as const;

/** A module that fails outside of every call, with the token in its hands, when a stream is called after a way to fail. */
const MODULE = `
export function createHook(options, tools) {
  tools.log({ note: 'made with ' + Object.values(options) });
  const shows = (what, jwt) => Object.assign(new Error(what + ' ' + jwt + '\\n ' + jwt, { cause: 'token=' + jwt }), { jwt });
  const own = Object.values(options).map((one) => one + ' ' + Buffer.from(one).toString('base64url'));
  const ways = {
    throw: (jwt) => setImmediate(() => { throw shows('thrown ' + own, jwt); }),
    text: (jwt) => setImmediate(() => { throw 'text ' + own + ' ' + jwt; }),
    reject: (jwt) => void Promise.reject(shows('rejected ' + own, jwt)),
    warn: (jwt) => process.emitWarning('warned ' + own + ' ' + jwt, { type: 'CanaryWarning', detail: jwt }),
    refuse: (jwt) => { throw shows('refused ' + Object.values(options), jwt); },
  };
  return {
    decide({ target, credential }) {
      ways[target.name]?.(credential.token.reveal());
      return { allow: true };
    },
  };
}
`;

const ADMIN_TOKEN = 'Yk3vQz8rT1nLx6wPb0sHd7mFj4cGa9eU';

async function gatewayOf(log: Readonly<Record<string, unknown>> = {}): Promise<{ gateway: Gateway; admin: string }> {
  const file = join(folder, 'canary-hook.mjs');
  writeFileSync(file, MODULE);
  const key = join(folder, 'canary-option');
  writeFileSync(key, options[1]);
  const host = '127.0.0.1';
  const gateway = await startGateway({
    log: { level: 'debug', ...log },
    listen: {
      ...{ rtmp: { host, port: 0 }, rtsp: { host, port: 0 }, http: { host, port: 0 } },
      media: { host, port: 0 },
      admin: { host, port: 0, token: { value: ADMIN_TOKEN } },
    },
    hooks: ['verify-token', { name: 'module', id: 'mine', file, options: { inPlace: options[0], key: { file: key } } }],
    origins: [
      {
        ...{ name: 'gone', preset: 'generic', health: 'off' },
        ...{ rtmp: 'rtmp://127.0.0.1:9', rtsp: 'rtsp://127.0.0.1:9', http: 'http://127.0.0.1:9' },
      },
    ],
  });
  const opened = gateway.lines('listener.open').find((line) => line['listener'] === 'admin');
  return { gateway, admin: `http://127.0.0.1:${Number(opened?.['port'])}` };
}

/** Sends bytes, and gives all that came back. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(text));
    const finish = (): void => {
      socket.destroy();
      resolve(heard);
    };
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      if (heard.includes('\r\n\r\n')) finish();
    });
    socket.on('error', finish).on('close', finish);
  });
}

const describeStream = (gateway: Gateway, name: string, jwt: string): Promise<string> =>
  talk(
    gateway.rtspPort,
    `DESCRIBE rtsp://127.0.0.1:${gateway.rtspPort}/live/${name}?token=${jwt} RTSP/1.0\r\nCSeq: 1\r\n\r\n`,
  );

const asked = async (url: string, init: RequestInit = {}): Promise<string> => {
  const answer = await fetch(url, init);
  return `${JSON.stringify([...answer.headers])} ${await answer.text()}`;
};

/** The token itself, what makes it usable (its signature), and its claims. */
const partsOf = (jwt: string): readonly string[] => [jwt, ...jwt.split('.').slice(1)];

function expectNone(output: string, jwts: readonly string[]): void {
  const encoded = options.map((one) => Buffer.from(one).toString('base64url'));
  for (const part of [...jwts.flatMap(partsOf), password, ADMIN_TOKEN, ...options, ...encoded])
    expect(output.includes(part)).toBe(false);
}

describe('canary tokens', () => {
  it('appear in no line at level debug, no answer of the admin API, no live event, no metric and no trace', async () => {
    const collector = await openCollector();
    const traces = {
      endpoint: `http://127.0.0.1:${collector.port}`,
      headers: [{ name: 'x-key', value: { value: password } }],
    };
    const { gateway, admin } = await gatewayOf({ traces });
    const fine = token({ sub: 'canary', jti: 'j-1' });
    const forged = token({ sub: 'canary' }, 'y'.repeat(40));
    const seen: string[] = [];
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const call = (path: string, body?: unknown): Promise<string> =>
      asked(`${admin}${path}`, {
        headers,
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      });
    const ticket = /"ticket":\s*"([^"]+)"/.exec(await call('/api/v1/events/ticket', {}))?.[1] ?? '';
    const socket = new WebSocket(`${admin.replace('http', 'ws')}/api/v1/events?ticket=${ticket}`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const events: string[] = [];
    socket.on('message', (data: Buffer) => events.push(data.toString()));

    for (const jwt of [fine, forged]) {
      const basic = Buffer.from(`jwt:${jwt}`).toString('base64');
      for (const name of ['cam', 'refuse', 'warn']) seen.push(await describeStream(gateway, name, jwt));
      const start = `DESCRIBE rtsp://127.0.0.1/live/cam RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Basic ${basic}\r\n\r\n`;
      seen.push(await talk(gateway.rtspPort, start));
      seen.push(await talk(gateway.rtspPort, `NONSENSE ${jwt} ${password}\r\n\r\n\r\n`));
      seen.push(await talk(gateway.rtmpPort, `GET /?token=${jwt}&password=${password} HTTP/1.1\r\n\r\n`));
      const whip = { method: 'POST', body: `v=0\r\n${jwt}`, headers: { 'content-type': 'application/sdp' } };
      seen.push(await asked(`${gateway.web}/live/whip/cam?token=${jwt}`, whip));
      const bearer = { ...whip.headers, authorization: `Bearer ${jwt}` };
      seen.push(await asked(`${gateway.web}/live/whep/cam`, { ...whip, headers: bearer }));
      seen.push(await asked(`${gateway.web}/no/such/${jwt}?password=${password}`));
      seen.push(await asked(`${admin}/api/v1/sessions`, { headers: { authorization: `Bearer ${jwt}` } }));
      seen.push(await call(`/api/v1/${jwt}`), await call(`/api/v1/sessions?path=${jwt}`));
      const question = { token: jwt, action: 'publish', transport: 'RTMP', path: 'live/cam' };
      seen.push(
        await call('/api/v1/tokens/why', question),
        await call('/api/v1/tokens/why', { ...question, [jwt]: 1 }),
      );
      seen.push(await call('/api/v1/revocations', { jti: 'j-9', note: jwt }));
    }
    for (const path of ['sessions', 'decisions', 'origins', 'revocations', 'config', 'health', 'openapi.json']) {
      seen.push(await call(`/api/v1/${path}`));
    }
    seen.push(await call('/metrics'), await call('/readyz'));
    await gateway.logs('decision', { outcome: 'no' });
    await gateway.program.says(/CanaryWarning: warned secret:.* \[token\]/);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    expect(await gateway.stop()).toBe(0);
    await closed;
    await collector.close();

    expect(events.length).toBeGreaterThan(4);
    expect(seen.join('\n')).toContain('portcullis_decisions_total');
    expect(gateway.lines('decision').some((line) => line['outcome'] === 'yes')).toBe(true);
    expect(gateway.program.output).toMatch(/made with secret:[^"]*,secret:/);
    expect(gateway.program.output).toMatch(/refused secret:[^"]*,secret:/);
    expect(collector.spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['hook mine', 'subscribe']));
    const traced = collector.calls.map(({ body }) => body);
    expectNone([gateway.program.output, ...seen, ...events, ...traced].join('\n'), [fine, forged]);
  }, 60_000);

  it.each([
    ['throw', /^portcullis: unexpected: thrown secret:[^ ]+ secret:[^ ]+ secret:[^ ]+ \[token\]/m],
    ['text', /^portcullis: unexpected: text secret:[^ ]+ secret:[^ ]+ secret:[^ ]+ \[token\]/m],
    ['reject', /^portcullis: unexpected: rejected secret:[^ ]+ secret:[^ ]+ secret:[^ ]+ \[token\]/m],
  ])(
    'do not appear when the process ends by what a module of hooks did: %s',
    async (way, words) => {
      const { gateway } = await gatewayOf();
      const jwt = token({ sub: 'canary' });
      await describeStream(gateway, way, jwt);
      const { code, stderr } = await gateway.program.ended;
      expect(code).toBe(1);
      expect(stderr).toMatch(words);
      // What had been decided before is in the log all the same.
      expect(gateway.lines('gateway.start')).toHaveLength(1);
      expectNone(gateway.program.output, [jwt]);
    },
    60_000,
  );
});
