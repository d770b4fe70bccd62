import { beforeAll, describe, expect } from '@jest/globals';
import { join } from 'node:path';
import { makeSample, play, publish, watch } from './peers/ffmpeg.js';
import { startGateway, type Gateway } from './peers/gateway.js';
import { ffmpeg8Folder, isHere, itNeeds, type Peer } from './peers/needs.js';
import { askEnhanced } from './peers/enhanced.js';
import { isStretchOf, timeFaults } from './peers/packets.js';
import { folder } from './peers/place.js';
import { run, start } from './peers/program.js';
import { startRed5, type Red5 } from './peers/red5.js';
import { startTap } from './peers/tap.js';
import { token } from './peers/tokens.js';

const RED5: Peer = 'Red5 by INTEROP_RED5_RTMP, or its jars and Java 11';
const NEEDED: readonly Peer[] = ['ffmpeg', RED5];
const PUBLISHER = { roles: 'red5-publisher' };
const VIEWER = { roles: 'red5-subscriber' };

let red5: Red5 | undefined;
let gateway: Gateway | undefined;

const originAt = (port: number, more: object = {}) => [
  { name: 'red5', preset: 'red5pro', rtmp: `rtmp://127.0.0.1:${port}`, ...more },
];
const at = (path: string, claims: object = {}) => gateway!.url(`${path}?token=${token({ ...claims })}`);

/** Waits until a path has been published so many times. */
const publishing = (path: string, times: number) =>
  gateway!.program.until(`${path} to be published`, () => {
    const starts = gateway!.lines('session.start');
    const here = starts.filter((line) => line['path'] === path && line['action'] === 'publish');
    return here.length >= times ? true : undefined;
  });

