// npm run bench -- rtmp | rtsp | webrtc [options]
const FILES = { rtsp: './rtsp.mjs', webrtc: './webrtc.mjs' };
await import(FILES[process.argv[2]] ?? './run.mjs');
