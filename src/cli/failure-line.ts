import type { Config } from '../config/config.js';
import { GatewayError } from '../model/errors.js';
import { redact } from '../telemetry/redact.js';

/** Whether the config names something that cannot be used, such as a module that does not load. */
export function isOfConfig(error: unknown): boolean {
  return error instanceof GatewayError && error.code.startsWith('config-');
}

/** One line on why the gateway did not start, reload, or stopped: for a port, which key names it and how to find who has it. */
export function failureLine(error: unknown, config: Config): string {
  const message = redact(error instanceof Error ? error.message : String(error)).trim();
  const { code, port, syscall } = systemErrorIn(error);
  if (port === undefined) return message;
  // Node binds UDP ports, and listens to those of TCP.
  const isUdp = syscall === 'bind';
  const keys = Object.entries(config.listen).filter(([name, at]) => at.port === port && (name === 'media') === isUdp);
  const where = keys.length === 0 ? '' : ` (${keys.map(([name]) => `listen.${name}.port`).join(', ')})`;
  const [ss, lsof] = isUdp ? ['-lunp', `-iUDP:${port}`] : ['-ltnp', `-iTCP:${port} -sTCP:LISTEN`];
  const who = `; see who has it: ss ${ss} 'sport = :${port}' or lsof -nP ${lsof}`;
  return `${message}${where}${code === 'EADDRINUSE' ? who : ''}`;
}

interface SystemError {
  readonly code?: string;
  readonly port?: number;
  readonly syscall?: string;
}

/** The system's error, which may be the cause of ours. */
function systemErrorIn(error: unknown): SystemError {
  let one = error;
  for (let depth = 0; depth < 5 && one instanceof Error; depth += 1) {
    const { code, port, syscall } = one as Partial<Record<keyof SystemError, unknown>>;
    if (typeof code === 'string' && typeof port === 'number') {
      return { code, port, ...(typeof syscall === 'string' && { syscall }) };
    }
    one = one.cause;
  }
  return {};
}
