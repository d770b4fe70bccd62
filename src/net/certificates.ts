import { X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import { asError } from './thrown.js';

/** A certificate with its key, PEM, and the names it is for. */
export interface Certificate {
  /** The chain, leaf first. */
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Lower case, `*.` for one label; without them the certificate's own names count. */
  readonly serverNames?: readonly string[] | undefined;
}

/** Which clients' certificates are asked for. */
export interface ClientCertificates {
  /** The authorities that may have signed them, PEM. */
  readonly ca: string | Buffer;
  /** Whether a client without one is refused; a bad one is refused always. */
  readonly isRequired: boolean;
}

/** TLS 1.3, and of 1.2 what has forward secrecy and authenticated encryption. @see RFC 9325 §4.2 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Finds the context for the name a client asks for; the first certificate where none fits. Never throws. */
export interface CertificateChooser {
  readonly fallback: SecureContext;
  /** What `fallback` is made of, for servers that make their own. */
  readonly settings: SecureContextOptions;
  choose(serverName: string): SecureContext;
}

/**
 * Reads certificates, and the authorities of clients' certificates if any. Throws Error with the number of the one that cannot be used;
 * no key is in the message.
 */
export function createCertificateChooser(
  certificates: readonly Certificate[],
  clientCa?: string | Buffer,
): CertificateChooser {
  if (clientCa !== undefined) checkAuthority(clientCa);
  const byName = new Map<string, SecureContext>();
  let fallback: SecureContext | undefined;
  let settings: SecureContextOptions = {};
  certificates.forEach((certificate, index) => {
    try {
      const { cert, key } = certificate;
      // Node takes empty text for "none", and nobody could shake hands.
      if (cert.length === 0 || key.length === 0) throw new Error('certificate or key is empty');
      const wanted = settingsOf({ cert, key }, clientCa);
      const context = createSecureContext(wanted);
      if (fallback === undefined) settings = wanted;
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
    settings,
    choose: (serverName) => {
      const name = serverName.toLowerCase();
      const dot = name.indexOf('.');
      return byName.get(name) ?? (dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined) ?? first;
    },
  };
}

function settingsOf(
  pair: { readonly cert: string | Buffer; readonly key: string | Buffer },
  ca: string | Buffer | undefined,
): SecureContextOptions {
  return { ...pair, minVersion: 'TLSv1.2', ciphers: CIPHERS, honorCipherOrder: true, ...(ca !== undefined && { ca }) };
}

/** OpenSSL takes nonsense for no authority at all, and would refuse everybody without a word. */
function checkAuthority(clientCa: string | Buffer): void {
  try {
    new X509Certificate(clientCa);
  } catch (cause) {
    throw new Error(`the authority of clients' certificates cannot be used: ${asError(cause).message}`, { cause });
  }
}

/** What a server is told of clients' certificates; OpenSSL itself refuses who has none and needs one. */
export function askingFor(
  clients: ClientCertificates | undefined,
): Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized'> {
  return { requestCert: clients !== undefined, rejectUnauthorized: clients?.isRequired === true };
}

/** Whether a client that need not show a certificate showed one that nobody known has signed. */
export function showsBadCertificate(secured: TLSSocket, clients: ClientCertificates | undefined): boolean {
  return clients !== undefined && !secured.authorized && secured.getPeerX509Certificate() !== undefined;
}

/** Chooses for Node. Whatever throws here would end the process, so nothing does. @see CVE-2026-21637 */
export function sniCallback(chooser: () => CertificateChooser): NonNullable<TlsOptions['SNICallback']> {
  return (serverName, done) => {
    let context: SecureContext | undefined;
    try {
      context = chooser().choose(serverName);
    } catch {
      // Without one of its own Node shows the first.
    }
    done(null, context);
  };
}

function namesOf(cert: string | Buffer): readonly string[] {
  const names = new X509Certificate(cert).subjectAltName ?? '';
  return names
    .split(', ')
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => entry.slice('DNS:'.length));
}
