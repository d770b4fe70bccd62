import { z } from 'zod';
import { isNodeEntry } from '../wire/node-host.js';
import { isPathPattern } from '../wire/path-pattern.js';
import { name, seconds, secretRef } from './schema-fields.js';

/** Origins the gateway knows the manners of. */
export const ORIGIN_PRESETS = [
  'red5pro',
  'red5-stream-manager',
  'generic',
  'nginx-rtmp',
  'mediamtx',
  'srs',
  'embedded',
] as const;

const HOST_AND_PORT = String.raw`(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]{0,252})(?::(\d{1,5}))?`;

/** Scheme, host (IPv6 in brackets), port and, of HTTP only, path of an origin address, by its kind. */
export const ORIGIN_URLS = {
  rtmp: new RegExp(String.raw`^(rtmps?)(?:\+srv)?://${HOST_AND_PORT}/?$`),
  rtsp: new RegExp(String.raw`^(rtsps?)(?:\+srv)?://${HOST_AND_PORT}/?$`),
  http: new RegExp(String.raw`^(https?)(?:\+srv)?://${HOST_AND_PORT}((?:/[A-Za-z0-9._~-]{1,128}){0,16})/?$`),
} as const;

const address = (kind: keyof typeof ORIGIN_URLS, without: string) =>
  z.string().regex(ORIGIN_URLS[kind], {
    error: `is not an origin address; expected ${kind}://host:port or ${kind}s://host:port, without ${without}`,
  });

