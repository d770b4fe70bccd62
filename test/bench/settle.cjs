// Preloaded (--require) into every Node target, ruler and gateway alike. SIGUSR2 collects all garbage at once, so that memory is
// compared without what a later collection would have freed anyway, and writes down how large the young generation is now.
// Does nothing until then.
const { writeFileSync } = require('node:fs');
const process = require('node:process');
const { getHeapSpaceStatistics, setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  collect();
  collect();
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  writeFileSync('young-generation-kb', String(young.physical_space_size / 1024));
});