/** Red5 plays only what is there already, and a publisher that comes past the gateway is in no log of ours: asked until it plays. */
async function seenAt(url: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await play(url).pictures(1);
      return;
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

beforeAll(async () => {
  if (!NEEDED.every(isHere)) return;
  red5 = await startRed5();
  gateway = await startGateway({ origins: originAt(red5.port) });
}, 90_000);

describe('a real Red5', () => {
  itNeeds(NEEDED, 'gets what ffmpeg publishes, byte for byte, and ffmpeg plays it', async () => {
    const sample = await makeSample(10);
    const publisher = publish(sample, at('live/whole', PUBLISHER));
    await gateway!.logs('session.start', { action: 'publish', path: 'live/whole' });
    const player = play(at('live/whole', VIEWER));
    const { video, audio } = await player.pictures(100);
    expect(isStretchOf(video, sample.video)).toBe(true);
    expect(isStretchOf(audio, sample.audio)).toBe(true);
    expect([timeFaults(player.packets, 0), timeFaults(player.packets, 1)]).toEqual([[], []]);
    expect((await publisher.ended).code).toBe(0);
    await gateway!.logs('session.end', { action: 'publish', path: 'live/whole', reason: 'client-finished' });
  });

  itNeeds(NEEDED, 'shows pictures that a decoder can read', async () => {
    const publisher = publish(await makeSample(10), at('live/decoded'));
    await gateway!.logs('session.start', { action: 'publish', path: 'live/decoded' });
    const viewer = watch(at('live/decoded'));
    await viewer.pictures(75);
    expect(viewer.program.stderr).not.toMatch(/error|corrupt|concealing/i);
    await publisher.stop('SIGINT');
  });

  itNeeds(NEEDED, 'keeps rooms apart, each a scope of its own', async () => {
    const sample = await makeSample(10);
    const [here, deep] = [publish(sample, at('live/room1/cam')), publish(sample, at('live/room2/inner/cam'))];
    await gateway!.logs('session.start', { action: 'publish', path: 'live/room1/cam' });
    await gateway!.logs('session.start', { action: 'publish', path: 'live/room2/inner/cam' });
    const players = [at('live/room1/cam'), red5!.url('live/room1/cam'), at('live/room2/inner/cam')].map((url) =>
      play(url),
    );
    for (const player of players) expect((await player.pictures(10)).video.length).toBeGreaterThanOrEqual(10);
    const elsewhere = play(red5!.url('live/room3/cam'));
    await Promise.all([here.ended, deep.ended]);
    await elsewhere.program.stop('SIGINT');
    expect(elsewhere.packets).toEqual([]);
  });

  itNeeds(NEEDED, 'that does not know the app shows as origin-refused', async () => {
    for (const client of [publish(await makeSample(3), at('nowhere/cam')), play(at('nowhere/cam')).program]) {
      const ended = await client.ended;
      expect(ended.stderr).toContain('origin-refused');
      expect(ended.code).not.toBe(0);
    }
  });

  itNeeds(NEEDED, 'whose name somebody else publishes shows as stream-busy', async () => {
    const sample = await makeSample(10);
    const holder = publish(sample, red5!.url('live/busy'));
    await seenAt(red5!.url('live/busy'));
    const ended = await publish(sample, at('live/busy')).ended;
    expect(ended.stderr).toContain('stream-busy');
    expect(holder.isOver).toBe(false);
    await holder.stop('SIGINT');
  });

  itNeeds(NEEDED, 'takes the same name again and again', async () => {
    const sample = await makeSample(10);
    for (let round = 0; round < 4; round++) {
      const publisher = publish(sample, at('live/again'));
      await publishing('live/again', round + 1);
      await play(at('live/again')).pictures(10);
      expect(publisher.isOver).toBe(false);
      await publisher.stop('SIGINT');
    }
    expect(gateway!.lines('session.start').filter((line) => line['path'] === 'live/again')).toHaveLength(8);
  });

  itNeeds(NEEDED, 'has the name of a killed publisher free at once', async () => {
    const sample = await makeSample(10);
    const killed = publish(sample, at('live/killed'));
    await gateway!.logs('session.start', { action: 'publish', path: 'live/killed' });
    const viewer = play(at('live/killed'));
    await viewer.pictures(5);
    await killed.stop('SIGKILL');
    const next = publish(sample, at('live/killed'));
    await publishing('live/killed', 2);
    expect((await play(at('live/killed')).pictures(10)).video.length).toBeGreaterThanOrEqual(10);
    expect(next.isOver).toBe(false);
    await next.stop('SIGINT');
  });

  // As it is shipped: its live wait is off.
  itNeeds(NEEDED, 'refuses a viewer of what nobody publishes, which shows as origin-refused', async () => {
    const ended = await play(at('live/nobody')).program.ended;
    expect(ended.stderr).toContain('origin-refused');
    expect(ended.code).not.toBe(0);
  });
});

describe('credentials towards a real Red5', () => {
  const modes: readonly (readonly [string, object])[] = [
    ['strip', {}],
    ['forward', { placement: 'query' }],
    ['forward', { placement: 'arguments' }],
    ['static', { placement: 'query', token: { value: 'of-the-config' } }],
    ['remint', { placement: 'arguments', key: { value: 'k'.repeat(40) } }],
  ];
  for (const [mode, more] of modes) {
    const where = 'placement' in more ? ` in the ${String(more.placement)}` : '';
    itNeeds(NEEDED, `${mode}${where} do no harm: the stream keeps its own name`, async () => {
      const behind = await startGateway({ origins: originAt(red5!.port, { credentials: { mode, ...more } }) });
      const url = behind.url(`live/room1/lent?token=${token()}`);
      const publisher = publish(await makeSample(10), url);
      await behind.logs('session.start', { action: 'publish' });
      expect((await play(url).pictures(10)).video.length).toBeGreaterThanOrEqual(10);
      // Under that name and no other, whatever stood behind it.
      expect((await play(red5!.url('live/room1/lent')).pictures(5)).video.length).toBeGreaterThanOrEqual(5);
      await publisher.stop('SIGINT');
      await behind.stop();
    });
  }
});

describe('Enhanced RTMP with a real Red5', () => {
  itNeeds(NEEDED, 'shows a client just what Red5 says of it', async () => {
    const said = await askEnhanced(red5!.port, 'live');
    const shown = await askEnhanced(gateway!.rtmpPort, `live?token=${token()}`);
    expect(shown).toEqual(said);
  });

  for (const [codec, encoder, fourCc] of [
    ['HEVC', 'libx265', 'hvc1'],
    ['AV1', 'libaom-av1', 'av01'],
  ] as const) {
    itNeeds([...NEEDED, "ffmpeg 8's WHIP muxer"], `carries ${codec} to Red5 as it came`, async () => {
      const file = join(folder, `${fourCc}.mkv`);
      const speed = encoder === 'libx265' ? ['-preset', 'ultrafast'] : ['-cpu-used', '8', '-usage', 'realtime'];
      const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x90:rate=10:duration=3'];
      const made = await run('ffmpeg', [
        ...['-loglevel', 'error', ...picture, '-c:v', encoder, ...speed, '-g', '10', '-pix_fmt', 'yuv420p', file],
      ]);
      expect(made.code).toBe(0);
      const tap = await startTap(red5!.port);
      const between = await startGateway({ origins: originAt(tap.port) });
      const url = between.url(`live?token=${token()}/${fourCc}`);
      const ended = await start(process.execPath, [join(__dirname, 'peers', 'ffmpeg8.mjs'), 'flv', file, url], {
        env: { FFMPEG8_FOLDER: ffmpeg8Folder },
      }).ended;
      expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/^sent 30$/m)]);
      // The four letters stand in each picture's header, and not in the connect alone.
      expect(tap.sent().toString('latin1').split(fourCc).length).toBeGreaterThan(25);
      await between.logs('session.end', { action: 'publish' });
    });
  }
});
