import { describe, expect, it } from '@jest/globals';
import { createAdmission } from '../../src/net/admission.js';
import { streamPair } from '../fakes/byte-stream.js';

const from = (remoteAddress: string) => streamPair({ remoteAddress })[0];

describe('admission', () => {
  it('refuses beyond the total and beyond what one address may have', () => {
    const refused: string[] = [];
    const admission = createAdmission({ connections: 3, perAddress: () => 2 }, (reason) => refused.push(reason));
    const gone = admission.admit(from('192.0.2.1'));
    expect(admission.admit(from('192.0.2.1'))).toBeDefined();
    const third = from('192.0.2.1');
    expect(admission.admit(third)).toBeUndefined();
    expect(third.ending).toBe('destroy');
    expect(admission.admit(from('192.0.2.2'))).toBeDefined();
    expect(admission.admit(from('192.0.2.3'))).toBeUndefined();
    gone?.();
    expect(admission.admit(from('192.0.2.1'))).toBeDefined();
    expect(admission.total()).toBe(3);
    expect(refused).toEqual(['limit-connections', 'limit-connections']);
  });

  it('has no limit where the config says 0', () => {
    const admission = createAdmission({ connections: 0, perAddress: () => 0 }, () => undefined);
    for (let count = 0; count < 100; count++) expect(admission.admit(from('192.0.2.1'))).toBeDefined();
  });

  it('takes an IPv6 /64 for one address, and asks for the limit of each', () => {
    const perAddress = (address: string): number => (address === '10.0.0.1' ? 0 : 1);
    const admission = createAdmission({ connections: 0, perAddress }, () => undefined);
    expect(admission.admit(from('2001:db8:1:2:3:4:5:6'))).toBeDefined();
    expect(admission.admit(from('2001:db8:1:2::1'))).toBeUndefined();
    expect(admission.admit(from('2001:db8:1:3::1'))).toBeDefined();
    for (let count = 0; count < 9; count++) expect(admission.admit(from('10.0.0.1'))).toBeDefined();
  });
});
