import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { configFrom, quietDeps } from './fakes/gateway-config.js';
import { startGateway, type Gateway } from '../src/gateway.js';
import { selfSigned } from './config/loading.js';
import { ANSWER, OFFER } from './transports/webrtc/bed.js';

interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

let origin: Server;
let originPort = 0;
let heard: Heard[] = [];
let gateway: Gateway | undefined;

beforeEach(async () => {
  heard = [];
  origin = createServer((request, response) => {
    heard.push({ method: request.method, url: request.url, headers: request.headers });
    request.resume();
    if (request.method !== 'POST') response.writeHead(200).end();
    else response.writeHead(201, { location: '/live/cam/whip/1', 'content-type': 'application/sdp' }).end(ANSWER.WHIP);
  });
  await new Promise<void>((done) => origin.listen(0, '127.0.0.1', done));
  originPort = (origin.address() as AddressInfo).port;
});

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await new Promise((done) => origin.close(done));
});

/** A gateway with listeners for HTTP, whose origin gets the media itself. */
async function start(more: Readonly<Record<string, unknown>> = {}, originMore: Readonly<Record<string, unknown>> = {}) {
  const config = {
    listen: { http: { host: '127.0.0.1', port: 0 } },
    hooks: ['open'],
    origins: [
      { name: 'o', preset: 'mediamtx', http: `http://127.0.0.1:${originPort}`, media: 'direct', ...originMore },
    ],
    ...more,
  };
  gateway = await startGateway(configFrom(JSON.stringify(config)), quietDeps());
  return (name: string) => gateway?.addresses[name]?.port ?? 0;
}

const post = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp', ...headers }, body: OFFER.WHIP });

describe('a gateway that listens for HTTP', () => {
  it('opens a session on real ports, and gives it back when it stops', async () => {
    const portOf = await start();
    const answer = await post(`http://127.0.0.1:${portOf('http')}/live/whip/cam`);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toMatch(`http://127.0.0.1:${portOf('http')}/session/`);
    expect(await answer.text()).toBe(ANSWER.WHIP);
    await gateway?.stop();
    gateway = undefined;
    expect(heard.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /live/cam/whip',
      'DELETE /live/cam/whip/1',
    ]);
  });

  it('shows an origin credentials where its kind looks for them', async () => {
    const credentials = { mode: 'static', placement: 'arguments', token: { value: 'origin token' } };
    const portOf = await start({}, { credentials });
    await post(`http://127.0.0.1:${portOf('http')}/live/whip/cam`);
    expect(heard[0]?.headers).toMatchObject({ authorization: 'Bearer origin token', 'x-forwarded-for': '127.0.0.1' });
    await gateway?.stop();
    const portOfRed5 = await start({}, { credentials, preset: 'red5pro' });
    await post(`http://127.0.0.1:${portOfRed5('http')}/live/whip/cam`);
    expect(heard.at(-1)?.url).toBe('/live/whip/endpoint/cam?token=origin%20token');
  });

  it('refuses whatever is no request in the words of its transport', async () => {
    const portOf = await start();
    const answer = await fetch(`http://127.0.0.1:${portOf('http')}/live/whip/cam`, {
      method: 'POST',
      body: 'x'.repeat(70_000),
    });
    expect(answer.status).toBe(413);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('serves the pages where they are wanted', async () => {
    const portOf = await start({ listen: { http: { host: '127.0.0.1', port: 0, pages: true } } });
    const answer = await fetch(`http://127.0.0.1:${portOf('http')}/`);
    expect(answer.url).toMatch(/\/publish$/);
    expect(await answer.text()).toContain('<title>Publish');
  });

  it('listens inside TLS with the certificates of the others', async () => {
    const pair = selfSigned();
    const certificates = [{ cert: { value: pair.cert }, key: { value: pair.key } }];
    const portOf = await start({ listen: { https: { host: '127.0.0.1', port: 0 } }, tls: { certificates } });
    expect(portOf('https')).toBeGreaterThan(0);
  });

  it('says so when the origin is not there', async () => {
    const portOf = await start({}, { http: 'http://127.0.0.1:1' });
    expect((await post(`http://127.0.0.1:${portOf('http')}/live/whip/cam`)).status).toBe(503);
  });
});
