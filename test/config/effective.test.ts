import { describe, expect, it } from '@jest/globals';
import { effectiveConfig, effectiveYaml } from '../../src/config/effective.js';
import { configFrom } from '../fakes/gateway-config.js';

describe('the config in force, as it is shown', () => {
  const config = configFrom({
    listen: { rtmp: {} },
    auth: { keys: [{ id: 'main', secret: { value: 'canary-secret-0123456789abcdef-0123' } }] },
    hooks: [
      'verify-token',
      { name: 'call-http', id: 'policy', url: 'https://policy.example/ask?key=canary&x=%3F' },
      { name: 'call-http', id: 'plain', url: 'https://policy.example/ask' },
    ],
    origins: [{ name: 'origin', preset: 'generic', rtmp: 'rtmp://127.0.0.1:1' }],
    log: { traces: { endpoint: 'https://collector.example/v1/traces?api-key=canary' } },
  });

  it('has fingerprints in place of secrets, and of what stands in the query of an address', () => {
    for (const text of [effectiveYaml(config), JSON.stringify(effectiveConfig(config))]) {
      expect(text).not.toContain('canary');
      expect(text).toMatch(/\/ask\?secret:[0-9a-f]{8}/);
      expect(text).toMatch(/\/v1\/traces\?secret:[0-9a-f]{8}/);
    }
    expect(effectiveConfig(config)).toMatchObject({ hooks: [{}, {}, { id: 'plain', url: { path: '/ask' } }] });
  });
});
