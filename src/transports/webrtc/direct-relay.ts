import type { Clock } from '../../model/clock.js';
import type { OwnRelay } from '../../model/leg.js';
import { ANSWER_TIMEOUT_MS, PROBE_MS } from './options.js';
import type { WebrtcSession } from './sessions.js';
import { SDP_FRAGMENT_TYPE } from './wire/sdp-fragment.js';

/**
 * The relay of a session whose media does not pass through here: it moves nothing, and lives until somebody ends it or the
 * origin has forgotten it. Without media there is no other sign of a client that went without a word, so the origin is asked
 * from time to time by a PATCH that changes nothing. An origin that takes no PATCH is not asked.
 */
export function createDirectRelay(session: WebrtcSession, clock: Clock): OwnRelay {
  const { origin } = session.leg;
  return {
    run(onEnd) {
      let isStopped = false;
      let cancel: () => void = () => undefined;
      const probe = async (): Promise<void> => {
        const { clientIce } = session;
        const outcome = clientIce === undefined ? undefined : await origin.patch(SDP_FRAGMENT_TYPE, clientIce.fragment);
        if (isStopped) return;
        if (outcome?.kind === 'gone') onEnd('origin-finished');
        else again();
      };
      const again = (): void => {
        cancel = clock.after(PROBE_MS, () => void probe());
      };
      if (origin.canPatch) again();
      const cancelAnswer = clock.after(ANSWER_TIMEOUT_MS, () => {
        if (session.leg.awaitsAnswer) onEnd('client-error', new Error('the client did not answer the offer'));
      });
      return {
        clientBytes: 0,
        originBytes: 0,
        stop() {
          isStopped = true;
          cancel();
          cancelAnswer();
        },
      };
    },
  };
}
