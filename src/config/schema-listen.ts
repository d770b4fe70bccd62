import { z } from 'zod';
import { count, fileRef, host, ipAddress, networks, port, secretRef } from './schema-fields.js';

const listenHost = () => host().default('0.0.0.0').describe('Address to listen on; `::` is all of IPv6 and IPv4.');

const proxyProtocol = () =>
  z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe(
      "Whether the header of the PROXY protocol (1 or 2), before TLS, tells the client's address; only `listen.trustedProxies` may send one. `required`: whoever sends none is cut.",
    );

const forwarded = (description: string) =>
  z.enum(['off', 'x-forwarded-for', 'forwarded']).default('off').describe(description);

/** Base of the URLs that clients are given: scheme, host, port, path. */
export const PUBLIC_URL =
  /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]{1,128}){0,16}\/?$/;

/** The origin of the dashboard as a policy of a browser can name it: a name or an IPv4 address, no path. @see CSP3 §2.3.1 */
export const ADMIN_URL = /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?\/?$/;

/** `off`, or the first and last of a range. */
export const UDP_PORTS = /^(?:off|(\d{1,5})-(\d{1,5}))$/;

const httpListener = (defaultPort: number, description: string) =>
  z
    .strictObject({
      host: listenHost(),
      port: port().default(defaultPort).describe('TCP port; 0 lets the system choose one.'),
      proxyProtocol: proxyProtocol(),
      forwarded: forwarded(
        "The header by which `listen.trustedProxies` tell the client's address; it must be the one that they set. `x-forwarded-for` reads `X-Forwarded-Proto` and `-Host` too, `forwarded` is RFC 7239.",
      ),
      publicUrl: z
        .string()
        .regex(PUBLIC_URL, {
          error: 'is not a base URL; expected https://host:port or https://host/path, without user or query',
        })
        .optional()
        .describe(
          'Where clients reach it, when that is not the host they name in their request: behind a reverse proxy, with the path that the proxy cuts off.',
        ),
      pages: z
        .boolean()
        .default(false)
        .describe('Serve a page to publish (`/publish`) and one to watch (`/watch`) from a browser.'),
    })
    .optional()
    .describe(description);

const iceServerSchema = z.strictObject({
  url: z
    .string()
    .regex(
      /^(?:stuns?|turns?):(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?$/,
      {
        error: 'is not an ICE server; expected stun:host:port or turn:host:port?transport=udp',
      },
    )
    .describe('`stun:host:port` or `turn:host:port?transport=udp`.'),
  username: z
    .string()
    .regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,256}$/, { error: 'does not fit in a header' })
    .optional()
    .describe('Name for TURN.'),
  credential: secretRef().optional().describe('Password for TURN; only shown to clients whose token is good.'),
});

