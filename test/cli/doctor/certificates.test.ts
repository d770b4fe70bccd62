import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkCertificates } from '../../../src/cli/doctor/certificates.js';
import type { Certificate, Config } from '../../../src/config/config.js';
import { Secret } from '../../../src/model/secret.js';

const DAY_MS = 86_400_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function selfSigned(days: number, kind = ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-doctor-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = ['-subj', '/CN=media.example', '-addext', 'subjectAltName=DNS:media.example,DNS:*.wild.example'];
  const flags = ['-newkey', ...kind, '-nodes', '-days', String(days)];
  execFileSync('openssl', ['req', '-x509', ...flags, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

let good: Pair;
let other: Pair;
let short: Pair;

beforeAll(() => {
  good = selfSigned(90);
  other = selfSigned(90);
  short = selfSigned(90, ['rsa:1024']);
});

function look({ cert, key }: Pair, more: Partial<Certificate> = {}, afterDays = 0) {
  const certificate: Certificate = { cert, key: new Secret(key), serverNames: [], files: { cert: 'a.pem' }, ...more };
  const config = { tls: { certificates: [certificate] }, listen: { rtmps: {} } } as unknown as Config;
  const found = checkCertificates(config, Date.now() + afterDays * DAY_MS);
  expect(JSON.stringify(found)).not.toContain('PRIVATE KEY');
  return found.map(({ verdict, text }) => `${verdict}: ${text}`);
}

describe('the doctor on certificates', () => {
  it('is content with a good one, and tells its names and days', () => {
    expect(look(good)).toEqual([
      expect.stringMatching(/^fine: for media\.example, \*\.wild\.example, (89|90) days left/),
    ]);
  });

  it.each([
    ['its key is of another', () => look({ ...good, key: other.key }), 'fault: its key is another one'],
    ['its key is no key', () => look({ ...good, key: 'nonsense' }), 'fault: its key cannot be read'],
    ['it is no certificate', () => look({ ...good, cert: 'nonsense' }), 'fault: there is none'],
    ['it is cut off', () => look({ ...good, cert: good.cert.replace(/.{60}\n/, '') }), 'fault: it cannot be read'],
    ['its key is short', () => look(short), 'fault: its key has 1024 bits'],
    ['it has expired', () => look(good, {}, 100), 'fault: it expired'],
    ['it expires soon', () => look(good, {}, 80), 'warning: it expires in'],
    ['it is not valid yet', () => look(good, {}, -2), 'fault: it is not valid before'],
    ['it is not for a name', () => look(good, { serverNames: ['x.example'] }), 'warning: it is not for x.example'],
  ])('tells that %s', (_, found, words) => {
    expect(found()[0]).toContain(words);
  });

  it('takes names that the certificate has, wildcards too', () => {
    const serverNames = ['media.example', 'a.wild.example', '*.wild.example'];
    expect(look(good, { serverNames })[0]).toContain('fine');
  });

  it('tells of certificates that nothing shows', () => {
    const config = { tls: { certificates: [{ ...good, key: new Secret(good.key), serverNames: [], files: {} }] } };
    const found = checkCertificates({ ...config, listen: {} } as unknown as Config, Date.now());
    expect(found.map(({ verdict }) => verdict)).toEqual(['fine', 'warning']);
  });
});
