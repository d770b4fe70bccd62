import { afterAll } from '@jest/globals';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, request as passOn, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One POST as it passed between the gateway and an origin. */
export interface Exchange {
  readonly path: string;
  /** As the origin got it. */
  readonly offer: string;
  /** As the gateway got it: as the origin gave it, but for the address of its candidates. */
  readonly answer: string;
  /** RTP packets that the gateway sent to the origin, by SSRC. */
  readonly rtp: ReadonlyMap<number, number>;
}

/** Stands between the gateway and an origin for WHIP and WHEP, for HTTP and for media. */
export interface OriginTap {
  readonly port: number;
  readonly exchanges: readonly Exchange[];
}

const HOST = '127.0.0.1';
const closers = new Set<() => void>();

afterAll(() => {
  for (const close of closers) close();
});

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4');
  closers.add(() => socket.close());
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return socket;
}

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Counts a datagram if it is RTP: version 2, and no type of RTCP. @see RFC 5761 §4 */
function count(rtp: Map<number, number>, bytes: Buffer): void {
  const isMedia = bytes.length >= 12 && (bytes[0] ?? 0) >> 6 === 2;
  const type = (bytes[1] ?? 0) & 127;
  if (!isMedia || (type >= 64 && type <= 95)) return;
  const ssrc = bytes.readUInt32BE(8);
  rtp.set(ssrc, (rtp.get(ssrc) ?? 0) + 1);
}

/** Carries the media of one session: the gateway on one side, the origin's `port` on the other. Gives the port in its place. */
async function carry(port: number, rtp: Map<number, number>): Promise<number> {
  const [front, back] = [await bind(), await bind()];
  let gatewayPort: number | undefined;
  front.on('message', (bytes, from) => {
    gatewayPort = from.port;
    count(rtp, bytes);
    back.send(bytes, port, HOST);
  });
  back.on('message', (bytes) => {
    if (gatewayPort !== undefined) front.send(bytes, gatewayPort, HOST);
  });
  return front.address().port;
}

/** Starts one in front of the origin whose HTTP port is `originPort`. */
export async function startOriginTap(originPort: number): Promise<OriginTap> {
  const exchanges: Exchange[] = [];
  const pass = async (asked: IncomingMessage): Promise<{ answer: IncomingMessage; body: string }> => {
    const offer = await textOf(asked);
    const { method, url: path = '', headers } = asked;
    const onward = passOn({ host: HOST, port: originPort, method, path, headers, agent: false });
    onward.end(offer);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    const body = await textOf(answer);
    if (method !== 'POST') return { answer, body };
    const rtp = new Map<number, number>();
    const [, first] = /^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) /im.exec(body) ?? [];
    const tapped = first === undefined ? undefined : await carry(Number(first), rtp);
    const changed = tapped === undefined ? body : body.replaceAll(` ${HOST} ${first} typ`, ` ${HOST} ${tapped} typ`);
    exchanges.push({ path, offer, answer: changed, rtp });
    return { answer, body: changed };
  };
  const server = createServer((asked, response) => {
    pass(asked).then(
      ({ answer: { statusCode = 502, headers }, body }) => {
        const { location, 'content-type': type } = headers;
        const shown = {
          ...(location !== undefined && { location }),
          ...(type !== undefined && { 'content-type': type }),
        };
        response.writeHead(statusCode, shown).end(body);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  closers.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, exchanges };
}
