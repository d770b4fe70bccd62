import { z } from 'zod';
import { count, fileRef, headers, name, networks, seconds } from './schema-fields.js';

/** `limits`: caps and deadlines that no peer can move. */
export const limitsSchema = z
  .strictObject({
    connections: count().default(0).describe('Connections at once; 0: no limit of its own.'),
    perAddress: count()
      .default(0)
      .describe("Connections at once from one address; 0: no limit. Set it where clients' own addresses are seen."),
    unauthenticatedPerAddress: count()
      .default(0)
      .describe('The same for one address, on each of RTMP, RTSP and WebRTC; 0: no limit.'),
    allow: networks()
      .default([])
      .describe('Addresses and networks (`10.0.0.0/8`, `2001:db8::/32`) clients may come from; empty: all.'),
    deny: networks()
      .default([])
      .describe('Addresses and networks no client may come from, also where `allow` holds them.'),
    attemptsPerAddress: count()
      .default(0)
      .describe(
        'Decisions a minute for one address, that many at once; RTMP takes two, connect and publish or play. 0: no limit.',
      ),
    attemptsPerSubject: count()
      .default(0)
      .describe('The same for one subject (`sub`), of decisions that would let it in. 0: no limit.'),
    failuresPerToken: count()
      .default(5)
      .describe(
        'Failures after which the same bad token from the same address is judged once a minute only; 0: never.',
      ),
    failuresPerAddress: count()
      .default(0)
      .describe("The same for an address, whatever the token. Set it where clients' own addresses are seen. 0: never."),
    sessionsPerToken: count().default(0).describe('Streams at once with one token; 0: no limit.'),
    sessionsPerSubject: count().default(0).describe('Streams at once of one subject (`sub`); 0: no limit.'),
    viewersPerStream: count().default(0).describe('Viewers at once of one stream; 0: no limit.'),
    publisherKbps: count()
      .default(0)
      .describe('Bit rate of a publisher in kbit/s, above which it is ended; a token may lower it. 0: no limit.'),
    unauthenticated: count().default(1000).describe('Connections at once that are not decided yet; 0: no limit.'),
    preDecisionBytes: z
      .int()
      .min(16_384)
      .max(1_048_576)
      .default(65_536)
      .describe('Bytes a peer may make the gateway hold before its decision.'),
    handshakeTimeoutSeconds: seconds().default(5).describe('From the opened connection to a complete connect.'),
    publishTimeoutSeconds: seconds().default(30).describe('From an accepted connect to publish or play.'),
    idleTimeoutSeconds: seconds().default(15).describe('Silence of the media after which a session ends.'),
    hookTimeoutSeconds: seconds().default(3).describe('Time each hook has to answer; later is a no.'),
    dialTimeoutSeconds: seconds().default(5).describe('Time the origin has to accept a stream.'),
    drainTimeoutSeconds: seconds()
      .default(30)
      .describe('Time running sessions get after SIGTERM before they are ended.'),
    drainSpreadSeconds: z
      .number()
      .min(0)
      .max(3600)
      .default(5)
      .describe('After that time, how long it takes to end those that are left, one after the other.'),
  })
  .prefault({})
  .describe('Caps and deadlines that no peer can move.');

/** `relay`: how accepted streams run. */
export const relaySchema = z
  .strictObject({
    paceMs: z
      .int()
      .min(0)
      .max(50)
      .default(0)
      .describe('Gather bytes for so many milliseconds before they are passed on: less CPU, more delay. 0: off.'),
    viewerBufferBytes: z
      .int()
      .min(65_536)
      .max(1_073_741_824)
      .default(4_194_304)
      .describe('Bytes that may wait for a slow viewer before it is dropped.'),
    viewerStallSeconds: seconds().default(10).describe('Time a viewer may take nothing at all before it is dropped.'),
    allowRecord: z.boolean().default(false).describe('Allow the publish types `record` and `append`, not only `live`.'),
    publisherConflict: z
      .enum(['reject', 'takeover-same-subject', 'takeover'])
      .default('reject')
      .describe('What happens when a second publisher comes for a name in use.'),
    ifMatch: z
      .enum(['lenient', 'strict'])
      .default('lenient')
      .describe(
        'WHIP and WHEP: whether a PATCH must name the session version in `If-Match`. Most clients do not, so `strict` shuts them out.',
      ),
  })
  .prefault({})
  .describe('How accepted streams run.');

/** `store`: state that several nodes share. */
export const storeSchema = z
  .strictObject({ type: z.enum(['memory']).default('memory').describe('Where it is kept; `memory`: in this process.') })
  .prefault({})
  .describe('State that several nodes share.');

/** `log`: one line an event on standard output. */
export const logSchema = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('The least important level that is written.'),
    format: z.enum(['json', 'text']).default('json').describe('`json` for machines, `text` for terminals.'),
    maxPerSecond: count()
      .default(100)
      .describe(
        'Lines a second of one event, code and address; what is beyond is counted in `lines.suppressed`. Starts and ends of streams are always written. 0: no limit.',
      ),
    traces: z
      .strictObject({
        endpoint: z
          .string()
          .describe(
            'Where a collector speaks OTLP over HTTP, such as `http://127.0.0.1:4318`; without a path, `/v1/traces` is added.',
          ),
        headers: headers().default([]).describe('Headers that are sent with each batch.'),
        ca: fileRef().optional().describe("Certificates of authorities that are trusted instead of the system's, PEM."),
        sampleRatio: z
          .number()
          .min(0)
          .max(1)
          .default(1)
          .describe('Share of the sessions that are traced, 0 to 1; every gateway picks the same ones.'),
        serviceName: name().default('portcullis').describe('`service.name` of the spans.'),
      })
      .optional()
      .describe(
        'Traces for OpenTelemetry. Absent: none, and nothing of it is loaded. Its packages must be installed: docs/operations.md.',
      ),
  })
  .prefault({})
  .describe('The log on standard output, one line an event.');
