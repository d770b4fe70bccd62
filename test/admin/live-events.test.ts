import { describe, expect, it } from '@jest/globals';
import { createFeed } from '../../src/admin/feed.js';
import { createLiveEvents } from '../../src/admin/live-events.js';
import { Secret } from '../../src/model/secret.js';
import type { LiveSocket } from '../../src/net/web-socket.js';
import { fakeClock } from '../fakes/clock.js';
import { fakeAdmin, request, TOKEN, valueOf } from './fixture.js';

class FakeSocket implements LiveSocket {
  readonly texts: string[] = [];
  readonly said: unknown[] = [];
  readonly waiting: (() => void)[] = [];
  #close = (): void => undefined;
  #pong = (): void => undefined;
  isReading = true;
  send(text: string, whenSent: () => void): void {
    this.texts.push(text);
    if (this.isReading) whenSent();
    else this.waiting.push(whenSent);
  }
  ping(): void {
    this.said.push('ping');
  }
  pong(): void {
    this.#pong();
  }
  close(code: number): void {
    this.said.push(code);
  }
  destroy(): void {
    this.said.push('destroyed');
    this.#close();
  }
  onPong(call: () => void): void {
    this.#pong = call;
  }
  onClose(call: () => void): void {
    this.#close = call;
  }
}

const limits = { maxClients: 2, maxWaiting: 3, pingMs: 1000 };

function stage() {
  const clock = fakeClock();
  const feed = createFeed(() => clock.now());
  return { clock, feed, events: createLiveEvents(feed, clock, limits) };
}

describe('live events', () => {
  it('go to those who wanted their type', () => {
    const { feed, events } = stage();
    const [all, some] = [new FakeSocket(), new FakeSocket()];
    events.join(all, new Set(['decision', 'origin']));
    events.join(some, new Set(['origin']));
    feed.take('decision', () => ({ outcome: 'no', code: 'timeout' }));
    feed.take('origin.state', () => ({ origin: 'o1', state: 'down' }));
    feed.take('listener.open', () => ({}));
    expect(all.texts).toHaveLength(2);
    expect(some.texts.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { type: 'origin', event: 'origin.state', fields: { origin: 'o1', state: 'down' } },
    ]);
  });

  it('drop who reads too slowly, and are kept from nobody else', () => {
    const { feed, events, clock } = stage();
    const [slow, fast] = [new FakeSocket(), new FakeSocket()];
    slow.isReading = false;
    for (const socket of [slow, fast]) events.join(socket, new Set(['decision']));
    for (let count = 0; count < 5; count += 1) feed.take('decision', () => ({}));
    expect([slow.texts.length, slow.said]).toEqual([3, [4008]]);
    expect(fast.texts).toHaveLength(5);
    expect(events.isFull()).toBe(false);
    clock.advance(1000);
    expect(slow.said).toContain('destroyed');
  });

  it('end for who answers no ping', () => {
    const { events, clock } = stage();
    const [dead, alive] = [new FakeSocket(), new FakeSocket()];
    for (const socket of [dead, alive]) events.join(socket, new Set(['decision']));
    clock.advance(1000);
    alive.pong();
    clock.advance(1000);
    expect(dead.said).toEqual(['ping', 'destroyed']);
    expect(alive.said).toEqual(['ping', 'ping']);
  });

  it('have room for so many, and say goodbye at the end', () => {
    const { events } = stage();
    const sockets = [new FakeSocket(), new FakeSocket()];
    for (const socket of sockets) events.join(socket, new Set(['decision']));
    expect(events.isFull()).toBe(true);
    events.stop();
    expect(sockets.map(({ said }) => said)).toEqual([[1001], [1001]]);
  });
});

describe('the door of the live events', () => {
  const token = new Secret(TOKEN);
  const bearer = new Secret(`Bearer ${TOKEN}`);
  const upgrade = (target: string, parts: Parameters<typeof request>[2] = {}) => request('GET', target, parts);

  it('opens once for a ticket, and only for half a minute', async () => {
    const { admin, clock } = fakeAdmin({ token });
    const ticket = async () =>
      String(
        valueOf(await admin.handle(request('POST', '/api/v1/events/ticket', { authorization: bearer, body: {} })))[
          'ticket'
        ],
      );
    const open = (word: string) => typeof admin.ask(upgrade(`/api/v1/events?ticket=${word}`));
    const first = await ticket();
    expect([open(first), open(first), open('word-9')]).toEqual(['function', 'object', 'object']);
    const second = await ticket();
    clock.advance(30_000);
    expect(open(second)).toBe('object');
  });

  it.each<[string, string, Parameters<typeof request>[2], number | 'open']>([
    ['the bearer', '/api/v1/events', { authorization: bearer }, 'open'],
    ['nothing', '/api/v1/events', {}, 401],
    ['types', '/api/v1/events?types=decision,origin', { authorization: bearer }, 'open'],
    ['a type that is none', '/api/v1/events?types=all', { authorization: bearer }, 400],
    ['another path', '/api/v1/sessions', { authorization: bearer }, 404],
    [
      'a page of another site',
      '/api/v1/events',
      { authorization: bearer, headers: { origin: 'https://evil.example' } },
      403,
    ],
  ])('with %s', (_, target, parts, expected) => {
    const asked = fakeAdmin({ token }).admin.ask(upgrade(target, parts));
    expect(typeof asked === 'function' ? 'open' : asked.status).toBe(expected);
  });

  it('lets no page of another site in where no token is asked for', () => {
    const asked = fakeAdmin().admin.ask(upgrade('/api/v1/events', { headers: { 'sec-fetch-site': 'cross-site' } }));
    expect(asked).toMatchObject({ status: 403 });
  });
});
