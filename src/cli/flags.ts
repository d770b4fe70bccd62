import type { FlagSpec, FlagSpecs } from './arguments.js';

const config: FlagSpec = { type: 'text', placeholder: 'FILE', help: 'The config, YAML or JSON.' };

/** Flags of `serve`. */
export const SERVE_FLAGS = {
  config: { ...config, help: 'The config, YAML or JSON. Without it PORTCULLIS_ variables must say everything.' },
  'no-watch': { type: 'switch', help: 'Do not reload when the config file changes; SIGHUP still does.' },
} as const satisfies FlagSpecs;

/** Flags of `dev`. */
export const DEV_FLAGS = {
  'rtmp-port': { type: 'text', placeholder: 'PORT', help: 'TCP port for RTMP; 0: any free one; default: 1935.' },
  'rtsp-port': { type: 'text', placeholder: 'PORT', help: 'TCP port for RTSP; 0: any free one; default: 8554.' },
  'http-port': {
    type: 'text',
    placeholder: 'PORT',
    help: 'TCP port for WHIP and WHEP; 0: any free one; default: 5080.',
  },
  'media-port': { type: 'text', placeholder: 'PORT', help: 'UDP port for WebRTC; 0: any free one; default: 8189.' },
  'admin-port': {
    type: 'text',
    placeholder: 'PORT',
    help: 'TCP port for operators; 0: any free one; default: 9090, or any free one when that is taken.',
  },
  'log-level': { type: 'text', placeholder: 'LEVEL', help: 'debug, info, warn or error; default: info.' },
} as const satisfies FlagSpecs;

/** Flags of `check`. */
export const CHECK_FLAGS = {
  config: SERVE_FLAGS.config,
  full: { type: 'switch', help: 'Print the whole effective config, with every default; secrets as fingerprints.' },
} as const satisfies FlagSpecs;

/** Flags of `token mint`. */
export const MINT_FLAGS = {
  config: { ...config, help: 'The config with the key to sign with, and with issuer and audience.' },
  key: { type: 'text', placeholder: 'ID', help: 'Id of the key; default: the first with a secret.' },
  role: { type: 'text', placeholder: 'ROLE', help: 'publisher, subscriber or both; default: no claim.' },
  transport: { type: 'text', placeholder: 'LIST', help: 'RTMP, RTSP, WHIP, WHEP, with commas; default: no claim.' },
  room: { type: 'text', placeholder: 'LIST', help: 'Rooms, with commas; default: no claim.' },
  ttl: { type: 'text', placeholder: 'TIME', help: 'Life: 90s, 10m or 2h; default: 10m, or the ceiling if lower.' },
  subject: { type: 'text', placeholder: 'TEXT', help: 'Who it is for (sub).' },
} as const satisfies FlagSpecs;

/** Flags of `token why`. */
export const WHY_FLAGS = {
  config: { ...config, help: 'The config whose keys and rules decide.' },
  action: { type: 'text', placeholder: 'ACTION', help: 'connect, publish or subscribe.' },
  path: { type: 'text', placeholder: 'PATH', help: 'The stream: app[/room…]/name; for connect app[/room…].' },
  transport: { type: 'text', placeholder: 'NAME', help: 'RTMP, RTSP, WHIP or WHEP; default: RTMP.' },
  address: { type: 'text', placeholder: 'IP', help: "The client's address; default: one that may come in." },
  revocations: { type: 'text', placeholder: 'FILE', help: 'Revocations; default: the file that the config names.' },
  offline: { type: 'switch', help: 'Fetch no key sets (auth.keys[].jwksUrl).' },
} as const satisfies FlagSpecs;

/** Flags of `doctor`. */
export const DOCTOR_FLAGS = {
  config: { ...config, help: 'The config to look around for. Without it only the machine is looked at.' },
  running: { type: 'switch', help: 'The gateway runs now: its ports must be taken, and answer.' },
  json: { type: 'switch', help: 'Print one JSON object.' },
} as const satisfies FlagSpecs;
