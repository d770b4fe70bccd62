import { describe, expect } from '@jest/globals';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSample, publish } from './peers/ffmpeg.js';
import { startGateway } from './peers/gateway.js';
import { itNeeds } from './peers/needs.js';
import { startNginx } from './peers/nginx.js';
import { folder } from './peers/place.js';
import { run } from './peers/program.js';
import { token } from './peers/tokens.js';

const at = (name: string): string => join(folder, name);
const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function openssl(...args: readonly string[]): Promise<string> {
  const ended = await run('openssl', args);
  if (ended.code !== 0) throw new Error(ended.stderr);
  return ended.stdout;
}

/** A certificate for localhost in `NAME.pem` and `NAME.key`; gives its serial number. */
async function selfSigned(name: string): Promise<string> {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await openssl('req', '-x509', ...ec, '-days', '2', ...names, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  return (await openssl('x509', '-in', at(`${name}.pem`), '-noout', '-serial')).trim();
}

/** An authority, and a certificate for clients that it has signed; gives the part of the config that asks for such. */
async function askForCertificates(): Promise<Readonly<Record<string, unknown>>> {
  await selfSigned('ca');
  writeFileSync(at('ext'), 'extendedKeyUsage=clientAuth\n');
  await openssl('req', ...ec, '-subj', '/CN=encoder', '-keyout', at('encoder.key'), '-out', at('encoder.csr'));
  const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext')];
  await openssl('x509', '-req', '-in', at('encoder.csr'), ...by, '-out', at('encoder.pem'));
  return { clientCertificates: { ca: { file: at('ca.pem') } } };
}

async function stage(more: Readonly<Record<string, unknown>> = {}, originPort = 1) {
  await selfSigned('server');
  return startGateway({
    origins: [{ name: 'nginx', preset: 'nginx-rtmp', rtmp: `rtmp://127.0.0.1:${originPort}` }],
    listen: { rtmps: { host: '127.0.0.1', port: 0 } },
    tls: { certificates: [{ cert: { file: at('server.pem') }, key: { file: at('server.key') } }], ...more },
  });
}

/** What `openssl s_client` says of a handshake. */
const handshake = (port: number, ...args: readonly string[]) =>
  run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', ...args]);

const shown = ['-cert', at('encoder.pem'), '-key', at('encoder.key')];

describe('ffmpeg by RTMPS', () => {
  itNeeds(
    ['ffmpeg', 'nginx', 'openssl'],
    'goes on while the certificate is replaced, which the next client sees',
    async () => {
      const gateway = await stage({}, (await startNginx()).port);
      const publisher = publish(await makeSample(17), gateway.secureUrl(`live/room1/cam?token=${token()}`));
      await gateway.logs('session.start', { action: 'publish' });
      const serial = await selfSigned('next');
      copyFileSync(at('next.key'), at('server.key'));
      copyFileSync(at('next.pem'), at('server.pem'));
      await gateway.logs('certificates.read', { outcome: 'applied' });
      const { stdout } = await handshake(gateway.rtmpsPort, '-showcerts');
      const pem = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/.exec(stdout)?.[0] ?? '';
      writeFileSync(at('seen.pem'), pem);
      expect((await openssl('x509', '-in', at('seen.pem'), '-noout', '-serial')).trim()).toBe(serial);
      expect((await publisher.ended).code).toBe(0);
      await gateway.logs('session.end', { reason: 'client-finished' });
    },
  );

  itNeeds(['ffmpeg', 'nginx', 'openssl'], 'is let in with a certificate only, where one is required', async () => {
    const gateway = await stage(await askForCertificates(), (await startNginx()).port);
    const url = gateway.secureUrl(`live/room1/cam?token=${token()}`);
    const sample = await makeSample(3);
    expect((await publish(sample, url).ended).code).not.toBe(0);
    expect(gateway.lines('decision')).toEqual([]);
    const own = ['-cert_file', at('encoder.pem'), '-key_file', at('encoder.key')];
    expect((await publish(sample, url, own).ended).code).toBe(0);
    await gateway.logs('session.end', { reason: 'client-finished' });
  });
});

describe('openssl s_client', () => {
  itNeeds(['openssl'], 'is refused without a certificate, and heard with one', async () => {
    const gateway = await stage(await askForCertificates());
    for (const version of ['-tls1_2', '-tls1_3']) {
      const without = await handshake(gateway.rtmpsPort, version, '-ign_eof');
      expect(without.stdout + without.stderr).toMatch(/certificate required|handshake failure/);
      const withOne = await handshake(gateway.rtmpsPort, version, ...shown);
      expect(withOne.stderr + withOne.stdout).toMatch(/Cipher is (?:TLS_AES|ECDHE-ECDSA)-?_?/);
      expect(withOne.stderr + withOne.stdout).not.toMatch(/alert/);
    }
  });

  itNeeds(['openssl'], 'gets no answer in an old version', async () => {
    const gateway = await stage();
    for (const version of ['-tls1', '-tls1_1']) {
      const { code } = await handshake(gateway.rtmpsPort, version, '-cipher', 'ALL:@SECLEVEL=0');
      expect(code).not.toBe(0);
    }
  });
});
