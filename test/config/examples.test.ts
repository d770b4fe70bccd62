import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { faultLine } from '../../src/config/fault.js';
import { loadConfig } from '../../src/config/load.js';
import { checkKeys } from '../../src/cli/key-specs.js';
import { SECRET, selfSigned } from './loading.js';

const folder = join(__dirname, '..', '..', 'config');
const examples = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const { cert, key } = selfSigned();

const env = {
  MEDIA_SECRET: SECRET,
  MEDIA_SECRET_OLD: SECRET,
  MEDIA_SECRET_NEW: Buffer.from(`new-${SECRET}`).toString('base64'),
  RED5_SECRET: SECRET,
  POLICY_KEY: 'Bearer key',
};

/** What an operator would have under /etc. */
const etc: Readonly<Record<string, string>> = {
  '/etc/portcullis/admin-token': 'a-token-for-operators',
  '/etc/portcullis/media-secret': `${SECRET}\n`,
  '/etc/portcullis/tls/fullchain.pem': cert,
  '/etc/portcullis/tls/privkey.pem': key,
  '/etc/portcullis/tls/other-fullchain.pem': cert,
  '/etc/portcullis/tls/other-privkey.pem': key,
};

function loadExample(name: string) {
  const readFile = (path: string) => Buffer.from(etc[path] ?? readFileSync(path, 'utf8'));
  return loadConfig({ file: join(folder, name), env, readFile, checkKeys });
}

describe('an example in config/', () => {
  it.each(examples)('has no fault: %s', (name) => {
    const result = loadExample(name);
    expect(result.ok ? [] : result.faults.map(faultLine)).toEqual([]);
  });

  it.each(examples.filter((name) => name !== 'open-laptop.yaml'))('needs no warning: %s', (name) => {
    expect(loadExample(name).warnings.filter((line) => !line.includes('left out'))).toEqual([]);
  });

  it('warns where it is open', () => {
    expect(loadExample('open-laptop.yaml').warnings.join()).toContain('EVERYBODY');
  });

  it('names the schema and begins with what it is for', () => {
    for (const name of examples) {
      const text = readFileSync(join(folder, name), 'utf8');
      expect(text).toMatch(/^# \S/);
      expect(text).toContain('$schema=portcullis.schema.json');
    }
  });
});
