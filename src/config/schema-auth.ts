import { z } from 'zod';
import { fileRef, name, seconds, secretRef } from './schema-fields.js';

/** Signature algorithms a key may be pinned to. @see RFC 7518 §3.1 */
export const KEY_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/** How the text of a shared secret stands for its bytes. */
export const SECRET_ENCODINGS = ['utf8', 'base64', 'base64url', 'hex'] as const;

/** Several keys are for rotation; each one is a signature check that a stranger can make the gateway do. */
const MAX_KEYS = 16;

const texts = () => z.array(z.string().min(1).max(1024)).max(64).default([]);

const keySchema = z.strictObject({
  id: name().describe('Name of the key, for the log; a token whose header has this `kid` is checked with it first.'),
  algorithm: z
    .enum(KEY_ALGORITHMS)
    .optional()
    .describe('The only algorithm that tokens of this key may have. Default: `HS256`; with `jwksUrl`: `RS256`.'),
  secret: secretRef().optional().describe('The shared secret (HS…), at least 32 bytes: `openssl rand -base64 32`.'),
  encoding: z.enum(SECRET_ENCODINGS).default('utf8').describe('How the text of `secret` stands for its bytes.'),
  publicKey: fileRef().optional().describe('The public key or certificate (RS…, PS…, ES…), in PEM.'),
  jwks: z
    .strictObject({ file: z.string().min(1).describe('Path of the JWKS file; relative to the config file.') })
    .optional()
    .describe('A JSON Web Key Set with public keys, as `{ file: PATH }`, instead of `publicKey`.'),
  jwksUrl: z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .describe('`https://` address of a JSON Web Key Set that is fetched and kept up to date, instead of `publicKey`.'),
  algorithms: z
    .array(z.enum(KEY_ALGORITHMS))
    .min(1)
    .max(KEY_ALGORITHMS.length)
    .optional()
    .describe(
      '`jwksUrl`: the algorithms that its keys may have, instead of `algorithm`. Each key says its own (`alg`).',
    ),
  refreshSeconds: seconds()
    .optional()
    .describe('`jwksUrl`: longest time between two fetches; `max-age` of the answer may shorten it. Default: 300.'),
  cooldownSeconds: seconds()
    .optional()
    .describe('`jwksUrl`: shortest time between two fetches, however many unknown keys are named. Default: 30.'),
  maxStaleSeconds: z
    .number()
    .positive()
    .max(1_209_600)
    .optional()
    .describe('`jwksUrl`: how long keys are used that could not be fetched again. Default: 86400.'),
  timeoutSeconds: seconds()
    .optional()
    .describe('`jwksUrl`: time for one fetch, below `limits.hookTimeoutSeconds`. Default: 2.'),
  ca: fileRef()
    .optional()
    .describe("`jwksUrl`: certificates of authorities that are trusted instead of the system's, PEM."),
  allowPlainHttp: z
    .boolean()
    .optional()
    .describe(
      '`jwksUrl`: take `http://` from another machine, too. Who stands between can then sign tokens. Default: false.',
    ),
});

/** `auth`: whose tokens are believed, and how strictly. */
export const authSchema = z
  .strictObject({
    profile: z
      .enum(['red5', 'strict'])
      .default('red5')
      .describe(
        "`red5`: Red5 Pro's rules to the letter, an absent claim is no limit. `strict`: an absent claim refuses.",
      ),
    keys: z.array(keySchema).max(MAX_KEYS).default([]).describe('The keys; any one that fits lets the token pass.'),
    allowWeakSecret: z.boolean().default(false).describe('Accept secrets below 32 bytes; warns at every start.'),
    issuers: texts().describe('Accepted values of `iss`, exact; empty: not checked.'),
    audiences: texts().describe('Accepted values of `aud`, exact; empty: not checked.'),
    maxTtlMinutes: z.number().positive().max(525_600).default(60).describe('How far ahead `exp` may lie, in minutes.'),
    leewaySeconds: z
      .number()
      .min(0)
      .max(300)
      .default(0)
      .describe('Tolerance for clocks in `exp` and `nbf`, in seconds.'),
    onExpiry: z
      .enum(['keep', 'close'])
      .optional()
      .describe('Whether a running session ends with its token. Default: `keep` for `red5`, `close` for `strict`.'),
    expiryWarningSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(30)
      .describe('`onExpiry: close`: so long before a session ends with its token the log says so; 0: never.'),
    expiryGraceSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(0)
      .describe('`onExpiry: close`: so long a session may go on after `exp` and `leewaySeconds`.'),
    oneTimeTokens: z
      .boolean()
      .default(false)
      .describe('A token opens one stream only, and needs a `jti`. Remembered by this process, until it ends.'),
    revocations: z
      .strictObject({ file: z.string().min(1).describe('Path of the file; relative to the config file.') })
      .optional()
      .describe('A file of tokens that hold no more, one JSON object a line; watched while the gateway runs.'),
    red5Properties: z
      .string()
      .min(1)
      .optional()
      .describe("Path of Red5 Pro's `red5-web.properties`, whose `jwt.*` and `auth.*` are imported."),
  })
  .prefault({})
  .describe('Whose tokens are believed, and how strictly.');
