import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPackets, type Packet } from './packets.js';
import { folder } from './place.js';
import { run, start, type Ended, type Program } from './program.js';

const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'warning'];

/** A piece of test picture and tone: H.264 with B-frames, 25 frames a second, a key frame each second, and AAC. */
export interface Sample {
  readonly file: string;
  readonly video: readonly Packet[];
  readonly audio: readonly Packet[];
}

/** Makes a sample once for a test file. */
export async function makeSample(seconds: number): Promise<Sample> {
  const file = join(folder, `sample-${seconds}.flv`);
  if (!existsSync(file)) {
    const picture = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25'];
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
    const video = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '25', '-pix_fmt', 'yuv420p'];
    const audio = ['-c:a', 'aac', '-b:a', '96k'];
    await expectFine(
      run('ffmpeg', [...quiet, ...picture, ...tone, '-t', String(seconds), ...video, ...audio, '-y', file]),
    );
  }
  const { stdout } = await expectFine(run('ffmpeg', [...quiet, '-i', file, '-c', 'copy', '-f', 'framecrc', '-']));
  const packets = readPackets(stdout);
  return {
    file,
    video: packets.filter((packet) => packet.stream === 0),
    audio: packets.filter((packet) => packet.stream === 1),
  };
}

async function expectFine(ending: Promise<Ended>): Promise<Ended> {
  const ended = await ending;
  if (ended.code !== 0) throw new Error(`ffmpeg ended with ${ended.code ?? ended.signal ?? '?'}\n${ended.stderr}`);
  return ended;
}

/** Publishes a file at its own speed; `args` go before the URL. */
export function publish(sample: Sample, url: string, args: readonly string[] = []): Program {
  return start('ffmpeg', [...quiet, '-re', '-i', sample.file, '-c', 'copy', '-f', 'flv', ...args, url]);
}

/** A player: what came so far can be read at any time. */
export interface Player {
  readonly program: Program;
  readonly packets: readonly Packet[];
  /** From the start of the process to the first packet, in milliseconds. */
  firstPacketMs(): Promise<number>;
  /** Waits until so many pictures have come, then ends the player. */
  pictures(count: number, timeoutMs?: number): Promise<Played>;
}

/** What a player got. */
export interface Played {
  readonly video: readonly Packet[];
  readonly audio: readonly Packet[];
}

function split(packets: readonly Packet[]): Played {
  const of = (stream: number) => packets.filter((packet) => packet.stream === stream);
  return { video: of(0), audio: of(1) };
}

function startPlayer(url: string, input: readonly string[], output: readonly string[]): Player {
  const probing = ['-fflags', 'nobuffer', '-analyzeduration', '1000000'];
  const writing = ['-flush_packets', '1', '-f', 'framecrc', '-'];
  const program = start('ffmpeg', [...quiet, ...probing, ...input, '-i', url, ...output, ...writing]);
  const packets = () => readPackets(program.stdout);
  return {
    program,
    get packets() {
      return packets();
    },
    firstPacketMs: () =>
      program.until('the first packet', () =>
        packets().length > 0 ? performance.now() - program.startedMs : undefined,
      ),
    pictures: async (count, timeoutMs = 30_000) => {
      const enough = () => (split(packets()).video.length >= count ? true : undefined);
      await program.until(`${count} pictures`, enough, timeoutMs);
      await program.stop('SIGINT');
      return split(packets());
    },
  };
}

/**
 * Plays a stream with ffmpeg, which is all that ffplay and VLC use of RTMP, and notes every packet as transmitted.
 * `args` go before the URL.
 */
export function play(url: string, args: readonly string[] = []): Player {
  return startPlayer(url, args, ['-map', '0:v', '-map', '0:a', '-c', 'copy']);
}

/** Plays the picture only, decoded. */
export function watch(url: string, args: readonly string[] = []): Player {
  return startPlayer(url, args, ['-map', '0:v', '-fps_mode', 'passthrough']);
}

/** Packets of a file, as ffmpeg reads them. */
export async function packetsOf(file: string): Promise<readonly Packet[]> {
  const ended = await run('ffmpeg', [
    ...quiet,
    '-i',
    file,
    '-map',
    '0:v',
    '-map',
    '0:a?',
    '-c',
    'copy',
    '-f',
    'framecrc',
    '-',
  ]);
  return readPackets(ended.stdout);
}
