import type { Config } from '../config/config.js';
import { GatewayError } from '../model/errors.js';
import { redact } from '../telemetry/redact.js';

/** Whether the config names something that cannot be used, such as a module that does not load. */
export function isOfConfig(error: unknown): boolean {
  return error instanceof GatewayError && error.code.startsWith('config-');
}

/** One line on why the gateway did not start, or stopped: for a port, which key names it and how to find who has it. */
export function startFailure(error: unknown, config: Config): string {
  const message = redact(error instanceof Error ? error.message : String(error)).trim();
  const { code, port } = systemErrorIn(error);
  if (port === undefined) return message;
  const keys = Object.entries(config.listen).filter(([, endpoint]) => endpoint.port === port);
  const where = keys.length === 0 ? '' : ` (${keys.map(([name]) => `listen.${name}.port`).join(', ')})`;
  const who = `; see who has it: ss -ltnp 'sport = :${port}' or lsof -nP -iTCP:${port} -sTCP:LISTEN`;
  return `${message}${where}${code === 'EADDRINUSE' ? who : ''}`;
}

/** The system's error, which may be the cause of ours. */
function systemErrorIn(error: unknown): { readonly code?: string; readonly port?: number } {
  let one = error;
  for (let depth = 0; depth < 5 && one instanceof Error; depth += 1) {
    const { code, port } = one as { readonly code?: unknown; readonly port?: unknown };
    if (typeof code === 'string' && typeof port === 'number') return { code, port };
    one = one.cause;
  }
  return {};
}
