import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { runCheck } from '../../src/cli/check.js';
import { runWhy } from '../../src/cli/token-why.js';
import { json, policyServer, type PolicyServer } from '../hooks/call-http/policy-server.js';
import { configText, fakeIo } from './fake-io.js';

const NOW_S = 1_700_000_000;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' };
const token = jwt.sign({ exp: NOW_S + 300 }, rsa.privateKey, { algorithm: 'RS256', keyid: 'k1' });

let server: PolicyServer;
beforeEach(async () => {
  server = await policyServer(json({ keys: [jwk] }));
});
afterEach(() => server.close());

async function why(args: readonly string[] = [], parts: object = {}) {
  const auth = { keys: [{ id: 'idp', jwksUrl: `http://127.0.0.1:${server.port}/jwks` }] };
  const io = fakeIo({ files: { 'g.yaml': configText({ auth, ...parts }) } });
  const asked = [token, '--config', 'g.yaml', '--action', 'publish', '--path', 'live/cam', ...args];
  return { code: await runWhy(asked, io), out: io.out() };
}

describe('token why, where keys are at a URL', () => {
  it('fetches them as the gateway would', async () => {
    const { code, out } = await why();
    expect(code).toBe(0);
    expect(out).toContain('signed with key "k1"');
    expect(server.heard).toHaveLength(1);
  });

  it('says that they are not here when they were not fetched', async () => {
    const { code, out } = await why(['--offline']);
    expect(code).toBe(1);
    expect(out).toContain('The key set idp is not here: it was not fetched (--offline)');
    expect(server.heard).toEqual([]);
  });

  it.each<[string, PolicyServer['answer'], RegExp]>([
    ['has no answer', json({}, 503), /The key set idp is not here: it answered with status 503/],
    ['answers nonsense', json([]), /The key set idp is not here: no JWK Set/],
    ['hangs up', (response) => response.destroy(), /The key set idp is not here: GET to 127\.0\.0\.1/],
  ])('says so when the server %s', async (_, answer, expected) => {
    server.answer = answer;
    const { code, out } = await why();
    expect(code).toBe(1);
    expect(out).toMatch(expected);
  });
});

describe('token why, where others are asked too', () => {
  const call = { name: 'call-http', id: 'policy', url: 'https://policy.example/' };

  it('names those whose answer only the gateway gets', async () => {
    const rules = ['verify-token', 'require-transport', 'require-role', 'require-room'];
    const { code, out } = await why([], { hooks: [...rules, call] });
    expect(code).toBe(0);
    expect(out).toContain('Not asked here, but by the gateway: call-http (policy)');
  });

  it('does not pretend to know where tokens are not verified', async () => {
    const { code, out } = await why([], { hooks: [call] });
    expect(code).toBe(1);
    expect(out).toMatch(/^unknown: verify-token is not among the hooks\n\nNot asked here.*policy/);
  });
});

describe('check', () => {
  it('names what is fetched and asked, and fetches and asks nothing', async () => {
    const auth = {
      keys: [{ id: 'idp', jwksUrl: `http://127.0.0.1:${server.port}/jwks`, algorithms: ['RS256', 'ES256'] }],
    };
    const hooks = [
      ...['verify-token', 'require-transport', 'require-role', 'require-room'],
      { name: 'call-http', url: `http://127.0.0.1:${server.port}/allow` },
      { name: 'module', id: 'mine', file: 'my.mjs' },
    ];
    const io = fakeIo({ files: { 'g.yaml': configText({ auth, hooks }), 'my.mjs': 'this is no JavaScript' } });
    expect(await runCheck(['--config', 'g.yaml'], io)).toBe(0);
    expect(io.out()).toContain(`idp, RS256 ES256, fetched from http://127.0.0.1:${server.port}\n`);
    expect(io.out()).toContain(`call-http json http://127.0.0.1:${server.port}, module (mine) my.mjs\n`);
    expect(server.connections()).toBe(0);
  });
});
