import type { Decision } from '../../model/decision.js';
import type { Hook } from '../../model/hook.js';
import type { Identity, Role } from '../../model/identity.js';
import { reject } from '../../model/rejection.js';
import type { Action } from '../../model/transport.js';

const ROLE_OF: Readonly<Record<Exclude<Action, 'connect'>, Role>> = {
  publish: 'red5-publisher',
  subscribe: 'red5-subscriber',
};

/** Whether the identity has the role for the action; an absent set is no limit, connect needs none. Code: `role-denied`. */
export function judgeRole(identity: Identity, action: Action): Decision {
  if (action === 'connect' || identity.roles === undefined || identity.roles.has(ROLE_OF[action])) return { ok: true };
  const held = [...identity.roles].join(', ') || 'none';
  return { ok: false, rejection: reject('role-denied', `${action} needs ${ROLE_OF[action]}; roles: ${held}`) };
}

/**
 * The hook over the `roles` claim. As at Red5 Pro it is not asked at connect.
 * Codes: `role-denied`; `token-missing` where no hook before it has verified anybody.
 */
export function requireRole(): Hook {
  return {
    name: 'require-role',
    actions: ['publish', 'subscribe'],
    decide(request, identity) {
      if (identity !== undefined) return judgeRole(identity, request.action);
      return { ok: false, rejection: reject('token-missing', 'require-role has no verified token to judge') };
    },
  };
}
