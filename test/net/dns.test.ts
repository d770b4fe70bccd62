import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { srvPlaces } from '../../src/gateway/srv-places.js';
import type { OriginChoice } from '../../src/model/leg.js';
import { systemClock } from '../../src/net/clock.js';
import { createNameResolver, systemQuestions, type DnsQuestions } from '../../src/net/dns.js';
import { fakeClock } from '../fakes/clock.js';
import { turns } from '../session/door-bed.js';

const gone = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }));

function bed(questions: Partial<DnsQuestions>) {
  const clock = fakeClock();
  const asked: string[] = [];
  const all: DnsQuestions = { v4: gone, v6: gone, system: gone, srv: gone, ...questions };
  const noted: DnsQuestions = {
    v4: (host) => (asked.push(`v4 ${host}`), all.v4(host)),
    v6: (host) => all.v6(host),
    system: (host) => (asked.push(`system ${host}`), all.system(host)),
    srv: (name) => (asked.push(`srv ${name}`), all.srv(name)),
  };
  return { clock, asked, names: createNameResolver(clock, noted) };
}

describe('a name', () => {
  it('leads to its addresses by turns, in an order that does not depend on the answer', async () => {
    let v4 = ['192.0.2.2', '192.0.2.1'];
    const { names, clock } = bed({
      v4: () => Promise.resolve(v4.map((address) => ({ address, ttl: 60 }))),
      v6: () => Promise.resolve([{ address: '2001:db8::1', ttl: 30 }]),
    });
    const order = ['2001:db8::1', '192.0.2.1', '192.0.2.2'];
    expect(await names.addresses('a.example')).toEqual(order);
    v4 = [...v4].reverse();
    clock.advance(30_000);
    await turns();
    expect(await names.addresses('a.example')).toEqual(order);
  });

  it('is asked for once, and again in the background when its time is over', async () => {
    let address = '192.0.2.1';
    const { names, clock, asked } = bed({ v4: () => Promise.resolve([{ address, ttl: 60 }]) });
    const both = await Promise.all([names.addresses('a.example'), names.addresses('a.example')]);
    expect(both).toEqual([['192.0.2.1'], ['192.0.2.1']]);
    address = '192.0.2.9';
    const ofDns = () => asked.filter((question) => question.startsWith('v4'));
    clock.advance(59_999);
    await turns();
    expect(ofDns()).toHaveLength(1);
    clock.advance(1);
    await turns();
    expect(ofDns()).toHaveLength(2);
    expect(await names.addresses('a.example')).toEqual(['192.0.2.9']);
  });

  it.each([
    [0, 5000],
    [86_400, 300_000],
  ])('with a TTL of %d s is asked for again after %d ms', async (ttl, expectedMs) => {
    const { names, clock, asked } = bed({ v4: () => Promise.resolve([{ address: '192.0.2.1', ttl }]) });
    await names.addresses('a.example');
    const ofDns = () => asked.filter((question) => question.startsWith('v4'));
    clock.advance(expectedMs - 1);
    await turns();
    expect(ofDns()).toHaveLength(1);
    clock.advance(1);
    await turns();
    expect(ofDns()).toHaveLength(2);
  });

  it('keeps its last addresses while DNS is away, and is asked for again and again', async () => {
    let isAway = false;
    const { names, clock, asked } = bed({
      v4: () => (isAway ? gone() : Promise.resolve([{ address: '192.0.2.1', ttl: 60 }])),
    });
    await names.addresses('a.example');
    isAway = true;
    for (let ms = 0; ms < 120_000; ms += 1000) {
      clock.advance(1000);
      await turns();
    }
    expect(await names.addresses('a.example')).toEqual(['192.0.2.1']);
    expect(asked.filter((question) => question.startsWith('v4')).length).toBeGreaterThan(20);
  });

  it('that was never found is an error, and not remembered', async () => {
    const { names, asked, clock } = bed({});
    await expect(names.addresses('a.example')).rejects.toMatchObject({ code: 'origin-unavailable' });
    await expect(names.addresses('a.example')).rejects.toThrow('cannot find a.example: ENOTFOUND');
    expect(asked.filter((question) => question.startsWith('system'))).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('without a dot is asked of the system, which knows files and search domains', async () => {
    const { names, asked } = bed({ system: () => Promise.resolve(['127.0.0.1', '::1']) });
    expect(await names.addresses('localhost')).toEqual(['::1', '127.0.0.1']);
    expect(asked).toEqual(['system localhost']);
  });

  it('leads where a file of the system says, whatever DNS thinks of it', async () => {
    const { names } = bed({
      v4: () => Promise.resolve([{ address: '203.0.113.7', ttl: 60 }]),
      system: () => Promise.resolve(['10.0.0.5']),
    });
    expect(await names.addresses('origin.example')).toEqual(['10.0.0.5']);
  });

  it('holds for as long as DNS says where the system says the same', async () => {
    const { names, clock, asked } = bed({
      v4: () => Promise.resolve(['192.0.2.1', '192.0.2.2'].map((address) => ({ address, ttl: 7 }))),
      system: () => Promise.resolve(['192.0.2.2']),
    });
    expect(await names.addresses('origin.example')).toEqual(['192.0.2.2']);
    clock.advance(7000);
    await turns();
    expect(asked.filter((question) => question.startsWith('v4'))).toHaveLength(2);
  });

  it('that nobody uses any more is let go of', async () => {
    const { names, clock } = bed({ v4: () => Promise.resolve([{ address: '192.0.2.1', ttl: 300 }]) });
    await names.addresses('a.example');
    for (let ms = 0; ms < 1_000_000; ms += 10_000) {
      clock.advance(10_000);
      await turns();
    }
    expect(clock.pending).toBe(0);
  });

  it('that is an address is its own', async () => {
    const { names, asked } = bed({});
    expect(await names.addresses('2001:db8::7')).toEqual(['2001:db8::7']);
    expect(asked).toEqual([]);
  });
});

describe('an SRV name', () => {
  const origin: OriginChoice = {
    ...{ name: 'a', host: '_rtmp._tcp.media.example', port: 0, secure: false, find: 'srv' },
    ...{ app: 'live', streamName: 'cam', credentials: { placement: 'none', pairs: [] } },
  };
  const target = (host: string, priority = 1, weight = 1) => ({ host, port: 1935, priority, weight });
  const hostsFor = async (targets: ReturnType<typeof target>[], changes: Partial<OriginChoice> = {}) => {
    const { names } = bed({ srv: () => Promise.resolve(targets) });
    return (await srvPlaces({ ...origin, ...changes }, names)).map(({ host }) => host);
  };

  it('leads to its machines by priority; all but the last have a time to connect', async () => {
    const { names } = bed({ srv: () => Promise.resolve([target('b.media.example', 2), target('a.media.example', 1)]) });
    const places = await srvPlaces(origin, names);
    expect(places).toMatchObject([
      { host: 'a.media.example', port: 1935, connectTimeoutMs: 1000 },
      { host: 'b.media.example', port: 1935 },
    ]);
    expect(places[1]).not.toHaveProperty('connectTimeoutMs');
    expect(places[0]).not.toHaveProperty('find');
  });

  it('shares streams among equals by weight, always in the same way', async () => {
    const targets = [target('a.example', 1, 3), target('b.example', 1, 1), target('c.example', 1, 0)];
    const first = new Map<string, number>();
    for (let index = 0; index < 200; index++) {
      const hosts = await hostsFor(targets, { streamName: `cam${index}` });
      expect(await hostsFor([...targets].reverse(), { streamName: `cam${index}` })).toEqual(hosts);
      first.set(hosts[0] ?? '', (first.get(hosts[0] ?? '') ?? 0) + 1);
    }
    expect(first.get('a.example')).toBeGreaterThan(120);
    expect(first.get('b.example')).toBeGreaterThan(25);
    expect(first.has('c.example')).toBe(false);
  });

  it('leads inside TLS only to machines below its own domain', async () => {
    const targets = [target('evil.example'), target('one.MEDIA.example'), target('notmedia.example')];
    expect(await hostsFor(targets, { secure: true })).toEqual(['one.MEDIA.example']);
    await expect(hostsFor([target('evil.example')], { secure: true })).rejects.toThrow('below its own domain');
  });

  it.each([['.'], ['']])('says by the target %j that there is no such service', async (host) => {
    await expect(hostsFor([target(host)])).rejects.toMatchObject({ code: 'origin-unavailable' });
  });
});

describe('questions to a name server', () => {
  const server = createSocket('udp4');
  afterEach(() => void server.close());

  it('are answered with addresses, their time, and machines', async () => {
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('message', (query, { port, address }) => server.send(answerTo(query), port, address));
    const names = createNameResolver(systemClock, systemQuestions([`127.0.0.1:${server.address().port}`]));
    expect(await names.addresses('media.example')).toEqual(['192.0.2.7']);
    expect(await names.targets('_rtmp._tcp.media.example')).toEqual([
      { host: 'one.media.example', port: 1936, priority: 10, weight: 20 },
    ]);
    names.stop();
  });
});

/** A to 192.0.2.7, SRV to one.media.example:1936, nothing else. @see RFC 1035 §4 */
function answerTo(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const type = query.readUInt16BE(end - 4);
  const name = Buffer.concat(
    ['one', 'media', 'example'].map((part) => Buffer.from([part.length, ...Buffer.from(part)])),
  );
  const port = Buffer.from([0, 10, 0, 20, 1936 >> 8, 1936 & 255]);
  const data =
    type === 1 ? Buffer.from([192, 0, 2, 7]) : type === 33 ? Buffer.concat([port, name, Buffer.alloc(1)]) : undefined;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(data === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  const question = query.subarray(12, end);
  if (data === undefined) return Buffer.concat([head, question]);
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([head, question, record, data]);
}
