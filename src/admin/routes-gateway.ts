import { Secret } from '../model/secret.js';
import { listOf, object, oneOfWords, type JsonSchema } from './json-schema.js';
import type { AdminPorts, MintWish, RevocationWish, WhyWish } from './ports.js';
import { PAGING, pageOf, type Route } from './route.js';

const TEXT = { type: 'string' } as const satisfies JsonSchema;
const WORD = { type: 'string', minLength: 1, maxLength: 512 } as const satisfies JsonSchema;
const FLAG = { type: 'boolean' } as const satisfies JsonSchema;
const COUNT = { type: 'integer', minimum: 0 } as const satisfies JsonSchema;
const TRANSPORT = oneOfWords('RTMP', 'RTSP', 'WHIP', 'WHEP');
const MAX_TOKEN = 8192;
const MAX_RULES = 32;

const ORIGIN = object({
  ...{ name: TEXT, state: oneOfWords('unknown', 'up', 'down'), isDrained: FLAG, failures: COUNT, 'detail?': TEXT },
  offersWhep: FLAG,
});
const REVOCATION = object({
  ...{ id: TEXT, source: oneOfWords('file', 'call'), addedAtS: COUNT },
  ...{ 'tokenId?': TEXT, 'subject?': TEXT, 'issuedBeforeS?': { type: 'number' } },
});

/** The origins: how they are, and which take new streams. */
export function originRoutes({ origins, drainOrigin }: AdminPorts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/origins',
      summary: 'Every origin and how it is, in the order of the config.',
      ...{ status: 200, answer: object({ items: listOf(ORIGIN) }), problems: [], audit: null },
      handle: () => ({ value: { items: origins() } }),
    },
    {
      method: 'PUT',
      path: '/api/v1/origins/{name}/drained',
      summary: 'Whether an origin gets no new streams. Running ones stay; a restart forgets it.',
      body: object({ drained: FLAG }),
      ...{ status: 200, answer: ORIGIN, problems: ['not-found'], audit: 'drain-origin' },
      aim: ({ parts: { name }, body }) => ({ origin: name, ...(body as { readonly drained: boolean }) }),
      handle: ({ parts: { name = '' }, body }) => {
        const isThere = drainOrigin(name, (body as { readonly drained: boolean }).drained);
        const origin = origins().find((one) => one.name === name);
        return isThere && origin !== undefined ? { value: origin, hit: 1 } : { problem: 'not-found' };
      },
    },
  ];
}

/** What is revoked. */
export function revocationRoutes({ revocations }: AdminPorts): readonly Route[] {
  const path = '/api/v1/revocations';
  return [
    {
      ...{ method: 'GET', path, summary: 'What is revoked on this gateway, by the file and by calls.', query: PAGING },
      ...{ status: 200, answer: object({ total: COUNT, items: listOf(REVOCATION) }), problems: [], audit: null },
      handle: ({ query }) => ({ value: pageOf(revocations.list(), query) }),
    },
    {
      ...{ method: 'POST', path, status: 201, answer: REVOCATION, problems: ['body-malformed', 'list-full'] },
      audit: 'revoke',
      aim: ({ body }) => ({ ...(body as RevocationWish) }),
      summary:
        'Revokes tokens and ends their sessions. All that is named must fit; kept by this process, not across restarts.',
      body: object({
        ...{ 'tokenId?': WORD, 'subject?': WORD },
        'issuedBeforeS?': { type: 'number', minimum: 0, maximum: 1e11 },
      }),
      handle: ({ body }) => {
        const wish = body as RevocationWish;
        if (Object.keys(wish).length === 0) return { problem: 'body-malformed', detail: 'it names no tokens' };
        const added = revocations.add(wish);
        return added === undefined
          ? { problem: 'list-full' }
          : { value: added.revocation, hit: added.ended, came: { id: added.revocation.id } };
      },
    },
    {
      ...{ method: 'DELETE', path: `${path}/{id}`, status: 200, answer: object({ removed: FLAG }) },
      summary: 'Takes back what a call revoked. Entries of the file can only be taken out of the file.',
      ...{ problems: ['not-found'], audit: 'unrevoke' },
      aim: ({ parts: { id } }) => ({ id }),
      handle: ({ parts: { id = '' } }) =>
        revocations.remove(id) ? { value: { removed: true }, hit: 1 } : { problem: 'not-found' },
    },
  ];
}

