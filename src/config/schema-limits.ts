import { z } from 'zod';
import { count, seconds } from './schema-fields.js';

/** `limits`: caps and deadlines that no peer can move. */
export const limitsSchema = z
  .strictObject({
    connections: count().default(0).describe('Connections at once; 0: no limit of its own.'),
    perAddress: count()
      .default(0)
      .describe("Connections at once from one address; 0: no limit. Set it where clients' own addresses are seen."),
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
  })
  .prefault({})
  .describe('The log on standard output, one line an event.');
