import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { dialTcp } from '../../src/net/dial.js';

/** An RTSP origin on a port of its own that describes anything, or takes connections and says nothing. */
export async function liveRtspOrigin(isSilent = false) {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (bytes) => {
      if (isSilent) return;
      const text = bytes.toString('latin1');
      const [method = ''] = text.split(' ');
      asked.push(method);
      const sequence = /CSeq: *(\d+)/i.exec(text)?.[1] ?? '1';
      const head = `RTSP/1.0 200 OK\r\nCSeq: ${sequence}\r\n`;
      if (method === 'DESCRIBE') {
        const sdp =
          'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n';
        socket.write(`${head}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`);
      } else if (method === 'SETUP') {
        socket.write(`${head}Session: 12345678\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`);
      } else socket.write(`${head}Session: 12345678\r\n\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kill = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, asked, kill, close, url: `rtsp://127.0.0.1:${port}` };
}

/** A viewer of RTSP that asks one thing after the other; `closed` resolves with the moment, as `performance.now()` has it. */
export async function liveRtspViewer(port: number) {
  const stream = await dialTcp({
    ...{ host: '127.0.0.1', port, secure: false, timeoutMs: 2000, signal: new AbortController().signal },
  });
  let heard = '';
  let onMore: () => void = () => undefined;
  const closed = new Promise<number>((resolve) =>
    stream.handle({
      onBytes: (bytes) => {
        heard += bytes.toString('latin1');
        onMore();
      },
      onClose: () => {
        resolve(performance.now());
        onMore();
      },
    }),
  );
  let sequence = 0;
  const ask = async (method: string, path: string, more = '') => {
    heard = '';
    sequence += 1;
    stream.write(
      Buffer.from(`${method} rtsp://127.0.0.1:${port}/${path} RTSP/1.0\r\nCSeq: ${sequence}\r\n${more}\r\n`),
    );
    while (!heard.includes('\r\n\r\n') && !stream.closed) await new Promise<void>((resolve) => (onMore = resolve));
    return { status: Number(heard.split(' ')[1]), text: heard };
  };
  return { ask, closed };
}
