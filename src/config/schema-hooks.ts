import { z } from 'zod';
import { fileRef, headers, name, seconds } from './schema-fields.js';

/** The hooks that need nothing but their name; `open` stands alone and lets everybody in. */
export const PLAIN_HOOK_NAMES = ['verify-token', 'require-transport', 'require-role', 'require-room', 'open'] as const;

/** The hooks a config may name. */
export const HOOK_NAMES = [...PLAIN_HOOK_NAMES, 'call-http', 'module'] as const;

/** Each hook is asked in turn, and each may take its time. */
const MAX_HOOKS = 16;

const hookSchema = z.strictObject({
  name: z
    .enum(HOOK_NAMES)
    .describe('Which hook it is. Hooks without keys of their own can be written as their bare name.'),
  id: name()
    .optional()
    .describe('Name of the entry for log and metrics; needed where a hook stands twice. Default: `name`.'),
  actions: z
    .array(z.enum(['connect', 'publish', 'subscribe']))
    .min(1)
    .max(3)
    .optional()
    .describe(
      'What it is asked about. Default: `call-http` publish and subscribe; `module` what the module says, or all.',
    ),
  form: z
    .enum(['json', 'round-trip'])
    .optional()
    .describe("`call-http`: how it asks. `json`: the whole question (the default); `round-trip`: Red5 Pro's contract."),
  url: z.string().min(1).max(2048).optional().describe('`call-http`: what is called, `http://` or `https://`. Needed.'),
  invalidateUrl: z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .describe('`call-http`, round-trip: told when a publisher is gone. Default: nobody is told.'),
  clientTokenRequired: z
    .boolean()
    .optional()
    .describe('`call-http`, round-trip: refuse a connect that brings no token. Default: false.'),
  sendToken: z.boolean().optional().describe('`call-http`, json: send the token itself, too. Default: false.'),
  timeoutSeconds: seconds()
    .optional()
    .describe('`call-http`: time for an answer, below `limits.hookTimeoutSeconds`. Default: 2.'),
  maxConcurrent: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('`call-http`: calls at once; who comes on top counts as a failure. Default: 64.'),
  cacheSeconds: z
    .number()
    .min(0)
    .max(3600)
    .optional()
    .describe('`call-http`: how long the answer to one question is kept. 0, the default: not at all.'),
  breakerFailures: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe('`call-http`: failures in a row after which the server is left alone for a while. 0: never. Default: 5.'),
  breakerSeconds: seconds()
    .optional()
    .describe('`call-http`: how long it is left alone before one call tries. Default: 10.'),
  headers: headers().optional().describe('`call-http`: headers that are sent with each call.'),
  ca: fileRef()
    .optional()
    .describe("`call-http`: certificates of authorities that are trusted instead of the system's, PEM."),
  onFailure: z
    .enum(['refuse', 'allow'])
    .optional()
    .describe(
      '`call-http`: the answer when the server cannot be asked (not reached, too late, 5xx). Default: `refuse`, with `hook-failed`.',
    ),
  file: z.string().min(1).optional().describe('`module`: path of an ES module; relative to the config file. Needed.'),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      '`module`: what the module is given, as it is written. `{env: NAME}` and `{file: PATH}`, alone in their braces, are the text found there. Texts are shown as fingerprints.',
    ),
});

/** `hooks`: the order of the votes. */
export const hooksSchema = z
  .array(z.union([z.enum(HOOK_NAMES), hookSchema]))
  .max(MAX_HOOKS)
  .default(['verify-token', 'require-transport', 'require-role', 'require-room'])
  .describe('The votes, in order; the first no wins. Empty: everybody is refused. `open` alone: everybody is let in.');

/** An entry of `hooks` as the config writes it, when it is more than a name. */
export type HookInput = z.output<typeof hookSchema>;
