import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Secret } from '../model/secret.js';
import type {
  AdminEndpoint,
  Certificate,
  ClientCertificates,
  Config,
  HttpEndpoint,
  IceServer,
  MediaEndpoint,
  MediaListener,
  RtspEndpoint,
} from './config.js';
import type { PathStep } from './fault.js';
import { isLoopback } from './resolve-url.js';
import type { Resolving } from './resolving.js';
import type { ConfigInput } from './schema.js';
import { isWildcardHost } from '../wire/wildcard-host.js';
import { UDP_PORTS } from './schema-listen.js';

/** Fewest characters of the token of the operator listener. */
const MIN_ADMIN_TOKEN_LENGTH = 16;

/** Checks that something is opened, and that nothing is opened that must not be. */
export function resolveListen(input: ConfigInput, to: Resolving): Config['listen'] {
  const { rtmp, rtmps, rtsp, rtsps, http, https, media, admin } = input.listen;
  if (MEDIA_LISTENERS.every((name) => input.listen[name] === undefined)) {
    to.fault(
      ['listen'],
      'names no listener for media',
      `expected one of ${MEDIA_LISTENERS.join(', ')}, such as rtmp: {port: 1935}`,
    );
  }
  for (const name of TLS_LISTENERS) {
    if (input.listen[name] === undefined || input.tls.certificates.length > 0) continue;
    to.fault(['listen', name], 'needs a certificate', 'expected tls.certificates with at least one entry');
  }
  samePorts(input.listen, to);
  checkMedia(input, to);
  checkProxies(input.listen, to);
  return {
    ...(rtmp && { rtmp: resolveListener(rtmp) }),
    ...(rtmps && { rtmps: resolveListener(rtmps) }),
    ...(rtsp && { rtsp: resolveRtsp(rtsp, to) }),
    ...(rtsps && { rtsps: resolveListener(rtsps) }),
    ...(http && { http: resolveHttp(http) }),
    ...(https && { https: resolveHttp(https) }),
    ...(media && { media: resolveMedia(media, to) }),
    ...(admin && { admin: resolveAdmin(admin, to) }),
  };
}

const MEDIA_LISTENERS = ['rtmp', 'rtmps', 'rtsp', 'rtsps', 'http', 'https'] as const;
const TLS_LISTENERS = ['rtmps', 'rtsps', 'https'] as const;
const TCP_LISTENERS = [...MEDIA_LISTENERS, 'admin'] as const;

type RtspInput = NonNullable<ConfigInput['listen']['rtsp']>;
type HttpInput = NonNullable<ConfigInput['listen']['http']>;
type MediaInput = NonNullable<ConfigInput['listen']['media']>;

type AdminInput = NonNullable<ConfigInput['listen']['admin']>;
type ListenerInput = NonNullable<ConfigInput['listen']['rtmp']>;

function resolveListener({ host, port, proxyProtocol }: ListenerInput): MediaListener {
  return { host, port, ...(proxyProtocol !== 'off' && { proxyProtocol }) };
}

/** Without anybody who is believed, nobody would get in, or all would look like one client. */
function checkProxies(listen: ConfigInput['listen'], to: Resolving): void {
  const asking = TCP_LISTENERS.flatMap((name): PathStep[][] => {
    const listener = listen[name];
    if (listener === undefined) return [];
    const keys = [
      ...('proxyProtocol' in listener && listener.proxyProtocol !== 'off' ? ['proxyProtocol'] : []),
      ...('forwarded' in listener && listener.forwarded !== 'off' ? ['forwarded'] : []),
    ];
    return keys.map((key) => ['listen', name, key]);
  });
  const trusted = ['listen', 'trustedProxies'];
  if (listen.trustedProxies.length > 0) {
    if (asking.length === 0)
      to.warn(
        trusted,
        'means nothing: no listener has proxyProtocol or forwarded',
        'expected one of them, or no proxies',
      );
    return;
  }
  for (const path of asking)
    to.fault(path, 'believes proxies, but none is trusted', 'expected their addresses in listen.trustedProxies');
}

