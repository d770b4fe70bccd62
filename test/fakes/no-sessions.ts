import type { Gateway } from '../../src/gateway.js';
import { createRevocations } from '../../src/store/revocations.js';
import { fakeClock } from './clock.js';

/** What a gateway that only pretends to be one says of sessions. */
export const NO_SESSIONS: Pick<Gateway, 'sessions' | 'revocations' | 'origins' | 'hear'> = {
  hear: () => undefined,
  sessions: { sessions: () => [], kick: () => 0 },
  revocations: createRevocations({ clock: fakeClock(), maxTokenLifeS: () => 3600 }),
  origins: { list: () => [], drain: () => false },
};
