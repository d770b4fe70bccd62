import type { GatewayError } from '../../src/model/errors.js';
import type { OpenUdp, UdpOptions, UdpPort } from '../../src/net/udp.js';

/** A datagram that has arrived. */
export interface Arrived {
  readonly bytes: Buffer;
  readonly port: number;
  readonly host: string;
}

/** A host of the test on the network. */
export interface FakePeer {
  readonly host: string;
  readonly port: number;
  /** What has arrived and has not been taken. */
  readonly inbox: Arrived[];
  /** Called for each arrival instead of putting it into the inbox. */
  onDatagram: ((arrived: Arrived) => void) | undefined;
  send(bytes: Buffer, port: number, host: string): void;
  /** Its process has died: its system answers in its place. */
  die(): void;
  /** Takes all that has arrived. */
  take(): Arrived[];
}

/** A network without sockets: datagrams wait until `settle()` carries them. */
export interface FakeNetwork {
  readonly open: OpenUdp;
  /** Ports of the gateway that are open. */
  readonly gatewayPorts: readonly UdpPort[];
  peer(host: string, port: number): FakePeer;
  /** Carries everything, and what it leads to. */
  settle(): void;
  /** Datagrams from or to this host get lost from now on; the function that comes back ends that. */
  cut(host: string): () => void;
  /** Everything that has been carried so far. */
  readonly carried: { readonly from: string; readonly to: string; readonly bytes: Buffer }[];
  /** The port of the gateway that was opened last has a fault. */
  fault(error: Error): void;
  /** Somebody says to the port that was opened last that nobody is at the address it is pinned to. */
  refuse(): void;
  /** The next `open` fails with this. */
  failNextOpen(error: GatewayError): void;
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly receive: (arrived: Arrived) => void;
  /** Nobody has the address that it sent to. */
  readonly refuse?: () => void;
}

/** The gateway's addresses, where it has bound a wildcard. */
export const GATEWAY_IPV4 = '203.0.113.7';
export const GATEWAY_IPV6 = '2001:db8::7';

/** Makes one. */
export function fakeNetwork(): FakeNetwork {
  const endpoints = new Map<string, Endpoint>();
  const gatewayPorts: UdpPort[] = [];
  const queue: { readonly from: Endpoint; readonly bytes: Buffer; readonly port: number; readonly host: string }[] = [];
  const carried: { from: string; to: string; bytes: Buffer }[] = [];
  const cuts = new Set<string>();
  let tellFault: (error: Error) => void = () => undefined;
  let tellRefusal: () => void = () => undefined;
  let nextPort = 40000;
  let failure: GatewayError | undefined;
  const keyOf = (host: string, port: number) => `${host} ${port}`;

  const open = (options: UdpOptions): UdpPort => {
    const host = options.host === '0.0.0.0' ? GATEWAY_IPV4 : options.host === '::' ? GATEWAY_IPV6 : options.host;
    const port = options.port === 0 ? nextPort++ : options.port;
    let pinned: string | undefined;
    const endpoint: Endpoint = {
      host,
      port,
      refuse: () => {
        if (pinned !== undefined) options.onRefused?.();
      },
      receive: (arrived) => {
        if (pinned !== undefined && pinned !== keyOf(arrived.host, arrived.port)) return;
        try {
          options.onDatagram(arrived.bytes, arrived.port, arrived.host);
        } catch (error) {
          options.onError(error as Error);
        }
      },
    };
    tellFault = options.onError;
    tellRefusal = () => endpoint.refuse?.();
    const failed = failure;
    failure = undefined;
    if (failed === undefined) endpoints.set(keyOf(host, port), endpoint);
    else options.onError(failed);
    let isClosed = false;
    const made: UdpPort = {
      ready: failed === undefined ? Promise.resolve() : Promise.reject(failed),
      host: options.host,
      port,
      send: (bytes, toPort, toHost) => {
        if (isClosed) return false;
        if (pinned !== undefined && pinned !== keyOf(toHost, toPort)) return false;
        queue.push({ from: endpoint, bytes: Buffer.from(bytes), port: toPort, host: toHost });
        return true;
      },
      pin: (toPort, toHost) => {
        pinned = keyOf(toHost, toPort);
        return true;
      },
      close: () => {
        isClosed = true;
        endpoints.delete(keyOf(host, port));
        if (gatewayPorts.includes(made)) gatewayPorts.splice(gatewayPorts.indexOf(made), 1);
      },
    };
    made.ready.catch(() => undefined);
    gatewayPorts.push(made);
    return made;
  };

  return {
    open,
    gatewayPorts,
    carried,
    peer(host, port) {
      const inbox: Arrived[] = [];
      const peer: FakePeer = {
        host,
        port,
        inbox,
        onDatagram: undefined,
        send: (bytes, toPort, toHost) =>
          void queue.push({ from: endpoint, bytes: Buffer.from(bytes), port: toPort, host: toHost }),
        die: () => void endpoints.delete(keyOf(host, port)),
        take: () => inbox.splice(0),
      };
      const endpoint: Endpoint = {
        host,
        port,
        receive: (arrived) => (peer.onDatagram === undefined ? inbox.push(arrived) : peer.onDatagram(arrived)),
      };
      endpoints.set(keyOf(host, port), endpoint);
      return peer;
    },
    settle() {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        if (cuts.has(one.host) || cuts.has(one.from.host)) continue;
        const { from, bytes } = one;
        carried.push({ from: keyOf(from.host, from.port), to: keyOf(one.host, one.port), bytes });
        const to = endpoints.get(keyOf(one.host, one.port));
        if (to === undefined) from.refuse?.();
        else to.receive({ bytes, port: from.port, host: from.host });
      }
    },
    cut(host) {
      cuts.add(host);
      return () => void cuts.delete(host);
    },
    fault: (error) => tellFault(error),
    refuse: () => tellRefusal(),
    failNextOpen(error) {
      failure = error;
    },
  };
}
