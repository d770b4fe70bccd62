import { join } from 'node:path';
import { folder } from './place.js';
import { run } from './program.js';

/** Makes a self-signed certificate for `localhost` and 127.0.0.1. */
export async function makeCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const cert = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const ended = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...[...subject, '-keyout', key, '-out', cert],
  ]);
  if (ended.code !== 0) throw new Error(ended.stderr);
  return { cert, key };
}
