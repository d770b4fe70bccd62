import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import type { Identity } from '../../model/identity.js';
import { reject } from '../../model/rejection.js';
import type { TransportName } from '../../model/transport.js';

/** Whether the identity may come over this transport; an absent set is no limit. Code: `transport-denied`. */
export function judgeTransport(identity: Identity, transport: TransportName): Decision {
  if (identity.transports === undefined || identity.transports.has(transport)) return { ok: true };
  const allowed = [...identity.transports].join(', ') || 'none';
  return {
    ok: false,
    rejection: reject('transport-denied', `${transport} is not allowed; red5-transport: ${allowed}`),
  };
}

/**
 * The hook over the `red5-transport` claim. At connect without an identity it passes: the token may still come with the
 * stream name. Codes: `transport-denied`; `token-missing` where no hook before it has verified anybody.
 */
export function requireTransport(): Hook {
  return {
    name: 'require-transport',
    actions: ['connect', 'publish', 'subscribe'],
    decide(request, identity) {
      if (identity !== undefined) return judgeTransport(identity, request.transport);
      if (request.action === 'connect') return { ok: true };
      return { ok: false, rejection: reject('token-missing', 'require-transport has no verified token to judge') };
    },
  };
}
