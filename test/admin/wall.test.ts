import { createContext, Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { frameSourceOf } from '../../src/admin/frame-source.js';
import { dashboardFile } from '../../src/admin/pages/index.js';
import type { WallView } from '../../src/admin/ports.js';
import { Secret } from '../../src/model/secret.js';
import { fakeAdmin, fakePorts, request, TOKEN, valueOf } from './fixture.js';

const TILE = 'http://127.0.0.1:5080/watch-tile';
const policyOf = (headers: readonly (readonly [string, string])[]) =>
  Object.fromEntries(headers)['Content-Security-Policy'] ?? '';

/** What a module of the page exports, run here without a browser. */
function exportsOf(path: string, names: readonly string[]): unknown {
  const text = String(dashboardFile(path, 'GET', () => undefined)?.body);
  const plain = text.replace(/^import .*$/gm, '').replace(/^export /gm, '');
  return new Script(`${plain}\n;({ ${names.join(', ')} })`).runInContext(createContext({ URL }));
}

describe('the address that the dashboard may frame', () => {
  it.each<[string, Partial<WallView>, string | undefined, string | undefined]>([
    ['the tile', { tileUrl: TILE }, 'localhost:9090', TILE],
    [
      'the tile below the path of a proxy',
      { tileUrl: 'https://m.example/e/watch-tile' },
      '',
      'https://m.example/e/watch-tile',
    ],
    ['no tile', {}, 'localhost:9090', undefined],
    ['a tile that cannot be used', { tileUrl: TILE, problem: { code: 'no-key', text: '' } }, 'localhost', undefined],
    [
      'any host',
      { tileUrl: 'http://0.0.0.0:5080/watch-tile' },
      'ops.example:9090',
      'http://ops.example:5080/watch-tile',
    ],
    ['any host of IPv6', { tileUrl: 'http://[::]:5080/watch-tile' }, '10.0.0.3', 'http://10.0.0.3:5080/watch-tile'],
    ['any host, asked by none', { tileUrl: 'http://0.0.0.0:5080/watch-tile' }, undefined, undefined],
    ['any host, asked by IPv6', { tileUrl: 'http://0.0.0.0:5080/watch-tile' }, '[::1]:9090', undefined],
    ['an IPv6 address', { tileUrl: 'http://[::1]:5080/watch-tile' }, 'localhost', undefined],
    [
      'a host that is a policy',
      { tileUrl: 'http://0.0.0.0:5080/watch-tile' },
      "a; script-src 'unsafe-inline'",
      undefined,
    ],
    ['a host that is all', { tileUrl: 'http://0.0.0.0:5080/watch-tile' }, '*', undefined],
  ])('for %s', (_, view, host, source) => {
    expect(frameSourceOf({ framedBy: [], ...view }, host)).toBe(source);
  });

  it('stands in the policy of the page, beside nothing that is looser', async () => {
    const { headers } = await fakeAdmin().admin.handle(request('GET', '/'));
    expect(policyOf(headers)).toMatch(/; frame-src http:\/\/127\.0\.0\.1:5080\/watch-tile$/);
    expect(policyOf(headers)).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';");
    expect(policyOf(headers)).toContain("frame-ancestors 'none'");
  });

  it('is none where there is no tile', async () => {
    const { ports } = fakePorts({ wall: () => ({ framedBy: [] }) });
    const { headers } = await fakeAdmin({ ports }).admin.handle(request('GET', '/'));
    expect(policyOf(headers)).not.toContain('frame-src');
  });
});

describe('GET /api/v1/wall', () => {
  it('tells what the page needs, to those with the token', async () => {
    const { admin } = fakeAdmin({ token: new Secret(TOKEN) });
    expect((await admin.handle(request('GET', '/api/v1/wall'))).status).toBe(401);
    const authorization = new Secret(`Bearer ${TOKEN}`);
    expect(valueOf(await admin.handle(request('GET', '/api/v1/wall', { authorization })))).toEqual({
      ...{ tileUrl: TILE, framedBy: ['http://127.0.0.1:9090'], tokenTtlSeconds: 60 },
    });
  });
});

describe('the scripts of the dashboard', () => {
  const files = ['dashboard', 'connection', 'drawing', 'wall', 'tile'];

  it.each(files)('/%s.js imports only what is there', (name) => {
    const text = String(dashboardFile(`/${name}.js`, 'GET', () => undefined)?.body);
    const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, file]) => file ?? '');
    expect(imports.filter((file) => dashboardFile(file, 'GET', () => undefined) === undefined)).toEqual([]);
    expect(() => new Script(text.replace(/^import .*$|^export /gm, ''))).not.toThrow();
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc/);
  });
});

