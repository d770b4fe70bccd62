import { describe, expect, it } from '@jest/globals';
import { createFarewell } from '../../src/hooks/farewell.js';
import type { Hook } from '../../src/model/hook.js';
import { makeRequest } from './requests.js';

describe('a farewell', () => {
  it('reaches every hook that was asked, whatever the others do', async () => {
    const told: string[] = [];
    const errors: string[] = [];
    const hook = (name: string, onEnd?: Hook['onEnd'], actions: Hook['actions'] = ['publish']): Hook => ({
      ...{ name, actions, decide: () => ({ ok: true }) },
      ...(onEnd && { onEnd }),
    });
    const farewell = createFarewell(
      [
        hook('throws', () => {
          throw new Error('thrown');
        }),
        hook('rejects', () => Promise.reject(new Error('rejected'))),
        hook('silent'),
        hook('viewers only', () => void told.push('viewers only'), ['subscribe']),
        hook('listens', (request, _, reason) => void told.push(`${request.action} ${reason}`)),
      ],
      ({ name }, error) => {
        errors.push(`${name}: ${String(error)}`);
        throw new Error('who listens can not veto');
      },
    );
    farewell(makeRequest(), undefined, 'kicked');
    await new Promise((done) => setImmediate(done));
    expect(told).toEqual(['publish kicked']);
    expect(errors).toEqual(['throws: Error: thrown', 'rejects: Error: rejected']);
  });
});
