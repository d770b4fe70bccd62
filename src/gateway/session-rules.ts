import type { Config } from '../config/config.js';
import type { SessionRules } from '../session/session.js';

/** What holds for sessions, as a config says. */
export function sessionRulesOf({ auth, limits }: Config): SessionRules {
  const { sessionsPerToken, sessionsPerSubject, viewersPerStream, publisherKbps } = limits;
  return {
    ...{ sessionsPerToken, sessionsPerSubject, viewersPerStream, publisherKbps },
    oneTimeTokens: auth.oneTimeTokens,
    expiryWarningMs: auth.expiryWarningSeconds * 1000,
    // Who was let in by the leeway is not put out at once by the lack of it.
    expiryGraceMs: (auth.expiryGraceSeconds + auth.leewaySeconds) * 1000,
  };
}
