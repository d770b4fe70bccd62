import type { Config } from '../../src/config/config.js';
import { faultLine } from '../../src/config/fault.js';
import { loadConfig } from '../../src/config/load.js';
import type { GatewayDeps } from '../../src/gateway.js';
import { systemClock } from '../../src/net/clock.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

const NO_FILES = (): Buffer => Buffer.alloc(0);

/** The config that a text or a value comes to; throws what is wrong with it. */
export function configFrom(source: string | object, readFile: (path: string) => Buffer = NO_FILES): Config {
  const text = typeof source === 'string' ? source : JSON.stringify(source);
  const loaded = loadConfig({ text, env: {}, readFile });
  if (!loaded.ok) throw new Error(loaded.faults.map(faultLine).join('\n'));
  return loaded.config;
}

/** What a gateway is started with when nobody looks at its log. */
export function quietDeps(): GatewayDeps {
  return { log: { write: () => undefined, enabled: () => false }, metrics: createMetrics(), clock: systemClock };
}