const credentialsSchema = z
  .strictObject({
    mode: z
      .enum(['strip', 'forward', 'static', 'remint'])
      .default('strip')
      .describe(
        "What the origin is shown. `strip`: nothing. `forward`: the client's token. `static`: the same for every stream. `remint`: a fresh short token.",
      ),
    placement: z
      .enum(['query', 'arguments'])
      .default('query')
      .describe('Where it is shown in RTMP: query of the app, or arguments of connect.'),
    http: z
      .enum(['query', 'header'])
      .optional()
      .describe(
        'Where it is shown in WHIP and WHEP: query, or header `Authorization`. Default by preset: `query` for red5pro, red5-stream-manager and srs, `header` for the others.',
      ),
    username: z
      .string()
      .regex(/^[^\s&=?#]{1,256}$/, { error: 'does not fit in a query; expected text without white space and & = ? #' })
      .optional()
      .describe('Mode `static`: the username.'),
    password: secretRef().optional().describe('Mode `static`: the password.'),
    token: secretRef().optional().describe('Mode `static`: the token.'),
    key: secretRef().optional().describe("Mode `remint`: the origin's own secret (HS256), at least 32 bytes."),
    ttlSeconds: seconds().default(60).describe('Mode `remint`: life of the token, in seconds.'),
    issuer: z.string().min(1).max(1024).optional().describe('Mode `remint`: the `iss` of the token.'),
  })
  .prefault({})
  .describe('What the gateway shows the origin.');

const healthCheckSchema = z
  .strictObject({
    intervalSeconds: seconds().default(5).describe('From one check to the next.'),
    timeoutSeconds: seconds().default(2).describe('Time an origin has to answer a check.'),
    failures: z
      .int()
      .min(1)
      .max(100)
      .default(2)
      .describe('Failures in a row, of checks and of streams that could not reach it, after which it is down.'),
    successes: z.int().min(1).max(100).default(2).describe('Good checks in a row after which it is up again.'),
    ejectSeconds: seconds()
      .default(1)
      .describe('Time it is left alone once it is down; doubled each time it falls again soon.'),
    maxEjectSeconds: seconds()
      .default(60)
      .describe('The longest such time; an origin that stays up for so long begins anew.'),
    slowStartSeconds: seconds()
      .default(30)
      .describe('Time in which its share of the paths grows back after it was down.'),
    app: z
      .string()
      .regex(/^[^\s/\\?#;%]{1,128}$/, { error: 'is not the name of an app; expected one path segment' })
      .optional()
      .describe('The app that an RTMP check connects to. Default: the first of `apps`, or live.'),
  })
  .prefault({})
  .describe('How its health is judged.');

const nodesSchema = z
  .strictObject({
    rtmpPort: z.int().min(1).max(65535).default(1935).describe('Where nodes speak RTMP.'),
    rtspPort: z.int().min(1).max(65535).default(8554).describe('Where nodes speak RTSP.'),
    allow: z
      .array(z.string().refine(isNodeEntry, { error: 'is no address, network, host name or .domain' }))
      .min(1)
      .max(256)
      .optional()
      .describe(
        'Where nodes may be: addresses, networks (`10.0.0.0/8`), host names, `.example` for all names below. Absent: anywhere but loopback, link-local and metadata addresses, which count only if they are listed.',
      ),
    username: z.string().min(1).max(256).optional().describe('For managers that want a login for this question.'),
    password: secretRef().optional().describe('Its password.'),
  })
  .optional()
  .describe(
    'Preset `red5-stream-manager`: RTMP and RTSP go to the node that the manager (`http`) names for each stream.',
  );

const originSchema = z.strictObject({
  name: name().describe('Name of the origin, for log and metrics.'),
  preset: z.enum(ORIGIN_PRESETS).default('red5pro').describe('What kind of server it is; sets the defaults below.'),
  rtmp: address('rtmp', 'user, path or query')
    .optional()
    .describe(
      'Address for RTMP: `rtmp://host:port` (port 1935 if absent) or `rtmps://host:port` (443); `rtmp+srv://_rtmp._tcp.example` for the machines that DNS names.',
    ),
  rtsp: address('rtsp', 'user, path or query')
    .optional()
    .describe(
      'Address for RTSP: `rtsp://host:port` (port 554 if absent) or `rtsps://host:port` (322); `rtsp+srv://name` likewise.',
    ),
  http: address('http', 'user or query')
    .optional()
    .describe(
      'Address for WHIP and WHEP: `http://host:port` (port 80 if absent) or `https://host:port` (443), or `http+srv://name`; a path goes before all others.',
    ),
  endpoint: z
    .string()
    .regex(/^\/(?:[A-Za-z0-9._~/?&=-]|\{(?:transport|path|app|stream|scope|name)\}){1,512}$/, {
      error:
        'is not the form of a URL; expected a path such as /{path}/{transport}, of plain characters and {transport}, {path}, {app}, {stream}, {scope}, {name}',
    })
    .optional()
    .describe(
      'Preset `generic`: path and query of its WHIP and WHEP endpoints. `{transport}`: whip or whep. `{path}`: app[/room…]/name, which is `{app}` + `/` + `{stream}`, or `{scope}` + `/` + `{name}`. Default `/{path}/{transport}`.',
    ),
  media: z
    .enum(['relay', 'direct'])
    .default('relay')
    .describe(
      'WebRTC media. `relay`: through the gateway, so that expiry and kick cut it. `direct`: between client and origin, which clients must be able to reach; the gateway sees no media.',
    ),
  nodeGroup: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, { error: 'is not the name of a node group' })
    .optional()
    .describe('Preset `red5-stream-manager`: the node group in which nodes are chosen.'),
  nodes: nodesSchema,
  rooms: z
    .enum(['app', 'name', 'flat'])
    .optional()
    .describe(
      'Where the origin gets the room in RTMP. `app`: app/room + name. `name`: app + room/name. `flat`: joined into one name without slashes, in all transports. Default by preset: `app`; nginx-rtmp `name`; embedded `flat`.',
    ),
  apps: z
    .array(z.string().regex(/^[^\s/\\?#;%]{1,128}$/, { error: 'is not the name of an app; expected one path segment' }))
    .min(1)
    .max(256)
    .optional()
    .describe('The apps it serves; absent: all.'),
  paths: z
    .array(
      z.string().refine(isPathPattern, {
        error: 'is not a pattern of paths; expected segments such as live/eu-*/**, with ** only as a whole segment',
      }),
    )
    .min(1)
    .max(256)
    .optional()
    .describe(
      'The stream paths (app[/room…]/name) it serves, as patterns: `*` is any text within a segment, `**` any segments, also none. A stream belongs to the origins whose pattern says most of its path in plain characters; those without `paths` get what no pattern fits. Absent: all.',
    ),
  health: z
    .enum(['on', 'off'])
    .optional()
    .describe(
      'Whether it is asked now and then if it lives: RTMP by handshake and connect, RTSP and HTTP by OPTIONS. `off`: only streams find out. Default `on`; preset embedded `off`.',
    ),
  healthCheck: healthCheckSchema,
  connectTimeoutSeconds: seconds()
    .default(1)
    .describe('Time to connect while another origin could take the stream; the last has limits.dialTimeoutSeconds.'),
  proxyProtocol: z
    .boolean()
    .default(false)
    .describe(
      "Tell it the client's address in RTMP and RTSP, by a PROXY protocol header (version 2) before all else; it must expect one, from the gateway.",
    ),
  forwardedFor: z
    .boolean()
    .default(true)
    .describe("Tell it the client's address in WHIP and WHEP, by `X-Forwarded-For`."),
  credentials: credentialsSchema,
});

/** `origins`: where accepted streams go. */
export const originsSchema = z
  .array(originSchema)
  .max(256)
  .default([])
  .describe('The media servers behind the gateway. A stream always goes to the same one while it is up.');

/** One origin as the config writes it. */
export type OriginInput = z.output<typeof originSchema>;
