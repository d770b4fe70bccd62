import type { Config } from '../../config/config.js';
import { findingsOf, type Finding } from './finding.js';

/** The oldest Node that everything works with. */
const OLDEST = { major: 20, minor: 19 } as const;

/** When the long-lived lines of Node get no more fixes. @see https://github.com/nodejs/Release */
const LINE_ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

/** A stream takes one descriptor for the client and one for the origin; beside them there are ports, files and questions. */
const DESCRIPTORS_BESIDE = 100;
const FEW_DESCRIPTORS = 4096;

/** A clock that shows less was never set: 2025-01-01. */
const EARLIEST_MS = 1_735_689_600_000;

/** Dates of HTTP are whole seconds, and their answers take a moment. */
const HARMLESS_SKEW_MS = 3_000;

const SET_THE_CLOCK = 'Let the system keep time: timedatectl set-ntp true, or chrony; see: timedatectl status.';

/** Looks at the version of Node, such as `24.17.0`. */
export function checkNode(version: string, nowMs: number): Finding {
  const { fine, warning, fault } = findingsOf('node', '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    return fault(`Node ${version} is too old`, `Install Node 24, or at least ${OLDEST.major}.${OLDEST.minor}.`);
  }
  const end = LINE_ENDS[major];
  if (end !== undefined && nowMs > Date.parse(end)) {
    return warning(`Node ${version} gets no more security fixes (since ${end})`, 'Install Node 24.');
  }
  if (end === undefined && major < 27 && major % 2 === 1) {
    return warning(`Node ${version} is of a line that lives for half a year`, 'Install an even line, such as Node 24.');
  }
  return fine(`Node ${version}`);
}

/** Looks at how many files and sockets the process may hold; `limits` is the text of `/proc/self/limits`. */
export function checkDescriptors(limits: string | undefined, config: Config | undefined): Finding {
  const { fine, skipped, warning } = findingsOf('descriptors', '');
  const soft = /^Max open files\s+(\S+)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return skipped('the limit cannot be read here', 'See: ulimit -n');
  if (soft === 'unlimited') return fine('as many as wanted');
  const count = Number(soft);
  const streams = Math.max(0, Math.floor((count - DESCRIPTORS_BESIDE) / 2));
  const text = `${count} files and sockets: about ${streams} streams at once`;
  const advice = 'Raise it: ulimit -n 65536, LimitNOFILE=65536 in a systemd unit, or --ulimit nofile=65536 of Docker.';
  const wanted = config?.limits.connections ?? 0;
  if (count < FEW_DESCRIPTORS) return warning(text, advice);
  if (wanted > streams) return warning(`${text}; limits.connections allows ${wanted}`, advice);
  return fine(text);
}

/** What a server said of the time. */
export interface ForeignTime {
  readonly from: string;
  /** How far our clock is ahead, in ms. */
  readonly aheadMs: number;
}

/** Compares the clock with those of servers that were asked. The leeway is that of tokens. */
export function checkClock(nowMs: number, others: readonly ForeignTime[], leewaySeconds: number): Finding {
  const { fine, skipped, warning, fault } = findingsOf('clock', '');
  const shown = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  if (nowMs < EARLIEST_MS) return fault(`the clock shows ${shown}, which is long ago`, SET_THE_CLOCK);
  if (others.length === 0) {
    return skipped(`${shown}; no HTTP server of the config told its time`, 'Compare it yourself: timedatectl status');
  }
  const sorted = [...others].sort((a, b) => Math.abs(a.aheadMs) - Math.abs(b.aheadMs));
  const best = sorted[0];
  const worst = sorted.at(-1);
  if (best === undefined || worst === undefined) return fine(shown);
  // When others disagree, it is some of them who are wrong.
  const words = ({ from, aheadMs }: ForeignTime): string =>
    `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} ${from}`;
  if (Math.abs(best.aheadMs) > HARMLESS_SKEW_MS + leewaySeconds * 1000) {
    return fault(`${shown} is ${words(best)}: tokens are refused that are good, or taken that are not`, SET_THE_CLOCK);
  }
  if (Math.abs(worst.aheadMs) > HARMLESS_SKEW_MS) {
    return warning(`${shown} is ${words(worst)}`, `${SET_THE_CLOCK} If this one is right, look at the other.`);
  }
  return fine(`${shown}, as ${best.from} says too`);
}