/** `listen`: what is not named here is not opened. */
export const listenSchema = z
  .strictObject({
    trustedProxies: networks()
      .default([])
      .describe(
        "Addresses and networks of the proxies that are believed when they tell the client's address: by `proxyProtocol` and `forwarded` of the listeners.",
      ),
    rtmp: z
      .strictObject({
        host: listenHost(),
        port: port().default(1935).describe('TCP port; 0 lets the system choose one.'),
        proxyProtocol: proxyProtocol(),
      })
      .optional()
      .describe('RTMP in the clear.'),
    rtmps: z
      .strictObject({
        host: listenHost(),
        port: port().default(8443).describe('TCP port; 0 lets the system choose one.'),
        proxyProtocol: proxyProtocol(),
      })
      .optional()
      .describe('RTMP inside TLS; needs `tls.certificates`.'),
    rtsp: z
      .strictObject({
        host: listenHost(),
        port: port().default(8554).describe('TCP port; 0 lets the system choose one.'),
        proxyProtocol: proxyProtocol(),
        udpPorts: z
          .string()
          .regex(UDP_PORTS, { error: 'is not a range of ports; expected 20000-20999, or off' })
          .default('off')
          .describe(
            'UDP ports for media of clients that want it so, two a track, such as `20000-20999`. `off`: such clients are told to use the TCP connection.',
          ),
      })
      .optional()
      .describe('RTSP in the clear.'),
    rtsps: z
      .strictObject({
        host: listenHost(),
        port: port().default(8555).describe('TCP port; 0 lets the system choose one.'),
        proxyProtocol: proxyProtocol(),
      })
      .optional()
      .describe('RTSP inside TLS, media too; needs `tls.certificates`.'),
    http: httpListener(
      5080,
      'WHIP and WHEP by HTTP in the clear: for a reverse proxy that speaks TLS, and for a laptop.',
    ),
    https: httpListener(5443, 'WHIP and WHEP by HTTPS; needs `tls.certificates`.'),
    media: z
      .strictObject({
        host: listenHost(),
        port: port().default(8189).describe('UDP port, for all sessions; 0 lets the system choose one.'),
        publicAddresses: z
          .array(ipAddress())
          .max(8)
          .default([])
          .describe('The IP addresses at which clients reach this port; needed unless `host` is one of its own.'),
        iceServers: z
          .array(iceServerSchema)
          .max(8)
          .default([])
          .describe(
            'STUN and TURN servers that clients are told to use; seldom needed, since this port has a public address.',
          ),
      })
      .optional()
      .describe('Media of WebRTC; needed by `listen.http` and `listen.https` unless all origins have `media: direct`.'),
    admin: z
      .strictObject({
        host: host().default('127.0.0.1').describe('Address to listen on; beyond loopback a token is needed.'),
        port: port().default(9090).describe('TCP port; 0 lets the system choose one.'),
        token: secretRef().optional().describe('What clients must send as `Authorization: Bearer …`.'),
        forwarded: forwarded(
          "The header by which `listen.trustedProxies` tell the operator's address, for the log and for `admin.failuresPerAddress`.",
        ),
        publicUrl: z
          .string()
          .regex(ADMIN_URL, {
            error: 'is not the address of a dashboard; expected https://host or http://host:port, without path',
          })
          .optional()
          .describe(
            'Where browsers reach the dashboard, when that is neither `host` and `port` nor loopback at `port`: behind a proxy, or by a tunnel from another port. Pages from there may show the pictures of its wall.',
          ),
      })
      .optional()
      .describe('HTTP for operators: `/metrics`, `/livez`, `/readyz`, the admin API, live events and the dashboard.'),
  })
  .prefault({})
  .describe('The listeners. One that is not named is not opened; at least one for media must be.');

/** `tls`: the certificates of all TLS listeners. */
export const tlsSchema = z
  .strictObject({
    certificates: z
      .array(
        z.strictObject({
          cert: fileRef().describe('The certificate with its chain, in PEM.'),
          key: fileRef().describe('The private key of the certificate, in PEM.'),
          serverNames: z
            .array(
              z.string().regex(/^(?:\*\.)?[A-Za-z0-9.-]{1,253}$/, {
                error: 'is not a server name; expected a name like media.example.com or *.example.com',
              }),
            )
            .default([])
            .describe('The names (SNI) for which it is shown; empty: the names in the certificate.'),
        }),
      )
      .max(64)
      .default([])
      .describe('Certificates; the first is shown to clients that ask for no name or an unknown one.'),
    clientCertificates: z
      .strictObject({
        ca: fileRef().describe('The authorities that sign the certificates of clients, in PEM.'),
        mode: z
          .enum(['required', 'optional'])
          .default('required')
          .describe('`required`: who shows none is refused; `optional`: only who shows a bad one.'),
      })
      .optional()
      .describe(
        'Ask clients for certificates, at all TLS listeners. It comes before the law and replaces none of it: tokens are needed as ever.',
      ),
  })
  .prefault({})
  .describe('TLS for the listeners whose name ends in `s`.');

/** `admin`: what the operator listener answers. */
export const adminSchema = z
  .strictObject({
    openPaths: z
      .array(z.enum(['/livez', '/readyz', '/metrics']))
      .default(['/livez', '/readyz'])
      .describe('Paths that are answered without the token, for probes; `/readyz` then keeps its reasons to itself.'),
    failuresPerAddress: count()
      .default(20)
      .describe(
        'Wrong tokens from one address within a minute after which none from there is looked at until that minute is over. `listen.trustedProxies` never wait. 0: nobody does.',
      ),
  })
  .prefault({})
  .describe('The operator listener opened by `listen.admin`.');
