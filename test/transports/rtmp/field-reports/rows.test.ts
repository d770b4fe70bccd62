import { describe, expect, it } from '@jest/globals';
import { filesBelow, textOf } from '../../../house/source.js';

/** Rows of the table of field reports about RTMP: what broke elsewhere. */
const ROWS = Array.from({ length: 69 }, (_, index) => `RTMP-${String(index + 1).padStart(2, '0')}`);

describe('the field reports about RTMP', () => {
  it('are each a test that says so in its name', () => {
    const files = filesBelow('test/transports/rtmp/field-reports', /\.test\.ts$/);
    // A name is the first text of a call, or of a row whose name the call takes with %s.
    const named = files.flatMap((file) => [...textOf(file).matchAll(/[([]\s*['"`](RTMP-\d\d) [a-z]/g)]);
    expect([...new Set(named.map(([, id]) => id))].sort()).toEqual(ROWS);
  });
});
