// What stands before and behind the target of the RTSP bench, each in a process of its own.
// node rtsp-peer.mjs sink                                           an origin that takes everything and counts packets
// node rtsp-peer.mjs load PORT STREAMS tcp|udp TOKEN                so many publishers, 25 pictures a second of eight packets each
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';
const PAYLOAD_BYTES = 1200;
const PACKETS_PER_PICTURE = 8;
const PICTURE_MS = 40;
const SDP =
  'v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=bench\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:streamid=0\r\n';

let packets = 0;

/** Calls for each whole message or frame at the front of what came. */
function reader(onMessage) {
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    for (;;) {
      if (held[0] === 0x24) {
        if (held.length < 4 || held.length < 4 + held.readUInt16BE(2)) return;
        packets += 1;
        held = held.subarray(4 + held.readUInt16BE(2));
        continue;
      }
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = held.toString('latin1', 0, end);
      const size = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (held.length < size) return;
      held = held.subarray(size);
      onMessage(head);
    }
  };
}

function sink() {
  const server = createServer({ noDelay: true }, (socket) => {
    const answer = (head) => {
      const more = head.startsWith('SETUP')
        ? `Session: bench;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n`
        : 'Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN, GET_PARAMETER\r\n';
      socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${/cseq: (\d+)/i.exec(head)?.[1] ?? 0}\r\n${more}\r\n`);
    };
    socket.on('data', reader(answer));
    socket.on('error', () => undefined);
  });
  server.listen(0, HOST, () => process.send({ port: server.address().port }));
}

async function publisher(port, name, way, token) {
  const socket = connect({ port, host: HOST, noDelay: true });
  let onAnswer = () => undefined;
  socket.on(
    'data',
    reader((head) => onAnswer(head)),
  );
  socket.on('error', (error) => process.send({ failed: error.message }));
  let sequence = 0;
  const url = `rtsp://${HOST}:${port}/live/${name}`;
  const ask = (method, uri, headers = '', body = '') =>
    new Promise((resolve, reject) => {
      onAnswer = (head) => (head.includes(' 200 ') ? resolve(head) : reject(new Error(head.split('\r\n')[0])));
      sequence += 1;
      const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
      socket.write(`${method} ${uri} RTSP/1.0\r\nCSeq: ${sequence}\r\n${headers}${length}\r\n${body}`);
    });
  const media = way === 'udp' ? await bind() : undefined;
  await ask('ANNOUNCE', `${url}?token=${token}`, 'Content-Type: application/sdp\r\n', SDP);
  const wish = media
    ? `RTP/AVP;unicast;client_port=${media.address().port}-${media.address().port + 1}`
    : 'RTP/AVP/TCP;unicast;interleaved=0-1';
  const answer = await ask('SETUP', `${url}/streamid=0`, `Transport: ${wish};mode=record\r\n`);
  await ask('RECORD', url, `Session: ${/session: ([^;\r]+)/i.exec(answer)?.[1]}\r\n`);
  const rtp = Buffer.alloc(PAYLOAD_BYTES, 7);
  rtp[0] = 0x80;
  if (media) {
    const to = Number(/server_port=(\d+)/.exec(answer)?.[1]);
    return () => media.send(rtp, to, HOST);
  }
  const frame = Buffer.concat([Buffer.from([0x24, 0, PAYLOAD_BYTES >> 8, PAYLOAD_BYTES & 255]), rtp]);
  return () => socket.write(frame);
}

const bind = () =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(0, HOST, () => resolve(socket));
  });

async function load(port, streams, way, token) {
  const publishers = [];
  for (let index = 0; index < streams; index++) publishers.push(await publisher(port, `s${index}`, way, token));
  const startMs = performance.now();
  // Spread over the picture's time, as encoders are that know nothing of each other.
  publishers.forEach((send, index) => {
    let due = startMs + (PICTURE_MS * index) / streams;
    const picture = () => {
      for (let packet = 0; packet < PACKETS_PER_PICTURE; packet++) send();
      packets += PACKETS_PER_PICTURE;
      due += PICTURE_MS;
      setTimeout(picture, due - performance.now());
    };
    setTimeout(picture, due - performance.now());
  });
  process.send({ ready: true });
}

process.on('message', () => process.send({ packets }));
process.on('disconnect', () => process.exit());
const [role, port, streams, way, token] = process.argv.slice(2);
if (role === 'sink') sink();
else load(Number(port), Number(streams), way, token).catch((error) => process.send({ failed: error.message }));
