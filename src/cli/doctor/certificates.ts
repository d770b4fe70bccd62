import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Certificate, Config } from '../../config/config.js';
import { findingsOf, type Finding } from './finding.js';

const DAY_MS = 86_400_000;
const SOON_DAYS = 21;
const FEW_RSA_BITS = 2048;

const RENEW = 'Renew it; a gateway that runs takes new files by itself.';

/** Looks at each certificate: whether it is one, fits its key, is valid now and for a while, and covers its names. */
export function checkCertificates({ tls, listen }: Config, nowMs: number): readonly Finding[] {
  const isUsed = [listen.rtmps, listen.rtsps, listen.https].some((endpoint) => endpoint !== undefined);
  const { clientCertificates } = tls;
  const unused = findingsOf('certificate', '').warning(
    'there are certificates, but no listener that shows them',
    'Add listen.rtmps, listen.rtsps or listen.https, or take the certificates away.',
  );
  return [
    ...tls.certificates.flatMap((certificate, index) => checkCertificate(certificate, index, nowMs)),
    ...(clientCertificates === undefined ? [] : checkClientCa(clientCertificates.ca, nowMs)),
    ...(tls.certificates.length > 0 && !isUsed ? [unused] : []),
  ];
}

function checkCertificate({ cert, key, serverNames, files }: Certificate, index: number, nowMs: number): Finding[] {
  const make = findingsOf('certificate', files.cert ?? `tls.certificates[${index}]`);
  let chain: readonly X509Certificate[];
  try {
    chain = chainOf(cert);
  } catch {
    return [make.fault('it cannot be read', 'It must be PEM: -----BEGIN CERTIFICATE-----')];
  }
  const [leaf] = chain;
  if (leaf === undefined) return [make.fault('there is none', 'It must be PEM: -----BEGIN CERTIFICATE-----')];
  const found = [
    ...keyFaults(leaf, key.reveal(), make),
    ...timeFaults(leaf, nowMs, make),
    ...serverNames
      .filter((name) => !covers(leaf, name))
      .map((name) => make.warning(`it is not for ${name}`, 'Take another certificate, or that name away.')),
    ...(chain.length === 1 && leaf.issuer !== leaf.subject
      ? [
          make.warning(
            'there is no intermediate certificate behind it',
            'Unless a root that clients know has signed it, many refuse it: use the full chain (fullchain.pem).',
          ),
        ]
      : []),
  ];
  const days = Math.floor((Date.parse(leaf.validTo) - nowMs) / DAY_MS);
  const names = leaf.subjectAltName?.replaceAll('DNS:', '').replaceAll('IP Address:', '') ?? 'no name';
  return found.length > 0 ? found : [make.fine(`for ${names}, ${days} days left, fits its key`)];
}

type Make = ReturnType<typeof findingsOf>;

function keyFaults(leaf: X509Certificate, keyText: string, make: Make): Finding[] {
  try {
    const key = createPrivateKey(keyText);
    if (!leaf.checkPrivateKey(key)) return [make.fault('its key is another one', 'Take the key it was made with.')];
    const bits = leaf.publicKey.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < FEW_RSA_BITS) {
      return [
        make.fault(`its key has ${bits} bits`, `Make one of ECDSA P-256, or of RSA with ${FEW_RSA_BITS} or more.`),
      ];
    }
    return [];
  } catch {
    return [make.fault('its key cannot be read', 'It must be PEM, and not encrypted.')];
  }
}

function timeFaults({ validFrom, validTo }: X509Certificate, nowMs: number, make: Make): Finding[] {
  const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
  if (days < 0) return [make.fault(`it expired ${-days} days ago (${validTo})`, RENEW)];
  if (Date.parse(validFrom) > nowMs) {
    return [make.fault(`it is not valid before ${validFrom}`, 'Wait, or look at the clock of this machine.')];
  }
  return days < SOON_DAYS ? [make.warning(`it expires in ${days} days (${validTo})`, RENEW)] : [];
}

function checkClientCa(ca: string, nowMs: number): readonly Finding[] {
  const make = findingsOf('certificate', 'tls.clientCertificates');
  try {
    const found = chainOf(ca).flatMap((one) => timeFaults(one, nowMs, make));
    return found.length > 0 ? found : [make.fine('the authorities of clients can be read')];
  } catch {
    return [make.fault('it cannot be read', 'It must be PEM: -----BEGIN CERTIFICATE-----')];
  }
}

function covers(leaf: X509Certificate, name: string): boolean {
  // A wildcard is covered by the same wildcard, which stands for any one label.
  return leaf.checkHost(name.replace(/^\*\./, 'any-label.')) !== undefined;
}

function chainOf(pem: string): readonly X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  );
}
