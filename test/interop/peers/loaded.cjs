// Preloaded with --require: writes down every script that the process has loaded, by either loader.
const { writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const process = require('node:process');

const urls = new Set();
const session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({ params }) => urls.add(params.url));
session.post('Debugger.enable');
process.on('exit', () => {
  writeFileSync(process.env.LOADED_FILE, JSON.stringify([...urls].filter((url) => url !== '')));
});
