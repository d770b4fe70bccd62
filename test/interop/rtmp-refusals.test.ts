import { beforeAll, describe, expect } from '@jest/globals';
import jwt from 'jsonwebtoken';
import type { RejectionCode } from '../../src/model/rejection.js';
import { makeSample, play, publish } from './peers/ffmpeg.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { nowS, secret, token } from './peers/tokens.js';

let gateway: Gateway;

beforeAll(async () => {
  const nginx = await startNginx();
  gateway = await startGateway({
    origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${nginx.port}` }],
    auth: {
      keys: [{ id: 'test', secret: { env: 'INTEROP_SECRET' } }],
      issuers: ['https://issuer.example'],
      audiences: ['portcullis'],
      maxTtlMinutes: 60,
    },
  });
});

const good = { iss: 'https://issuer.example', aud: 'portcullis' };
const query = (claims: Readonly<Record<string, unknown>>) => `?token=${token({ ...good, ...claims })}`;

/** Code, what is wrong, and the path with its query that ffmpeg is given. */
const refusals: readonly [RejectionCode, string, () => string][] = [
  ['token-missing', 'no token', () => 'live/cam'],
  ['token-malformed', 'half a token', () => `live/cam${query({})}`.slice(0, -60)],
  [
    'token-algorithm',
    'a token that says HS512',
    () => `live/cam?token=${jwt.sign({ ...good, exp: nowS(60) }, secret, { algorithm: 'HS512' })}`,
  ],
  ['token-signature', 'a token of another secret', () => `live/cam?token=${token(good, 'x'.repeat(40))}`],
  ['token-expired', 'an old token', () => `live/cam${query({ exp: nowS(-5) })}`],
  ['token-not-yet-valid', 'a token of tomorrow', () => `live/cam${query({ nbf: nowS(60) })}`],
  ['token-ttl-exceeded', 'a token for two hours', () => `live/cam${query({ exp: nowS(7200) })}`],
  ['token-issuer', 'a token of another issuer', () => `live/cam${query({ iss: 'https://issuer.example/' })}`],
  ['token-audience', 'a token for somebody else', () => `live/cam${query({ aud: 'else' })}`],
  ['token-conflict', 'two different tokens', () => `live/cam${query({})}&token=${token({ ...good, sub: 'other' })}`],
  ['transport-denied', 'a token for WHIP', () => `live/cam${query({ 'red5-transport': 'WHIP' })}`],
  ['role-denied', "a viewer's token", () => `live/cam${query({ roles: 'red5-subscriber' })}`],
  ['room-denied', 'a token for another room', () => `live/room1/cam${query({ 'red5-room': 'Room1' })}`],
  ['room-denied', 'a token for a room, at the root', () => `live/cam${query({ 'red5-room': 'room1' })}`],
  ['path-invalid', 'a way out of the room', () => `live/room1/../cam${query({})}`],
];

describe('a publisher with ffmpeg', () => {
  for (const [code, what, path] of refusals) {
    itNeeds(['ffmpeg', 'nginx'], `sees ${code} for ${what} and ends`, async () => {
      const startedMs = performance.now();
      const ended = await publish(await makeSample(3), gateway.url(path())).ended;
      expect(ended.stderr).toContain(code);
      expect(ended.code).not.toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(5000);
      await gateway.logs('decision', { code });
    });
  }

  itNeeds(['ffmpeg', 'nginx'], 'sees stream-busy when the name is in use, and the first goes on', async () => {
    const sample = await makeSample(8);
    const url = gateway.url(`live/busy${query({})}`);
    const first = publish(sample, url);
    await gateway.logs('session.start', { path: 'live/busy' });
    const second = await publish(sample, url).ended;
    expect(second.stderr).toContain('stream-busy');
    expect(second.code).not.toBe(0);
    expect((await first.ended).code).toBe(0);
  });
});

describe('a viewer with ffmpeg', () => {
  for (const [code, what, path] of refusals.filter(([one]) => one !== 'role-denied')) {
    itNeeds(['ffmpeg', 'nginx'], `sees ${code} for ${what} and ends`, async () => {
      const ended = await play(gateway.url(path())).program.ended;
      expect(ended.stderr).toContain(code);
      expect(ended.code).not.toBe(0);
    });
  }

  itNeeds(['ffmpeg', 'nginx'], "sees role-denied with a publisher's token and ends", async () => {
    const ended = await play(gateway.url(`live/cam${query({ roles: 'red5-publisher' })}`)).program.ended;
    expect(ended.stderr).toContain('role-denied');
    expect(ended.code).not.toBe(0);
  });
});
