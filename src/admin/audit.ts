import type { Log } from '../model/telemetry.js';
import type { HttpRequest } from '../net/http-request.js';
import type { Answered, Asked, Route } from './route.js';

/** Tells the audit trail of a call, if its route is of those that belong there. `asked`: undefined where it could not be read. */
export type WriteAudit = (
  route: Route,
  caller: Pick<HttpRequest, 'remoteAddress'>,
  asked: Asked | undefined,
  answered: Answered,
) => void;

/**
 * Makes the audit trail: one line `admin.action` for each call that changes or reveals something, whatever came of it. What is
 * in it are names and counts; tokens are there by their fingerprint only.
 */
export function createAudit(log: Log): WriteAudit {
  return ({ audit, aim }, { remoteAddress }, asked, answered) => {
    if (audit === null) return;
    const isDone = !('problem' in answered);
    log.write('info', 'admin.action', {
      ...{ action: audit, outcome: isDone ? 'done' : answered.problem, address: remoteAddress },
      aim: asked && aim?.(asked),
      ...(isDone && { hit: answered.hit, ...answered.came }),
    });
  };
}
