// What a process tree costs, read from /proc (Linux). The CPU is counted by the scheduler in nanoseconds,
// not sampled by ticks; memory is PSS, so that pages shared inside the tree count once.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

const TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const read = (path) => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
};
const list = (path) => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};
const pids = () => list('/proc').filter((name) => /^\d+$/.test(name));

/** The fields of /proc/PID/stat after the name, which may itself hold spaces and brackets. */
const statFields = (pid) => {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** `root` and all its descendants that are alive, as numbers. */
export function processTree(root) {
  const children = new Map();
  for (const pid of pids()) {
    const parent = Number(statFields(pid)?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)]);
  }
  const found = [];
  const todo = [root];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    if (!existsSync(`/proc/${pid}`)) continue;
    found.push(pid);
    todo.push(...(children.get(pid) ?? []));
  }
  return found;
}

const runNsOfTask = (pid, task) => Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0] || 0);
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);

/**
 * One reading of the trees below `roots`.
 * `cpuS`: seconds on a CPU of the living threads, plus what ended children left to their parent (in ticks).
 * `userS`, `systemS`: the same by ticks, good for a share only. `wakeups`: voluntary switches.
 * `pssKb`: all of it, program text too, whose share falls when a neighbour runs the same program; `ownKb`: the PSS of
 * anonymous and shared memory alone, which no neighbour touches: the one to subtract.
 */
export function sampleTrees(roots) {
  const sum = { cpuS: 0, userS: 0, systemS: 0, pssKb: 0, ownKb: 0, wakeups: 0, preempted: 0 };
  for (const pid of roots.flatMap(processTree)) {
    const stat = statFields(pid);
    if (stat === undefined) continue;
    sum.userS += Number(stat[11]) / TICKS_PER_S;
    sum.systemS += Number(stat[12]) / TICKS_PER_S;
    sum.cpuS += (Number(stat[13]) + Number(stat[14])) / TICKS_PER_S;
    for (const task of list(`/proc/${pid}/task`)) {
      sum.cpuS += runNsOfTask(pid, task) / 1e9;
      const status = read(`/proc/${pid}/task/${task}/status`);
      sum.wakeups += field(status, 'voluntary_ctxt_switches');
      sum.preempted += field(status, 'nonvoluntary_ctxt_switches');
    }
    const memory = read(`/proc/${pid}/smaps_rollup`);
    sum.pssKb += field(memory, 'Pss');
    sum.ownKb += field(memory, 'Pss_Anon') + field(memory, 'Pss_Shmem');
  }
  return sum;
}

/**
 * CPU seconds by task of the whole machine, kernel threads and neighbours included.
 * Two of them show work that a target leaves to others, and how loud the neighbours were.
 */
export function sampleHost() {
  const cpuS = new Map();
  for (const pid of pids()) {
    for (const task of list(`/proc/${pid}/task`)) cpuS.set(task, runNsOfTask(pid, task) / 1e9);
  }
  return cpuS;
}

/** CPU seconds that all tasks spent between two readings of `sampleHost`. */
export function hostCpuBetween(before, after) {
  let spent = 0;
  for (const [task, cpuS] of after) spent += cpuS - (before.get(task) ?? 0);
  return spent;
}

/** The machine, for the head of a report: what the figures mean nothing without. */
export function describeMachine() {
  const cpuinfo = read('/proc/cpuinfo');
  return {
    cpu: /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1] ?? process.arch,
    cpus: (cpuinfo.match(/^processor\s*:/gm) ?? []).length,
    memoryGb: Math.round(field(read('/proc/meminfo'), 'MemTotal') / 1e6),
    kernel: read('/proc/sys/kernel/osrelease').trim(),
    system: /^PRETTY_NAME="(.+)"$/m.exec(read('/etc/os-release'))?.[1] ?? process.platform,
    node: process.version,
  };
}

/** The one-minute load average: above the number of CPUs, distrust the run. */
export const loadAverage = () => Number(read('/proc/loadavg').split(' ')[0]);
