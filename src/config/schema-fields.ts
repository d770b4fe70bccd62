import { isIP } from 'node:net';
import { z } from 'zod';
import { WireError } from '../model/errors.js';
import { MAX_NETWORKS, readNetwork } from '../wire/cidr.js';

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/;

/** A name or address to listen on or to dial, without port. */
export const host = () => z.string().regex(HOST, { error: 'is not a host; expected a host name or an IP address' });

/** An IP address, v4 or v6, and not one that stands for all. */
export const ipAddress = () =>
  z.string().refine((text) => isIP(text) !== 0 && text !== '0.0.0.0' && text !== '::', {
    error: 'is not the address of a machine; expected an IPv4 or IPv6 address',
  });

/** Addresses and networks such as `10.0.0.0/8` or `2001:db8::/32`. */
export const networks = () =>
  z
    .array(
      z.string().check((context) => {
        try {
          readNetwork(context.value);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          const message = `is not a network; expected ${error.message.slice(error.message.indexOf(': ') + 2)}`;
          context.issues.push({ code: 'custom', message, input: context.value });
        }
      }),
    )
    .max(MAX_NETWORKS);

/** A TCP port to listen on; 0 lets the system choose. */
export const port = () => z.int().min(0).max(65535);

/** A span of time in seconds, more than nothing, at most a day; fractions are fine. */
export const seconds = () => z.number().positive().max(86400);

/** A count where 0 stands for "none" or "no limit". */
export const count = () => z.int().min(0).max(10_000_000);

/** A short word that names something: a key, an origin. Goes to logs and metrics. */
export const name = () =>
  z.string().regex(/^[\x21-\x7e]{1,128}$/, { error: 'is not a name; expected 1 to 128 visible ASCII characters' });

const exactlyOne = (value: Readonly<Record<string, unknown>>) =>
  Object.values(value).filter((one) => one !== undefined).length === 1;

const oneOfKeys = { minProperties: 1, maxProperties: 1 };
const file = z.string().min(1).optional().describe('Path of a file that holds it; relative to the config file.');
const env = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: 'is not the name of an environment variable' })
  .optional()
  .describe('Name of the environment variable that holds it.');
const value = z.string().min(1).optional().describe('The text itself; better kept out of the config.');

/** A secret, told by file, environment variable or in place; one trailing newline of a file does not count. */
export const secretRef = () =>
  z
    .strictObject({ file, env, value })
    .refine(exactlyOne, { error: 'names none or several sources; expected exactly one of file, env or value' })
    .meta(oneOfKeys);

/** A text that is usually a file of its own (a certificate, a key), told by file or in place. */
export const fileRef = () =>
  z
    .strictObject({ file, value })
    .refine(exactlyOne, { error: 'names none or several sources; expected exactly one of file or value' })
    .meta(oneOfKeys);

/** A secret as the config writes it. */
export type SecretRef = z.output<ReturnType<typeof secretRef>>;

/** A file or text as the config writes it. */
export type FileRef = z.output<ReturnType<typeof fileRef>>;

/** A header as the config writes it. */
export type HeaderInput = z.output<ReturnType<typeof headers>>[number];

/** Headers that a server is sent with each call. */
export const headers = () =>
  z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, { error: 'is not the name of a header' })
          .describe('Name of a header that is sent with each call.'),
        value: secretRef().describe('Its value, such as a key of the server.'),
      }),
    )
    .max(16);
