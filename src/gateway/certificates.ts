import { createHash, X509Certificate } from 'node:crypto';
import type { Certificate as ConfigCertificate, Config, Tls } from '../config/config.js';
import { watchUntilSettled } from '../config/file-watch.js';
import type { Clock } from '../model/clock.js';
import { GatewayError } from '../model/errors.js';
import { Secret } from '../model/secret.js';
import type { Log, Metrics } from '../model/telemetry.js';
import { createCertificateChooser, type Certificate, type ClientCertificates } from '../net/certificates.js';
import type { UseCertificates } from '../net/tls.js';

/** How often the files are looked at. */
const LOOK_MS = 5_000;
/** A certificate that ends sooner is warned of. */
const SOON_S = 7 * 86_400;

/** What the certificates are looked after with. */
export interface CertificateCareDeps {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** The bytes of a file; throws the system's error. Absent: files are not looked at again. */
  readonly readFile?: (path: string) => Buffer;
}

/** The certificates of all TLS listeners, from config to config and from file to file. */
export interface CertificateCare {
  /** Tells a listener of every change from now on, until what comes back is called. */
  tell(use: UseCertificates): () => void;
  /** Those of a config as they stand in their files now; those of a config that is not in force as it has them. */
  latest(given: Tls): Tls;
  /** Looks whether those of a config can be used; what comes back puts them in force. Throws GatewayError `certificate-unusable`. */
  prepare(config: Config): () => void;
  stop(): void;
}

/** Takes the certificates of the first config and looks after their files. Throws GatewayError `certificate-unusable`. */
export function createCertificateCare(first: Config, deps: CertificateCareDeps): CertificateCare {
  const { clock, metrics, log } = deps;
  const listeners = new Set<UseCertificates>();
  let given = first.tls;
  let tls = given;
  let stopWatching = (): void => undefined;
  const put = (next: Tls): void => {
    forget(tls, next, deps);
    tls = next;
    for (const use of listeners) use(shownBy(tls), tls.clientCertificates?.ca);
    measure(tls, deps);
  };
  const take = (found: Found): void => {
    const problem = 'problem' in found ? found.problem : problemOf(found.tls);
    if ('tls' in found && problem === undefined) put(found.tls);
    const outcome = problem === undefined ? 'applied' : 'kept-old';
    metrics.count('tls_reloads_total', { outcome });
    metrics.gauge('tls_last_reload_successful', {}, problem === undefined ? 1 : 0);
    const what = problem === undefined ? { expires: tls.certificates.map(expiryText) } : { problem };
    log.write(problem === undefined ? 'info' : 'error', 'certificates.read', { outcome, ...what });
  };
  const begin = (): void => {
    const { readFile } = deps;
    const first: Found = { digest: digestOf(tls), tls };
    const look = (): Found => {
      measure(tls, deps);
      return readFile === undefined ? first : readAgain(tls, readFile);
    };
    const isSame = (one: Found, other: Found): boolean => one.digest === other.digest;
    stopWatching = watchUntilSettled({ clock, everyMs: LOOK_MS, look, isSame, first, onChange: take });
  };
  const prepare = (config: Config): (() => void) => {
    const problem = problemOf(config.tls);
    if (problem !== undefined) throw new GatewayError('certificate-unusable', 'gateway', `tls: ${problem}`);
    return () => {
      stopWatching();
      given = config.tls;
      put(given);
      warn(tls, deps);
      metrics.gauge('tls_last_reload_successful', {}, 1);
      if (tls.certificates.length > 0) begin();
    };
  };
  prepare(first)();
  return {
    tell(use) {
      listeners.add(use);
      return () => void listeners.delete(use);
    },
    latest: (asked) => (asked === given ? tls : asked),
    prepare,
    stop: () => stopWatching(),
  };
}

/** What a TLS listener is opened with. */
export interface ShownCertificates {
  readonly certificates: readonly Certificate[];
  readonly clientCertificates?: ClientCertificates;
}

/** What a config lets TLS listeners show, and what they ask clients for. */
export function shownCertificates(tls: Tls): ShownCertificates {
  const { clientCertificates: clients } = tls;
  const asked = clients && { ca: clients.ca, isRequired: clients.mode === 'required' };
  return { certificates: shownBy(tls), ...(asked && { clientCertificates: asked }) };
}

function shownBy({ certificates }: Tls): readonly Certificate[] {
  return certificates.map(({ cert, key, serverNames }) => ({
    ...{ cert, key: key.reveal() },
    ...(serverNames.length > 0 && { serverNames }),
  }));
}

/** Why these cannot be used; undefined: they can. No key is in it. */
function problemOf(tls: Tls): string | undefined {
  if (tls.certificates.length === 0) return undefined;
  try {
    createCertificateChooser(shownBy(tls), tls.clientCertificates?.ca);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown';
  }
}

/** What stands in the files; certificate and key are replaced one after the other, so it may not fit together. */
type Found = { readonly digest: string } & ({ readonly tls: Tls } | { readonly problem: string });

function readAgain(tls: Tls, readFile: (path: string) => Buffer): Found {
  const text = (path: string | undefined, old: string): string =>
    path === undefined
      ? old
      : readFile(path)
          .toString('utf8')
          .replace(/\r?\n$/, '');
  try {
    const { clientCertificates: clients } = tls;
    const found: Tls = {
      certificates: tls.certificates.map((one) => ({
        ...one,
        cert: text(one.files.cert, one.cert),
        key: new Secret(text(one.files.key, one.key.reveal())),
      })),
      ...(clients && { clientCertificates: { ...clients, ca: text(clients.file, clients.ca) } }),
    };
    return { digest: digestOf(found), tls: found };
  } catch (error) {
    const { code = 'unknown error', path = 'a file' } = error as NodeJS.ErrnoException;
    const problem = `${path} cannot be read: ${code}`;
    return { digest: problem, problem };
  }
}

/** Stands for what is in the files, so that no key need be kept to compare with. */
function digestOf({ certificates, clientCertificates }: Tls): string {
  const hash = createHash('sha256');
  for (const { cert, key } of certificates) hash.update(`${cert}\0${key.reveal()}\0`);
  return hash.update(clientCertificates?.ca ?? '').digest('hex');
}

function expiryMs({ cert }: ConfigCertificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function expiryText(certificate: ConfigCertificate): string {
  return new Date(expiryMs(certificate)).toISOString();
}

function measure({ certificates }: Tls, { metrics, clock }: CertificateCareDeps): void {
  certificates.forEach((certificate, index) => {
    const leftS = Math.round((expiryMs(certificate) - clock.now()) / 1000);
    metrics.gauge('tls_certificate_expiry_seconds', { certificate: String(index + 1) }, leftS);
  });
}

/** What is no more has no time left either. */
function forget(old: Tls, next: Tls, { metrics }: CertificateCareDeps): void {
  for (let index = next.certificates.length; index < old.certificates.length; index += 1) {
    metrics.gauge('tls_certificate_expiry_seconds', { certificate: String(index + 1) }, undefined);
  }
}

function warn({ certificates }: Tls, { log, clock }: CertificateCareDeps): void {
  certificates.forEach((certificate, index) => {
    const leftS = (expiryMs(certificate) - clock.now()) / 1000;
    if (leftS > SOON_S) return;
    const warning = `certificate ${index + 1} ${leftS > 0 ? 'expires' : 'has expired'}: ${expiryText(certificate)}`;
    log.write('warn', 'gateway.warning', { warning });
  });
}
