import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../../src/model/errors.js';
import type { Farewell } from '../../src/model/hook.js';
import { reject } from '../../src/model/rejection.js';
import type { Decision } from '../../src/model/decision.js';
import { makeBed, makeLeg, never, requestFor, turns, yes } from './door-bed.js';

function listening(): { readonly said: string[]; readonly onOver: Farewell } {
  const said: string[] = [];
  const onOver: Farewell = ({ action, target }, identity, reason) =>
    void said.push(`${action} ${target.name ?? ''} by ${identity?.subject ?? 'nobody'}: ${reason}`);
  return { said, onOver };
}

describe('those who let a stream in', () => {
  it('are told once when it is over, and why', async () => {
    const { said, onOver } = listening();
    const bed = makeBed({ onOver, verdict: () => yes({ subject: 'anna' }) });
    const session = await bed.door.open(requestFor('cam'), makeLeg(bed), never);
    expect(said).toEqual([]);
    session?.end('kicked');
    session?.end('expired');
    expect(said).toEqual(['publish cam by anna: kicked']);
  });

  it('are told when the origin did not take it', async () => {
    const { said, onOver } = listening();
    const bed = makeBed({ onOver });
    const refused = new GatewayError('origin-refused', 'origin', 'no');
    await bed.door.open(
      requestFor('cam'),
      makeLeg(bed, () => Promise.reject(refused)),
      never,
    );
    expect(said).toEqual(['publish cam by nobody: origin-error']);
  });

  it('are told when the client left while the law was thinking', async () => {
    const { said, onOver } = listening();
    let answer: (decision: Decision) => void = () => undefined;
    const bed = makeBed({ onOver, verdict: () => new Promise((resolve) => (answer = resolve)) });
    const leaving = new AbortController();
    const opening = bed.door.open(requestFor('cam'), makeLeg(bed), leaving.signal);
    await turns();
    leaving.abort();
    answer(yes());
    await opening;
    expect(said).toEqual(['publish cam by nobody: client-closed']);
  });

  it('are not told of what the law refused, or of a name in use', async () => {
    const { said, onOver } = listening();
    const no = makeBed({ onOver, verdict: () => ({ ok: false, rejection: reject('role-denied', 'x') }) });
    await no.door.open(requestFor('cam'), makeLeg(no), never);
    const bed = makeBed({ onOver });
    await bed.door.open(requestFor('cam'), makeLeg(bed), never);
    await bed.door.open(requestFor('cam'), makeLeg(bed), never);
    expect(said).toEqual([]);
  });
});
