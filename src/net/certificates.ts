import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { asError } from './thrown.js';

/** A certificate with its key, PEM, and the names it is for. */
export interface Certificate {
  /** The chain, leaf first. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Lower case, `*.` for one label; without them the certificate's own names count. */
  readonly serverNames?: readonly string[] | undefined;
}

/** Finds the context for the name a client asks for; the first certificate where none fits. Never throws. */
export interface CertificateChooser {
  readonly fallback: SecureContext;
  choose(serverName: string): SecureContext;
}

/** Reads certificates. Throws Error with the number of the one that cannot be used; no key is in the message. */
export function createCertificateChooser(certificates: readonly Certificate[]): CertificateChooser {
  const byName = new Map<string, SecureContext>();
  let fallback: SecureContext | undefined;
  certificates.forEach((certificate, index) => {
    try {
      const { cert, key } = certificate;
      const context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
      fallback ??= context;
      for (const name of certificate.serverNames ?? namesOf(cert)) {
        const lower = name.toLowerCase();
        if (!byName.has(lower)) byName.set(lower, context);
      }
    } catch (cause) {
      throw new Error(`certificate ${index + 1} cannot be used: ${asError(cause).message}`, { cause });
    }
  });
  if (fallback === undefined) throw new Error('no certificate; TLS needs at least one');
  const first = fallback;
  return {
    fallback: first,
    choose: (serverName) => {
      const name = serverName.toLowerCase();
      const dot = name.indexOf('.');
      return byName.get(name) ?? (dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined) ?? first;
    },
  };
}

function namesOf(cert: string | Buffer): readonly string[] {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  return names
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice('DNS:'.length));
}
