import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createHiding, hiddenErrors } from '../../src/gateway/hiding.js';
import type { Hook } from '../../src/model/hook.js';
import { Secret } from '../../src/model/secret.js';

const secrets = ['canary', 'canary-long $& (.*)', '$&'].map((text) => new Secret(text));
const [short, long] = secrets.map(String);
const hiding = createHiding(secrets);

describe('hiding', () => {
  it('puts fingerprints in the place of secrets, of the longest first, whatever characters they have', () => {
    expect(hiding.text('a canary-long $& (.*) and a canary')).toBe(`a ${long ?? ''} and a ${short ?? ''}`);
    expect(createHiding([]).text('canary')).toBe('canary');
  });

  it('finds a secret in the forms that URLs, JSON and headers give it', () => {
    const odd = 'canary"odd+/42 %& \\ ü';
    const one = createHiding([new Secret(odd), new Secret('')]);
    const forms = [
      ...[encodeURIComponent(odd), encodeURIComponent(odd).replace(/%../g, (hex) => hex.toLowerCase())],
      ...[new URLSearchParams({ k: odd }).toString().slice(2), JSON.stringify(odd).slice(1, -1)],
      ...[
        Buffer.from(odd).toString('base64'),
        Buffer.from(odd).toString('base64url'),
        Buffer.from(odd).toString('hex'),
      ],
    ];
    for (const form of forms) {
      const said = one.text(`a ${form} b`);
      expect(said).toMatch(/^a secret:[0-9a-f]{8}=* b$/);
    }
  });

  it('leaves nothing of a secret where a long text is cut', () => {
    const padding = 'x '.repeat(254);
    expect(JSON.stringify(hiding.fields({ text: `${padding}canary canary` }))).not.toContain('canar');
  });

  it('looks into keys, lists, errors and causes, and ends in a ring', () => {
    const ring: Record<string, unknown> = {
      canary: ['canary'],
      error: new Error('canary', { cause: new Error('canary') }),
    };
    ring['ring'] = ring;
    expect(JSON.stringify(hiding.fields(ring))).not.toContain('canary');
    const error = new Error('canary');
    error.cause = error;
    expect(inspect(hiding.error(error), { depth: 9 })).not.toContain('Error: canary');
  });

  it('keeps an error an error of its name and code', () => {
    const error = Object.assign(new TypeError('of canary'), { code: 'ECONNREFUSED' });
    expect(hiding.error(error)).toMatchObject({
      name: 'TypeError',
      code: 'ECONNREFUSED',
      message: `of ${short ?? ''}`,
    });
    expect(hiding.error('canary')).toBe(short);
  });

  it('holds for what a hook throws at the end of a stream, and gives it an end only if it has one', async () => {
    const hook: Hook = {
      ...{ name: 'mine', actions: [], decide: () => ({ ok: true }) },
      onEnd: () => Promise.reject(new Error('canary')),
    };
    await expect(hiddenErrors(hook, hiding).onEnd?.({} as never, undefined, 'kicked')).rejects.toThrow(short);
    const silent: Hook = { name: 'mine', actions: [], decide: hook.decide.bind(hook) };
    expect(hiddenErrors(silent, hiding)).not.toHaveProperty('onEnd');
  });
});