function resolveRtsp({ udpPorts, ...input }: RtspInput, to: Resolving): RtspEndpoint {
  const [, first, last] = UDP_PORTS.exec(udpPorts)?.map(Number) ?? [];
  const listener = resolveListener(input);
  if (first === undefined || last === undefined || Number.isNaN(first)) return listener;
  const fits = first >= 1 && last <= 65535 && last > first;
  if (!fits)
    to.fault(['listen', 'rtsp', 'udpPorts'], 'is no range of ports', 'expected two of 1 to 65535, the lower first');
  return { ...listener, udpPorts: { first, last } };
}

function resolveHttp({ pages, publicUrl, forwarded, ...input }: HttpInput): HttpEndpoint {
  return {
    ...resolveListener(input),
    pages,
    ...(publicUrl !== undefined && { publicUrl: publicUrl.replace(/\/$/, '') }),
    ...(forwarded !== 'off' && { forwarded }),
  };
}

/** Media through the gateway needs the port it comes in by. */
function checkMedia({ listen, origins }: ConfigInput, to: Resolving): void {
  const isSpoken = listen.http !== undefined || listen.https !== undefined;
  if (
    isSpoken &&
    listen.media === undefined &&
    origins.some((one) => one.http !== undefined && one.media === 'relay')
  ) {
    to.fault(
      ['listen'],
      'has http or https, but no media, through which WebRTC media is relayed',
      'expected media: {publicAddresses: […]}, or origins[].media: direct',
    );
  }
}

function resolveMedia({ host, port, publicAddresses, iceServers }: MediaInput, to: Resolving): MediaEndpoint {
  const path = ['listen', 'media'];
  const addresses =
    publicAddresses.length === 0 && isIP(host) !== 0 && !isWildcardHost(host) ? [host] : publicAddresses;
  if (addresses.length === 0) {
    to.fault(
      [...path, 'publicAddresses'],
      'is empty, and host is no address that clients could be told',
      'expected the IP addresses at which clients reach this machine',
    );
  }
  const resolved = iceServers.map(({ url, username, credential }, index): IceServer => {
    const at = [...path, 'iceServers', index];
    const secret = credential && to.secret([...at, 'credential'], credential);
    if (url.startsWith('turn') !== (username !== undefined && credential !== undefined)) {
      to.fault(at, 'has not what its kind needs', 'expected username and credential for turn, neither for stun');
    }
    if (secret && !/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/.test(secret.reveal())) {
      to.fault([...at, 'credential'], 'does not fit in a header', 'expected visible ASCII without " and \\');
    }
    return { url, ...(username !== undefined && { username }), ...(secret && { credential: secret }) };
  });
  // Some clients take the first address and no other.
  const sorted = [...addresses].sort((a, b) => isIP(a) - isIP(b));
  return { host, port, publicAddresses: sorted, iceServers: resolved };
}

function samePorts(listen: ConfigInput['listen'], to: Resolving): void {
  const names = TCP_LISTENERS.filter((name) => (listen[name]?.port ?? 0) !== 0);
  for (const [index, name] of names.entries()) {
    const twin = names.slice(0, index).find((other) => {
      const [a, b] = [listen[other], listen[name]];
      return a?.port === b?.port && (a?.host === b?.host || isWildcardHost(a?.host) || isWildcardHost(b?.host));
    });
    if (twin !== undefined)
      to.fault(['listen', name, 'port'], `is also the port of listen.${twin}`, 'expected a port of its own');
  }
}

