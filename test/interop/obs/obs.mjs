// OBS Studio with a profile and a scene of its own on a display that nobody sees.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, Program, timeOfDay } from './programs.mjs';

const NAME = 'interop';
const SIZE = { width: 640, height: 360 };
const FLAGS = ['--multi', '--startstreaming', '--disable-updater', '--disable-missing-files-check', '--verbose'];
/** OBS asks its maker for news and for a list of services at every start; nobody answers here. */
const NO_NETWORK = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };

const ini = (sections) =>
  Object.entries(sections)
    .map(
      ([name, values]) =>
        `[${name}]\n${Object.entries(values)
          .map(([key, value]) => `${key}=${value}\n`)
          .join('')}`,
    )
    .join('\n');

/** No first-run wizard, no question at start or end, our profile and collection. */
const globalIni = () =>
  ini({
    General: {
      FirstRun: true,
      ...{ Pre19Defaults: false, Pre21Defaults: false, Pre23Defaults: false, 'Pre24.1Defaults': false },
      ...{ EnableAutoUpdates: false, ConfirmOnExit: false, Language: 'en-US' },
    },
    Basic: { Profile: NAME, ProfileDir: NAME, SceneCollection: NAME, SceneCollectionFile: NAME },
    BasicWindow: { WarnBeforeStartingStream: false, SysTrayEnabled: false },
  });

/** x264 at 400 kbit/s with a key frame every 2 s (OBS's own 8 s make viewers wait), and AAC; reconnecting as OBS does it by default. */
const profileIni = () =>
  ini({
    General: { Name: NAME },
    Output: { Mode: 'Simple' },
    SimpleOutput: {
      VBitrate: 400,
      ABitrate: 64,
      StreamEncoder: 'x264',
      Preset: 'ultrafast',
      UseAdvanced: true,
      x264Settings: 'keyint=60',
    },
    Video: {
      ...{ BaseCX: SIZE.width, BaseCY: SIZE.height, OutputCX: SIZE.width, OutputCY: SIZE.height },
      ...{ FPSType: 0, FPSCommon: 30 },
    },
    Audio: { SampleRate: 48000, ChannelSetup: 'Stereo' },
  });

const scenes = () => {
  const place = { visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, align: 5, bounds_type: 0 };
  const colour = { color: 0xff336699, ...SIZE };
  return {
    name: NAME,
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      { id: 'color_source', versioned_id: 'color_source_v3', name: 'Colour', settings: colour },
      { id: 'scene', name: 'Scene', settings: { items: [{ name: 'Colour', id: 1, ...place }], id_counter: 1 } },
    ],
  };
};

function writeProfile(home, { server, key }) {
  const settings = { server, key, use_auth: false, bwtest: false };
  const file = (folder, name, text) => {
    writeFileSync(join(makeFolder(join(home, folder)), name), text);
    chmodSync(join(home, folder, name), 0o644);
  };
  const profile = `obs-studio/basic/profiles/${NAME}`;
  for (const folder of ['obs-studio', 'obs-studio/basic', 'obs-studio/basic/profiles']) makeFolder(join(home, folder));
  file('obs-studio', 'global.ini', globalIni());
  file(profile, 'basic.ini', profileIni());
  file(profile, 'service.json', JSON.stringify({ type: 'rtmp_custom', settings }));
  file('obs-studio/basic/scenes', `${NAME}.json`, JSON.stringify(scenes()));
}

/** Starts Xvfb on a display that it finds free itself; only programs of the same user reach it. */
export async function startDisplay(folder) {
  makeFolder(folder);
  const args = ['-displayfd', '1', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
  const program = new Program('Xvfb', args, { unprivileged: true, cwd: folder });
  const number = await program.until('a display', 20_000, () => /^(\d+)\n/.exec(program.stdout)?.[1]);
  return { program, name: `:${number}` };
}

/** One run of OBS, which begins to stream at once. Its log is the file that it writes itself. */
export class Obs {
  #home;
  #display;
  #program;

  /** `service`: server and key as they stand in OBS's settings. */
  constructor(home, display, service) {
    this.#home = makeFolder(home);
    this.#display = display;
    writeProfile(home, service);
    const temp = makeFolder(join(home, 'temp'));
    this.#program = new Program('obs', [...FLAGS, '--profile', NAME, '--collection', NAME], {
      unprivileged: true,
      cwd: home,
      bareEnv: {
        ...{ PATH: process.env.PATH, LANG: 'C.UTF-8', TZ: 'UTC', ...NO_NETWORK },
        ...{ HOME: home, XDG_CONFIG_HOME: home, XDG_RUNTIME_DIR: temp, TMPDIR: temp },
        ...{ DISPLAY: display, LIBGL_ALWAYS_SOFTWARE: '1', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' },
      },
    });
  }

  get isOver() {
    return this.#program.isOver;
  }

  /** The log so far: `atMs` (since 1970) and text of each line. */
  lines() {
    const folder = join(this.#home, 'obs-studio/logs');
    const name = existsSync(folder) ? readdirSync(folder).sort().at(-1) : undefined;
    if (name === undefined) return [];
    return readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .map((line) => /^(\d\d:\d\d:\d\d\.\d{3}): (.*)/.exec(line))
      .filter((found) => found !== null)
      .map(([, time, text]) => ({ atMs: timeOfDay(time), text }));
  }

  /** Waits for a line; `afterMs` leaves out older ones. */
  says(pattern, timeoutMs, afterMs = 0) {
    const look = () => this.lines().find(({ atMs, text }) => atMs >= afterMs && pattern.test(text));
    return this.#program.until(`its log says ${pattern}`, timeoutMs, look);
  }

  /** A picture of the display as it is now; gives nothing when that cannot be taken. */
  async picture(file) {
    const shot = join(this.#home, 'temp/shot.png');
    const args = ['-v', 'error', '-y', '-f', 'x11grab', '-video_size', '1024x768', '-i', this.#display];
    const program = new Program('ffmpeg', [...args, '-frames:v', '1', shot], { unprivileged: true });
    await program.ended;
    if (existsSync(shot)) copyFileSync(shot, file);
  }

  /** Quits OBS as Ctrl-C would. */
  stop() {
    return this.#program.stop('SIGINT', 8000);
  }
}

/** Programs this file needs that are not here. */
export const missingForObs = () =>
  ['obs', 'Xvfb', 'ffmpeg'].filter((name) => spawnSync('which', [name], { stdio: 'ignore' }).status !== 0);