describe('the wall', () => {
  interface Wall {
    readonly obstacleOf: (
      news: Partial<WallView>,
      here: object,
    ) => { readonly code: string; readonly text: string } | undefined;
    readonly nextOnes: (
      live: readonly number[],
      first: number,
      free: number,
      isWanted: (one: number) => boolean,
    ) => readonly number[];
  }
  const { obstacleOf, nextOnes } = exportsOf('/wall.js', ['obstacleOf', 'nextOnes']) as Wall;
  const at = (url: string) => new URL(url);

  it.each<[string, string, Partial<WallView>, string | undefined]>([
    ['the dashboard', 'http://127.0.0.1:9090/', { tileUrl: TILE }, undefined],
    ['the dashboard by another name', 'http://localhost:9090/', { tileUrl: TILE }, 'place-unknown'],
    ['a tunnel from another port', 'http://127.0.0.1:19090/', { tileUrl: TILE }, 'place-unknown'],
    [
      'a config without keys',
      'http://127.0.0.1:9090/',
      { tileUrl: TILE, problem: { code: 'no-key', text: '' } },
      'no-key',
    ],
    ['TLS with a watch page of loopback', 'https://ops.example/', { tileUrl: TILE }, undefined],
    ['TLS with a watch page without', 'https://ops.example/', { tileUrl: 'http://0.0.0.0:5080/t' }, 'mixed-content'],
    ['TLS on both sides', 'https://ops.example/', { tileUrl: 'https://0.0.0.0:5443/t' }, undefined],
  ])('says for %s whether there can be pictures', (_, url, news, code) => {
    const framedBy = ['http://127.0.0.1:9090', 'https://ops.example'];
    expect(obstacleOf({ framedBy, ...news }, at(url))?.code).toBe(code);
  });

  it('names the address to set where it is open at an unknown one', () => {
    const text = obstacleOf({ tileUrl: TILE, framedBy: ['http://127.0.0.1:9090'] }, at('http://localhost:19090'))?.text;
    expect(text).toContain('set listen.admin.publicUrl to http://localhost:19090');
  });

  it.each([
    ['the newest first', 0, 6, [9, 8, 7, 6, 5, 4]],
    ['as many as there is room', 0, 2, [9, 8]],
    ['those of the next page', 6, 6, [2, 1]],
    ['none beyond the end', 12, 6, []],
  ])('takes %s', (_, first, free, wanted) => {
    expect([...nextOnes([9, 8, 7, 6, 5, 4, 3, 2, 1], first, free, (one) => one !== 3)]).toEqual(wanted);
  });
});

describe('the words for a missing picture', () => {
  type Reason = (code: string, stream: object, place: string) => string | undefined;
  const { reasonFor } = exportsOf('/tile.js', ['reasonFor']) as { readonly reasonFor: Reason };
  const rtmp = { transport: 'RTMP', origin: 'o1', offersWhep: false };

  it.each<[string, object, string]>([
    ['origin-unavailable', rtmp, 'The origin o1 offers no WHEP'],
    ['origin-unavailable', { ...rtmp, offersWhep: true }, 'No origin answers for it by WHEP.'],
    ['origin-refused', rtmp, 'many do not turn RTMP into WebRTC'],
    ['origin-refused', { transport: 'WHIP' }, 'gives this stream to no viewer by WHEP'],
    ['no-picture', rtmp, 'no picture comes'],
    ['frame-refused', rtmp, 'http://127.0.0.1:5080 did not come up'],
    ['hook-denied', rtmp, 'A hook of this gateway said no'],
  ])('for %s are about the stream', (code, stream, words) => {
    expect(reasonFor(code, stream, 'http://127.0.0.1:5080')).toContain(words);
  });

  it('are those of the gateway for what it says itself', () => {
    expect(reasonFor('limit-connections', rtmp, '')).toBeUndefined();
  });
});
