// Preloaded with --require, beside --expose-gc: at SIGUSR2 the process says what it holds on to, as one line of standard error.
const process = require('node:process');
const { setImmediate } = require('node:timers');

process.on('SIGUSR2', () => {
  globalThis.gc();
  // Finalizers and the closing of handles take a turn of the loop.
  setImmediate(() => {
    globalThis.gc();
    const resources = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    process.stderr.write(`weighed ${JSON.stringify({ heap: process.memoryUsage().heapUsed, resources })}\n`);
  });
});