/** Tokens: make one, and explain one. Neither is ever logged, but by its fingerprint. */
export function tokenRoutes({ mint, why }: AdminPorts): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/tokens/mint',
      summary: 'Makes a token with a secret of the config.',
      body: object({
        ...{ 'subject?': WORD, 'tokenId?': WORD, 'key?': WORD, 'rooms?': listOf(WORD, MAX_RULES) },
        'roles?': listOf(oneOfWords('publisher', 'subscriber'), 2),
        'transports?': listOf(TRANSPORT, 4),
        'ttlSeconds?': { type: 'integer', minimum: 1, maximum: 31_536_000 },
      }),
      ...{ status: 200, answer: object({ token: TEXT, expiresAtS: COUNT }), problems: ['mint-refused'], audit: 'mint' },
      // What names no key of the config may be the secret itself, pasted into the wrong place.
      aim: ({ body }) => ({ ...(body as MintWish), key: undefined }),
      handle: ({ body }) => {
        const wish = body as MintWish;
        const made = mint(wish);
        if (!made.ok) return { problem: 'mint-refused', detail: made.problem };
        const { token, expiresAtS } = made;
        return {
          value: { token: token.reveal(), expiresAtS },
          hit: 1,
          came: { token: token.fingerprint(), expiresAtS, key: wish.key },
        };
      },
    },
    {
      method: 'POST',
      path: '/api/v1/tokens/why',
      summary: 'What the gateway would say to a token now, rung by rung, with the usual mistakes it shows.',
      body: object({
        token: { type: 'string', minLength: 1, maxLength: MAX_TOKEN },
        ...{ action: oneOfWords('connect', 'publish', 'subscribe'), transport: TRANSPORT, path: WORD },
      }),
      status: 200,
      answer: object({
        ...{ ok: FLAG, 'code?': TEXT, 'detail?': TEXT, mistakes: listOf(TEXT) },
        steps: listOf(object({ name: TEXT, outcome: oneOfWords('ok', 'failed', 'skipped'), text: TEXT })),
      }),
      ...{ problems: ['body-malformed'], audit: 'why' },
      aim: ({ body }) => {
        const { token, ...asked } = whyWish(body);
        return { ...asked, token: token.fingerprint() };
      },
      handle: ({ body }) => {
        const answer = why(whyWish(body));
        return 'problem' in answer
          ? { problem: 'body-malformed', detail: answer.problem }
          : { value: answer, came: { code: answer.code } };
      },
    },
  ];
}

function whyWish(body: unknown): WhyWish {
  const { token, ...asked } = body as Omit<WhyWish, 'token'> & { readonly token: string };
  return { ...asked, token: new Secret(token) };
}

/** The gateway itself: how it is, its config, reload and drain. */
export function gatewayRoutes({
  notReady,
  sessions,
  config,
  reload,
  drain,
  watchUrl,
  wall,
}: AdminPorts): readonly Route[] {
  const looks: readonly Route[] = [
    {
      method: 'GET',
      path: '/api/v1/health',
      summary: 'Whether streams are taken, and how many run.',
      status: 200,
      answer: object({ isReady: FLAG, 'reason?': TEXT, sessions: COUNT, 'watchUrl?': TEXT }),
      ...{ problems: [], audit: null },
      handle: () => {
        const reason = notReady();
        return { value: { isReady: reason === undefined, reason, sessions: sessions().length, watchUrl: watchUrl() } };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/wall',
      summary: 'What the page needs to show pictures of streams, or why it cannot.',
      status: 200,
      answer: object({
        ...{ 'tileUrl?': TEXT, framedBy: listOf(TEXT), 'tokenTtlSeconds?': COUNT },
        'problem?': object({ code: TEXT, text: TEXT }),
      }),
      ...{ problems: [], audit: null },
      handle: () => ({ value: wall() }),
    },
    {
      method: 'GET',
      path: '/api/v1/config',
      summary: 'The config that holds, with all defaults; secrets are fingerprints.',
      ...{ status: 200, answer: { description: 'As docs/configuration.md describes it, resolved.' }, problems: [] },
      audit: 'read-config',
      handle: () => ({ value: config() }),
    },
  ];
  const reloads: Route | undefined = reload && {
    ...{ method: 'POST', path: '/api/v1/reload', body: object({}), status: 200, problems: ['reload-refused'] },
    summary: 'Reads the config again and puts it in force without ending anybody.',
    ...{ answer: object({ notes: listOf(TEXT) }), audit: 'reload' },
    handle: async () => {
      const done = await reload();
      return done.ok ? { value: { notes: done.notes } } : { problem: 'reload-refused', detail: done.faults.join('\n') };
    },
  };
  const drains: Route | undefined = drain && {
    ...{ method: 'POST', path: '/api/v1/drain', body: object({}), status: 202, problems: [] },
    summary: 'Takes no new streams from now on, lets running ones end, and stops: what SIGTERM does.',
    ...{ answer: object({ draining: FLAG }), audit: 'drain' },
    handle: () => {
      drain();
      return { value: { draining: true } };
    },
  };
  return [...looks, reloads, drains].filter((route) => route !== undefined);
}
