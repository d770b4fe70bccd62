import { z } from 'zod';
import { authSchema } from './schema-auth.js';
import { hooksSchema } from './schema-hooks.js';
import { limitsSchema, logSchema, relaySchema, storeSchema } from './schema-limits.js';
import { adminSchema, listenSchema, tlsSchema } from './schema-listen.js';
import { originsSchema } from './schema-origins.js';

/** The whole config as a user writes it; every key has its default and its description here and nowhere else. */
export const configSchema = z.strictObject({
  listen: listenSchema,
  tls: tlsSchema,
  auth: authSchema,
  hooks: hooksSchema,
  origins: originsSchema,
  limits: limitsSchema,
  relay: relaySchema,
  store: storeSchema,
  admin: adminSchema,
  log: logSchema,
});

/** The config after defaults, with secrets still named by file, variable or value. */
export type ConfigInput = z.output<typeof configSchema>;

/** The published JSON Schema (draft 2020-12) of what a user may write. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input' });
  return { $schema, title: 'Portcullis configuration', ...rest };
}
