// Preloaded (--require) into every Node target, ruler and gateway alike: SIGUSR2 collects all garbage at once, so that
// memory is compared without what a later collection would have freed anyway. Does nothing until then.
const process = require('node:process');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
});
