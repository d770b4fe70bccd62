import { addressMatcher } from '../wire/cidr.js';
import type { Feed, LiveEvent } from './feed.js';
import { listOf, object, oneOfWords, type JsonSchema, type ObjectSchema } from './json-schema.js';
import type { AdminPorts, SessionView, SessionWish } from './ports.js';
import { PAGING, pageOf, type Route } from './route.js';

const TEXT = { type: 'string' } as const satisfies JsonSchema;
const WORD = { type: 'string', minLength: 1, maxLength: 512 } as const satisfies JsonSchema;
const NETWORK = { ...WORD, format: 'ip-network' } as const satisfies JsonSchema;
const COUNT = { type: 'integer', minimum: 0 } as const satisfies JsonSchema;
const NUMBER = { type: 'number' } as const satisfies JsonSchema;
const TRANSPORT = oneOfWords('RTMP', 'RTSP', 'WHIP', 'WHEP');
const ACTION = oneOfWords('connect', 'publish', 'subscribe');

/** One session. */
export const SESSION: ObjectSchema = object({
  ...{ id: TEXT, transport: TRANSPORT, secure: { type: 'boolean' }, action: ACTION, path: TEXT, address: TEXT },
  ...{ 'subject?': TEXT, 'issuer?': TEXT, 'tokenId?': TEXT, 'token?': TEXT, 'expiresAtS?': NUMBER, 'origin?': TEXT },
  ...{ isRunning: { type: 'boolean' }, askedAtMs: COUNT, 'sinceMs?': COUNT, clientBytes: COUNT, originBytes: COUNT },
});

const REFUSAL: ObjectSchema = object({
  ...{ id: COUNT, atMs: COUNT, code: TEXT, reason: TEXT, side: oneOfWords('client', 'origin', 'gateway'), fix: TEXT },
  ...{ 'detail?': TEXT, 'hint?': TEXT, 'session?': TEXT, 'transport?': TRANSPORT, 'action?': ACTION, 'path?': TEXT },
  ...{ 'address?': TEXT, 'subject?': TEXT, 'token?': TEXT, 'carrier?': TEXT },
});

const page = (items: JsonSchema): ObjectSchema => object({ total: COUNT, items: listOf(items) });
const filter = (description: string, schema: JsonSchema = WORD) => ({ description, schema });

/** Says of addresses whether a query means them; all are meant when it names none. It is known to be right. */
function fromWhere(query: URLSearchParams): (address: unknown) => boolean {
  const text = query.get('address');
  const isMeant = text === null ? undefined : addressMatcher(text);
  return (address) => isMeant === undefined || (typeof address === 'string' && isMeant(address));
}

/** The sessions: look, and end some. */
export function sessionRoutes({ sessions, kick }: AdminPorts): readonly Route[] {
  const FILTERS = {
    transport: filter('Only of this transport.', TRANSPORT),
    action: filter('Only publishers or only viewers.', ACTION),
    path: filter('Only of this stream, whole and exact.'),
    app: filter('Only of this app.'),
    subject: filter('Only of this subject.'),
    tokenId: filter('Only of the token with this jti.'),
    address: filter('Only from this address or network.', NETWORK),
    origin: filter('Only at this origin.'),
  };
  return [
    {
      method: 'GET',
      path: '/api/v1/sessions',
      summary: 'Sessions that run or are being set up, newest first.',
      query: { ...FILTERS, ...PAGING },
      ...{ status: 200, answer: page(SESSION), problems: [], audit: null },
      handle: ({ query }) => {
        const isFrom = fromWhere(query);
        const wanted = Object.keys(FILTERS).flatMap((key) =>
          query.has(key) && key !== 'address' ? [[key, query.get(key)] as const] : [],
        );
        const isOne = (session: SessionView): boolean =>
          isFrom(session.address) &&
          wanted.every(
            ([key, value]) =>
              (key === 'app' ? session.path.split('/')[0] : session[key as keyof SessionView]) === value,
          );
        const found = sessions().filter(isOne);
        return {
          value: pageOf(
            found.sort((a, b) => b.askedAtMs - a.askedAtMs),
            query,
          ),
        };
      },
    },
    {
      method: 'GET',
      path: '/api/v1/sessions/{id}',
      summary: 'One session.',
      ...{ status: 200, answer: SESSION, problems: ['not-found'], audit: null },
      handle: ({ parts }) => {
        const found = sessions().find(({ id }) => id === parts['id']);
        return found === undefined ? { problem: 'not-found' } : { value: found };
      },
    },
    {
      method: 'DELETE',
      path: '/api/v1/sessions/{id}',
      summary: 'Ends one session (kicked). The client may come back; revoke its token to keep it out.',
      ...{ status: 200, answer: object({ kicked: COUNT }), problems: ['not-found'], audit: 'kick' },
      aim: ({ parts: { id } }) => ({ id }),
      handle: ({ parts: { id = '' } }) => {
        const kicked = kick({ id });
        return kicked === 0 ? { problem: 'not-found' } : { value: { kicked }, hit: kicked };
      },
    },
    {
      method: 'POST',
      path: '/api/v1/sessions/kick',
      summary: 'Ends all sessions that fit everything that is named. Naming nothing is refused.',
      body: object({ 'id?': WORD, 'subject?': WORD, 'tokenId?': WORD, 'path?': WORD, 'address?': NETWORK }),
      ...{ status: 200, answer: object({ kicked: COUNT }), problems: ['body-malformed'], audit: 'kick' },
      aim: ({ body }) => ({ ...(body as SessionWish) }),
      handle: ({ body }) => {
        const wish = body as SessionWish;
        if (Object.keys(wish).length === 0) return { problem: 'body-malformed', detail: 'it names nobody' };
        const kicked = kick(wish);
        return { value: { kicked }, hit: kicked };
      },
    },
  ];
}

/** What was refused of late. */
export function decisionRoutes(feed: Feed): readonly Route[] {
  const FILTERS = {
    code: filter('Only with this code.'),
    transport: filter('Only of this transport.', TRANSPORT),
    path: filter('Only of this stream, whole and exact.'),
    subject: filter('Only of this subject.'),
    address: filter('Only from this address or network.', NETWORK),
  };
  return [
    {
      method: 'GET',
      path: '/api/v1/decisions',
      summary: 'The last refusals, newest first, each with its detail and what to do.',
      query: { ...FILTERS, ...PAGING },
      ...{ status: 200, answer: page(REFUSAL), problems: [], audit: null },
      handle: ({ query }) => {
        const isFrom = fromWhere(query);
        const wanted = Object.keys(FILTERS).filter((key) => query.has(key) && key !== 'address');
        const found = feed
          .refusals()
          .filter(({ fields }) => isFrom(fields['address']) && wanted.every((key) => fields[key] === query.get(key)));
        return { value: pageOf(found.map(refusalView), query) };
      },
    },
  ];
}

/** A refusal as lists and live events show it. */
export function refusalView({ id, atMs, fields }: LiveEvent): Readonly<Record<string, unknown>> {
  const kept = Object.keys(REFUSAL.properties).flatMap((key) =>
    fields[key] === undefined ? [] : [[key, fields[key]]],
  );
  return { ...(Object.fromEntries(kept) as Readonly<Record<string, unknown>>), id, atMs };
}