function resolveAdmin(input: AdminInput, to: Resolving): AdminEndpoint {
  const { host, port, forwarded } = input;
  const publicUrl = resolveAdminUrl(input, to);
  const endpoint = {
    ...{ host, port },
    ...(forwarded !== 'off' && { forwarded }),
    ...(publicUrl !== undefined && { publicUrl }),
  };
  if (input.token === undefined) {
    if (!isLoopback({ host })) {
      to.fault(
        ['listen', 'admin'],
        `listens on ${host}, beyond loopback, without a token`,
        'expected token, or host 127.0.0.1',
      );
    }
    return endpoint;
  }
  const path = ['listen', 'admin', 'token'];
  const token = to.secret(path, input.token);
  if (token !== null && !/^[\x21-\x7e]+$/.test(token.reveal())) {
    to.fault(path, 'does not fit in a header', 'expected visible ASCII characters without spaces');
  } else if (token !== null && token.length < MIN_ADMIN_TOKEN_LENGTH) {
    to.fault(path, `has ${token.length} characters`, `expected at least ${MIN_ADMIN_TOKEN_LENGTH}`);
  }
  return { ...endpoint, ...(token && { token }) };
}

/** Reads where browsers reach the dashboard, and writes it as they do: without the port that its scheme has anyway. */
function resolveAdminUrl({ publicUrl, token }: AdminInput, to: Resolving): string | undefined {
  if (publicUrl === undefined) return undefined;
  const path = ['listen', 'admin', 'publicUrl'];
  if (!URL.canParse(publicUrl)) {
    to.fault(path, 'has a port or a host that cannot be', 'expected a port of 1 to 65535');
    return undefined;
  }
  const { origin, hostname } = new URL(publicUrl);
  if (token === undefined && !isLoopback({ host: hostname })) {
    to.fault(path, `is ${hostname}, beyond loopback, without a token`, 'expected listen.admin.token');
  }
  return origin;
}

/** Reads the certificates and checks that each key belongs to its certificate. */
export function resolveTls(input: ConfigInput['tls'], to: Resolving): Config['tls'] {
  const certificates = input.certificates.flatMap((one, index): readonly Certificate[] => {
    const path = ['tls', 'certificates', index];
    const cert = to.text([...path, 'cert'], one.cert);
    const key = to.text([...path, 'key'], one.key);
    if (cert === null || key === null || !fits(cert, key, path, to)) return [];
    const files = {
      ...(one.cert.file !== undefined && { cert: to.pathOf(one.cert.file) }),
      ...(one.key.file !== undefined && { key: to.pathOf(one.key.file) }),
    };
    return [{ cert, key: new Secret(key), serverNames: one.serverNames, files }];
  });
  const clientCertificates = resolveClients(input.clientCertificates, to);
  return { certificates, ...(clientCertificates && { clientCertificates }) };
}

function resolveClients(
  input: ConfigInput['tls']['clientCertificates'],
  to: Resolving,
): ClientCertificates | undefined {
  if (input === undefined) return undefined;
  const { ca: ref, mode } = input;
  const path = ['tls', 'clientCertificates', 'ca'];
  const ca = to.text(path, ref);
  if (ca === null) return undefined;
  if (attempt(() => new X509Certificate(ca)) === undefined) {
    to.fault(path, 'is not a certificate', 'expected PEM: -----BEGIN CERTIFICATE-----');
  }
  return { ca, mode, ...(ref.file !== undefined && { file: to.pathOf(ref.file) }) };
}

function fits(cert: string, key: string, path: readonly PathStep[], to: Resolving): boolean {
  const certificate = attempt(() => new X509Certificate(cert));
  const privateKey = attempt(() => createPrivateKey(key));
  if (certificate === undefined)
    to.fault([...path, 'cert'], 'is not a certificate', 'expected PEM: -----BEGIN CERTIFICATE-----');
  if (privateKey === undefined) {
    to.fault(
      [...path, 'key'],
      'is not a private key, or has a passphrase',
      'expected PEM: -----BEGIN PRIVATE KEY-----',
    );
  }
  if (certificate === undefined || privateKey === undefined) return false;
  if (certificate.checkPrivateKey(privateKey)) return true;
  to.fault([...path, 'key'], 'does not belong to the certificate', 'expected the key the certificate was made for');
  return false;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
