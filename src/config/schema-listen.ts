import { z } from 'zod';
import { fileRef, host, port, secretRef } from './schema-fields.js';

const listenHost = () => host().default('0.0.0.0').describe('Address to listen on; `::` is all of IPv6 and IPv4.');

/** `listen`: what is not named here is not opened. */
export const listenSchema = z
  .strictObject({
    rtmp: z
      .strictObject({
        host: listenHost(),
        port: port().default(1935).describe('TCP port; 0 lets the system choose one.'),
      })
      .optional()
      .describe('RTMP in the clear.'),
    rtmps: z
      .strictObject({
        host: listenHost(),
        port: port().default(8443).describe('TCP port; 0 lets the system choose one.'),
      })
      .optional()
      .describe('RTMP inside TLS; needs `tls.certificates`.'),
    admin: z
      .strictObject({
        host: host().default('127.0.0.1').describe('Address to listen on; beyond loopback a token is needed.'),
        port: port().default(9090).describe('TCP port; 0 lets the system choose one.'),
        token: secretRef().optional().describe('What clients must send as `Authorization: Bearer …`.'),
      })
      .optional()
      .describe('HTTP for operators: `/metrics`, `/livez`, `/readyz`.'),
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
  })
  .prefault({})
  .describe('The operator listener opened by `listen.admin`.');
