import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createJsonForm } from '../../../src/hooks/call-http/json-form.js';
import { ROUND_TRIP } from '../../../src/hooks/call-http/round-trip.js';
import { Secret } from '../../../src/model/secret.js';
import { makeIdentity, makeRequest } from '../requests.js';

const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'write-a-hook.md'), 'utf8');
const blocks = [...page.matchAll(/^```json\n([^]*?)^```/gm)].map(([, block]) => block ?? '');

describe('docs/write-a-hook.md', () => {
  const form = createJsonForm({ sendToken: false, sendSessionId: true });

  it('shows a question as it is sent', () => {
    const request = makeRequest({ sessionId: 'Jx3k9cQpTz0a', secure: true, remoteAddress: '198.51.100.7' });
    const identity = makeIdentity({
      ...{ subject: 'anna', issuer: 'https://issuer.example', tokenId: 't-1', expiresAtS: 1_795_600_000 },
      roles: new Set(['red5-publisher' as const]),
    });
    expect(JSON.parse(blocks[0] ?? '')).toEqual(JSON.parse(form.question(request, identity)));
  });

  it('shows answers as they are read', () => {
    expect(form.read(blocks[1] ?? '')).toMatchObject({ says: 'yes', restriction: { expiresAtS: 1_795_600_000 } });
    const [no = ''] = /\{ "allow": false,[^}]*\}/.exec(page) ?? [];
    expect(form.read(no)).toEqual({ says: 'no', code: 'limit-rate', detail: 'for the log' });
  });

  it('shows the question of the round trip as it is sent', () => {
    const account = { username: 'anna', password: new Secret('pw') };
    expect(page).toContain(`\`${ROUND_TRIP.question(makeRequest({ account }), undefined)}\``);
  });
});
