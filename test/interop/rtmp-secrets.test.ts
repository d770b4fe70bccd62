import { describe, expect } from '@jest/globals';
import { makeSample, play, publish } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { startTap } from './peers/tap.js';
import { token } from './peers/tokens.js';

const password = 'canary-password-5a0f';

/** Every way in which ffmpeg can carry a token: where it stands, the path, and options before the URL. */
const carriers: readonly [string, (jwt: string, server: string) => readonly [string, readonly string[]]][] = [
  ['name-query', (jwt) => [`live/cam?token=${jwt}`, []]],
  ['app-query', (jwt) => [`live?username=u&password=${password}&token=${jwt}/cam`, []]],
  ['tcurl-query', (jwt, server) => [`live/cam`, ['-rtmp_tcurl', `${server}?token=${jwt}`]]],
  ['amf-arguments', (jwt) => ['live/cam', ['-rtmp_conn', `S:u S:${password} S:${jwt}`]]],
];

/** The token itself, what makes it usable (its signature), and its claims. */
const partsOf = (jwt: string) => [jwt, ...jwt.split('.').slice(1)];

describe('a canary token', () => {
  for (const [carrier, make] of carriers) {
    itNeeds(['ffmpeg', 'nginx'], `in ${carrier} is taken, and appears in no output and not at the origin`, async () => {
      const nginx = await startNginx();
      const tap = await startTap(nginx.port);
      const gateway = await startGateway({
        origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${tap.port}` }],
      });
      const sample = await makeSample(5);
      const fine = token({ sub: 'canary' });
      const forged = token({ sub: 'canary' }, 'y'.repeat(40));
      const url = (jwt: string) => make(jwt, gateway.url('live'));

      const publisher = publish(sample, gateway.url(url(fine)[0]), url(fine)[1]);
      await gateway.logs('session.start', { action: 'publish', path: 'live/cam' });
      await play(gateway.url(url(fine)[0]), url(fine)[1]).pictures(5);
      await publisher.stop('SIGINT');
      const refused = await publish(sample, gateway.url(url(forged)[0]), url(forged)[1]).ended;
      expect(refused.stderr).toContain('token-signature');
      await gateway.stop();
      await nginx.stop();

      const seen = { output: gateway.program.output, origin: tap.sent().toString('latin1') + nginx.accessLog() };
      for (const part of [...partsOf(fine), ...partsOf(forged), password]) {
        expect(seen.output.includes(part)).toBe(false);
        expect(seen.origin.includes(part)).toBe(false);
      }
      expect(seen.origin).toContain('cam');
      const decisions = gateway.lines('decision');
      expect(decisions.some((line) => line['carrier'] === carrier)).toBe(true);
    });
  }

  itNeeds(['ffmpeg', 'nginx'], 'does reach the origin where the config says forward, and still no output', async () => {
    const nginx = await startNginx();
    const tap = await startTap(nginx.port);
    const credentials = { mode: 'forward', placement: 'query' };
    const gateway = await startGateway({
      origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${tap.port}`, credentials }],
    });
    const fine = token({ sub: 'canary' });
    const publisher = publish(await makeSample(5), gateway.url(`live/cam?evil=1&token=${fine}`));
    await gateway.logs('session.start', { action: 'publish' });
    await publisher.stop('SIGINT');
    await gateway.stop();
    const sent = tap
      .sent()
      .toString('latin1')
      .replace(/[^\x20-\x7e]/g, '');
    expect(sent).toContain('username=jwt&password=jwt&token=');
    expect(sent).not.toContain('evil');
    expect(partsOf(fine).some((part) => gateway.program.output.includes(part))).toBe(false);
  });
});
