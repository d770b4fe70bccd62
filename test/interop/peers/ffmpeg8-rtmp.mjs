// Publishes a file over RTMP by ffmpeg 8, which writes HEVC and AV1 in the way of Enhanced RTMP; nothing encoded again.
//
//   FFMPEG8_FOLDER=… node ffmpeg8-rtmp.mjs FILE URL
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

const [file, url] = process.argv.slice(2);
const path = createRequire(`${process.env.FFMPEG8_FOLDER}/package.json`).resolve('node-av');
const { Demuxer, Muxer } = await import(pathToFileURL(path).href);

const input = await Demuxer.open(file);
const output = await Muxer.open(url, { format: 'flv', input });
const places = input.streams.map((stream) => output.addStream(stream));
let isStopping = false;
process.once('SIGTERM', () => (isStopping = true));

const startedMs = performance.now();
let sent = 0;
for await (const packet of input.packets()) {
  if (packet === null || isStopping) break;
  const { timeBase } = input.streams[packet.streamIndex];
  const earlyMs = (Number(packet.dts) * 1000 * timeBase.num) / timeBase.den - (performance.now() - startedMs);
  if (earlyMs > 2) await new Promise((done) => setTimeout(done, earlyMs));
  await output.writePacket(packet, places[packet.streamIndex]);
  sent += 1;
}
await output.close();
await input.close();
console.log(`sent ${sent}`);
