// Publishes a file by ffmpeg 8 at its own speed, nothing encoded again: by its WHIP muxer, or over RTMP, where it writes HEVC
// and AV1 in the way of Enhanced RTMP.
//
//   FFMPEG8_FOLDER=… FFMPEG8_TOKEN=… node ffmpeg8.mjs whip|flv FILE URL
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// node-av counts on Node 22.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};

const [format, file, url] = process.argv.slice(2);
const { FFMPEG8_FOLDER: folder, FFMPEG8_TOKEN: authorization } = process.env;
const path = createRequire(`${folder}/package.json`).resolve('node-av');
const { Demuxer, Muxer, getFFmpegInfo } = await import(pathToFileURL(path).href);
console.log(`ffmpeg ${getFFmpegInfo().version}`);

const input = await Demuxer.open(file);
const output = await Muxer.open(url, { format, input, options: authorization ? { authorization } : {} });
const places = input.streams.map((stream) => output.addStream(stream));
let isStopping = false;
process.once('SIGTERM', () => (isStopping = true));

const startedMs = performance.now();
let sent = 0;
for await (const packet of input.packets()) {
  if (packet === null || isStopping) break;
  const { timeBase } = input.streams[packet.streamIndex];
  const dueMs = (Number(packet.dts) * 1000 * timeBase.num) / timeBase.den;
  const earlyMs = dueMs - (performance.now() - startedMs);
  if (earlyMs > 2) await new Promise((done) => setTimeout(done, earlyMs));
  await output.writePacket(packet, places[packet.streamIndex]);
  sent += 1;
}
await output.close();
await input.close();
console.log(`sent ${sent}`);
