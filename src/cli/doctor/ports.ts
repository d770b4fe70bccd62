import type { Config, MediaEndpoint, PortRange } from '../../config/config.js';
import { isTcpPortServed, probeTcpPort, probeUdpPath, probeUdpPort } from '../../net/port-probe.js';
import { findingsOf, systemCodeOf, type Finding } from './finding.js';

/** How long an answer from this machine itself may take. */
const LOCAL_MS = 1_000;

/** Ports of a range that are tried; the others are like them. */
const MAX_TRIED = 64;

/** What the ports are looked at with. */
export interface PortsOptions {
  /** The gateway runs: its ports must be taken. */
  readonly isRunning: boolean;
  /** Addresses of this machine. */
  readonly ownAddresses: readonly string[];
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Looks at each port that the config names: whether it could be had, or, of a running gateway, whether it answers. */
export async function checkPorts({ listen }: Config, options: PortsOptions): Promise<readonly Finding[]> {
  const { media, rtsp } = listen;
  const tcp = (['rtmp', 'rtmps', 'rtsp', 'rtsps', 'http', 'https', 'admin'] as const).flatMap((name) => {
    const place = listen[name];
    return place === undefined ? [] : [{ name, host: place.host, port: place.port }];
  });
  const findings: Finding[] = [];
  for (const place of tcp) findings.push(await checkTcp(`listen.${place.name}`, place, options.isRunning));
  if (rtsp?.udpPorts !== undefined) findings.push(await checkRange(rtsp.host, rtsp.udpPorts, options.isRunning));
  if (media !== undefined) findings.push(...(await checkMedia(media, options)));
  return findings;
}

async function checkTcp(about: string, place: Place, isRunning: boolean): Promise<Finding> {
  const { fine, skipped, fault } = findingsOf('port', about);
  const where = `TCP ${place.host} port ${place.port}`;
  if (place.port === 0) return skipped('any free port', 'Name one, or nobody knows where to find it.');
  if (isRunning) {
    const isServed = await isTcpPortServed({ host: reachable(place.host), port: place.port }, LOCAL_MS);
    return isServed
      ? fine(`${where} answers`)
      : fault(`${where}: nobody answers`, 'Does the gateway run? Look at its log.');
  }
  try {
    await probeTcpPort(place);
    return fine(`${where} is free`);
  } catch (error) {
    return taken(about, where, error, `ss -ltnp 'sport = :${place.port}'`);
  }
}

async function checkRange(host: string, { first, last }: PortRange, isRunning: boolean): Promise<Finding> {
  const about = 'listen.rtsp.udpPorts';
  const { fine, skipped, warning } = findingsOf('port', about);
  const where = `UDP ${host} ports ${first} to ${last}`;
  if (isRunning) return skipped(`${where} belong to the gateway that runs`);
  const ports = Array.from({ length: Math.min(MAX_TRIED, last - first + 1) }, (_, index) => first + index);
  const failed: number[] = [];
  for (const port of ports) await probeUdpPort({ host, port }).catch(() => failed.push(port));
  if (failed.length === 0)
    return fine(`${where} are free${ports.length < last - first + 1 ? ' (as far as tried)' : ''}`);
  return warning(
    `${where}: ${failed.length} of ${ports.length} cannot be had, the first is ${failed[0] ?? first}`,
    `Take another range, or see who has it: ss -lunp 'sport = :${failed[0] ?? first}'`,
  );
}

async function checkMedia(
  media: MediaEndpoint,
  { isRunning, ownAddresses }: PortsOptions,
): Promise<readonly Finding[]> {
  const { host, port, publicAddresses } = media;
  const { fine, skipped, fault } = findingsOf('udp', 'listen.media');
  const where = `UDP ${host} port ${port}`;
  const strangers = publicAddresses.map((address) => checkPublicAddress(address, port, ownAddresses));
  if (isRunning) return [skipped(`${where} belongs to the gateway that runs`), ...strangers];
  try {
    const arrived = await probeUdpPath(media, reachable(host), LOCAL_MS);
    const path = arrived
      ? fine(`${where} is free, and a datagram from this machine arrives`)
      : fault(
          `${where}: a datagram from this machine does not arrive`,
          `Let UDP port ${port} in: see nft list ruleset, ufw status.`,
        );
    return [path, ...strangers];
  } catch (error) {
    return [taken('listen.media', where, error, `ss -lunp 'sport = :${port}'`), ...strangers];
  }
}

function checkPublicAddress(address: string, port: number, ownAddresses: readonly string[]): Finding {
  const { fine, warning, skipped } = findingsOf('udp', `listen.media ${address}`);
  if (/^(127\.|::1$)/.test(address)) {
    return warning('clients are told of an address that is their own machine', 'Set listen.media.publicAddresses.');
  }
  if (ownAddresses.includes(address)) {
    const isPrivate = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd]|fe80:)/i.test(address);
    if (!isPrivate) return fine('an address of this machine');
    return warning(
      'a private address: clients from outside do not reach it',
      'Fine for a local network; else set the public one.',
    );
  }
  return skipped(
    'no address of this machine: from here it cannot be told whether it leads here',
    `Forward UDP port ${port} to this machine, and try from outside: nc -u ${address} ${port}, with tcpdump here.`,
  );
}

function taken(about: string, where: string, error: unknown, who: string): Finding {
  const code = systemCodeOf(error) ?? 'unknown';
  const { fault } = findingsOf(about === 'listen.media' ? 'udp' : 'port', about);
  switch (code) {
    case 'EADDRINUSE':
      return fault(`${where} is taken`, `See who has it: ${who}. If that is the gateway itself, use --running.`);
    case 'EACCES':
      return fault(
        `${where} is not allowed to this user`,
        'Ports below 1024 need AmbientCapabilities=CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start.',
      );
    case 'EADDRNOTAVAIL':
      return fault(
        `${where}: this machine has no such address`,
        'See its addresses: ip addr. For all of them: 0.0.0.0 or ::.',
      );
    case 'EAFNOSUPPORT':
      return fault(`${where}: this machine does not speak this kind of address`, 'Is IPv6 off? Listen at 0.0.0.0.');
    default:
      return fault(`${where} cannot be had (${code})`, "The code is the system's: see man 2 bind.");
  }
}

/** Where to find on this machine what listens at all of its addresses. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
