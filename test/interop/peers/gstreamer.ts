import { start, type Program } from './program.js';

/** Publishes test picture and tone with `rtmp2sink` for so many seconds. */
export function gstPublish(url: string, seconds: number): Program {
  const video = `videotestsrc is-live=true num-buffers=${seconds * 25} ! video/x-raw,width=320,height=180,framerate=25/1`;
  const encoder = 'x264enc speed-preset=ultrafast tune=zerolatency key-int-max=25 ! h264parse';
  const audio = `audiotestsrc is-live=true num-buffers=${Math.round((seconds * 44100) / 1024)} samplesperbuffer=1024`;
  const pipeline = [
    `${video} ! ${encoder} ! queue ! mux.`,
    `${audio} ! audio/x-raw,rate=44100,channels=1 ! audioconvert ! avenc_aac ! aacparse ! queue ! mux.`,
    `flvmux name=mux streamable=true ! rtmp2sink name=out location=${url}`,
  ];
  return start('gst-launch-1.0', ['-e', ...pipeline.join(' ').split(' ')]);
}

/** Plays with `rtmp2src` into a file until so many blocks have come, or it is stopped. */
export function gstRecord(url: string, file: string): Program {
  return start('gst-launch-1.0', [
    '-e',
    'rtmp2src',
    `location=${url}`,
    '!',
    'filesink',
    `location=${file}`,
    'buffer-mode=unbuffered',
  ]);
}
