// npm run bench -- rtmp | rtsp [options]
await import(process.argv[2] === 'rtsp' ? './rtsp.mjs' : './run.mjs');
