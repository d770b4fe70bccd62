// A hook of your own: publishers come in office hours only. With `auth: { onExpiry: close }` what they have started ends
// when the office closes; with `keep`, the default of the profile red5, it may go on.
// docs/write-a-hook.md explains it. In the config, behind the hooks that check the token:
//
//   hooks:
//     - verify-token
//     - require-transport
//     - require-role
//     - require-room
//     - { name: module, id: office-hours, file: hooks/office-hours.mjs, options: { from: 9, until: 17, apps: [live] } }

/**
 * Hours are of UTC. `apps`: where the hours hold; elsewhere everybody may come at any time.
 *
 * @type {import('portcullis/hook').CreateUserHook<{ from?: number, until?: number, apps?: readonly string[] }>}
 */
export function createHook({ from = 9, until = 17, apps = ['live'] }, tools) {
  // What is thrown here stops the start, with this text.
  if (!(from >= 0 && from < until && until <= 24)) throw new Error('options: 0 <= from < until <= 24 is expected');
  return {
    actions: ['publish'],

    decide(request, identity) {
      if (!apps.includes(request.target.app)) return { allow: true };
      const now = new Date(tools.now());
      const hour = now.getUTCHours();
      if (hour < from || hour >= until) {
        return {
          allow: false,
          detail: `the office is open from ${from} to ${until}, ${identity?.subject ?? 'somebody'} came at ${hour}`,
        };
      }
      const closing = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), until);
      return { allow: true, limits: { expiresAtS: closing / 1000 } };
    },

    onEnd(request, identity, reason) {
      tools.log({ note: 'left the office', subject: identity?.subject, reason });
    },
  };
}
