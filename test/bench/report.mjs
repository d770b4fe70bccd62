// Tables of what was measured, and the targets of the project held against them.

const RULER = 'node-pipe';
const COST = { s1: 'cpuUsPerStreamS', s2: 'cpuUsPerStreamS', s3: 'cpuMsPerConnection', s4: 'pssKbPerConnection' };

const fixed = (digits) => (value) => (value === undefined || value === null ? '-' : value.toFixed(digits));
const median = (values) => {
  const known = values.filter((value) => typeof value === 'number' && !Number.isNaN(value)).sort((a, b) => a - b);
  return known.length === 0 ? undefined : (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2;
};
const pair = (digits) => (low, high) => `${fixed(digits)(low)} / ${fixed(digits)(high)}`;
const smallest = (values) => {
  const known = values.filter((value) => typeof value === 'number' && !Number.isNaN(value));
  return known.length === 0 ? undefined : Math.min(...known);
};

/** All rounds of one scenario and target, as one: the best time and cost, the median of ratio and memory. */
function summarise(results, scenario, target) {
  const rounds = results.filter((r) => r.scenario === scenario && r.target === target && r.error === undefined);
  if (rounds.length === 0) return undefined;
  const best = (read) => smallest(rounds.map(read));
  const cost = best((r) => r[COST[scenario]]);
  return {
    target,
    rounds,
    cost,
    latencyP50: best((r) => r.latency?.p50),
    latencyP99: best((r) => r.latency?.p99),
    setUpP50: best((r) => r.setUp?.p50),
    setUpP99: best((r) => r.setUp?.p99),
    besideRuler: median(rounds.map((r) => r.besideRuler)),
    pssKb: median(rounds.map((r) => r.pssKbPerStream ?? r.pssKbPerConnection)),
    pssKbRaw: median(rounds.map((r) => r.pssKbPerStreamRaw ?? r.pssKbPerConnectionRaw)),
    cold: best((r) => r.cpuMsPerConnectionCold),
    neighbours: rounds.find((r) => r[COST[scenario]] === cost)?.neighboursPercent,
    idleCpu: best((r) => r.idleCpuUsPerConnectionS),
    basePssMb: best((r) => r.basePssMb),
    perS: Math.max(...rounds.map((r) => r.connectionsPerS ?? 0)),
    delivered: best((r) => r.delivered),
    failed: rounds.reduce((sum, r) => sum + r.failed, 0),
  };
}

const ratioTo = (ruler) => (row) => (ruler?.cost ? row.cost / ruler.cost : undefined);
const bothRatios = (row, { ruler }) => `**${fixed(2)(row.besideRuler)}** (${fixed(2)(ratioTo(ruler)(row))})`;
const added = (direct, row, key) => (direct === undefined ? undefined : row[key] - direct[key]);

const RELAY_COLUMNS = (unit, first) => [
  [
    `CPU µs/${unit}-s (rounds)`,
    (row) => `**${fixed(0)(row.cost)}** (${row.rounds.map((r) => fixed(0)(r.cpuUsPerStreamS)).join(' / ')})`,
  ],
  ['× node-pipe side by side (one after the other)', bothRatios],
  [
    'added latency p50 / p99 ms',
    (row, { direct }) => pair(2)(added(direct, row, 'latencyP50'), added(direct, row, 'latencyP99')),
  ],
  [
    `${first} p50 / p99 ms`,
    (row, { direct }) => pair(2)(added(direct, row, 'setUpP50'), added(direct, row, 'setUpP99')),
  ],
  ['PSS KB/stream, settled (as found)', (row) => `${fixed(0)(row.pssKb)} (${fixed(0)(row.pssKbRaw)})`],
  ['neighbours %', (row) => fixed(0)(row.neighbours)],
  ['delivered', (row) => fixed(3)(row.delivered)],
];
const COLUMNS = {
  s1: RELAY_COLUMNS('stream', 'added set-up'),
  s2: RELAY_COLUMNS('viewer', 'added time to first media'),
  s3: [
    [
      'CPU ms/connection (rounds)',
      (row) => `**${fixed(3)(row.cost)}** (${row.rounds.map((r) => fixed(3)(r.cpuMsPerConnection)).join(' / ')})`,
    ],
    ['× node-pipe by turns (one after the other)', bothRatios],
    ['first 200, cold', (row) => fixed(3)(row.cold)],
    ['connections/s', (row) => fixed(0)(row.perS)],
    ['set-up p50 / p99 ms', (row) => pair(2)(row.setUpP50, row.setUpP99)],
    ['failed', (row) => fixed(0)(row.failed)],
  ],
  s4: [
    [
      'PSS KB/connection, settled (rounds)',
      (row) => `**${fixed(1)(row.pssKb)}** (${row.rounds.map((r) => fixed(1)(r.pssKbPerConnection)).join(' / ')})`,
    ],
    ['as found', (row) => fixed(1)(row.pssKbRaw)],
    ['× node-pipe', (row, { ruler }) => fixed(2)(ratioTo(ruler)(row))],
    ['CPU µs/connection-s', (row) => fixed(1)(row.idleCpu)],
    ['PSS MB with none', (row) => fixed(1)(row.basePssMb)],
  ],
};
const TITLES = {
  s1: ({ streams, windowS }) => `s1: publish relay, ${streams} streams, ${windowS} s`,
  s2: ({ streams, windowS }) => `s2: play relay, ${streams} viewers of ${streams} streams, ${windowS} s`,
  s3: ({ churns }) => `s3: churn, ${churns} connections, 8 at once`,
  s4: ({ idles }) => `s4: ${idles} idle connections`,
};

/** The Markdown table of one scenario, all targets in the order in which they were first measured. */
export function table(results, scenario, plan) {
  const names = [...new Set(results.filter((r) => r.scenario === scenario).map((r) => r.target))];
  if (names.length === 0) return '';
  const columns = COLUMNS[scenario];
  const rulers = { ruler: summarise(results, scenario, RULER), direct: summarise(results, scenario, 'direct') };
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rows = names.map((name) => {
    const row = summarise(results, scenario, name);
    if (row !== undefined) return line([name, ...columns.map(([, show]) => show(row, rulers))]);
    return line([name, `failed: ${results.find((r) => r.target === name && r.error)?.error.split('\n')[0]}`]);
  });
  const head = [line(['target', ...columns.map(([title]) => title)]), line(['---', ...columns.map(() => '---')])];
  return [`### ${TITLES[scenario](plan)}`, '', ...head, ...rows, ''].join('\n');
}

/** What issue 3 asks of the gateway; `must` is the promise, `aim` what it hopes for. Ratios are to node-pipe. */
const TARGETS = [
  {
    id: 's1 relay CPU',
    unit: '× node-pipe',
    scenario: 's1',
    must: 1.0,
    aim: 0.9,
    read: (row) => row.besideRuler,
  },
  {
    id: 's1 added latency p50',
    unit: 'ms',
    scenario: 's1',
    must: 0.1,
    read: (row, { direct }) => added(direct, row, 'latencyP50'),
  },
  {
    id: 's1 added latency p99',
    unit: 'ms',
    scenario: 's1',
    must: 0.5,
    read: (row, { direct }) => added(direct, row, 'latencyP99'),
  },
  {
    id: 's1 added set-up p50',
    unit: 'ms',
    scenario: 's1',
    must: 1.5,
    read: (row, { direct }) => added(direct, row, 'setUpP50'),
  },
  {
    id: 's1 added set-up p99',
    unit: 'ms',
    scenario: 's1',
    must: 5,
    read: (row, { direct }) => added(direct, row, 'setUpP99'),
  },
  { id: 's1 live stream', unit: 'KB PSS', scenario: 's1', must: 600, read: (row) => row.pssKb },
  {
    id: 's3 churn CPU',
    unit: '× node-pipe',
    scenario: 's3',
    must: 1.25,
    read: (row) => row.besideRuler,
  },
  { id: 's4 idle connection', unit: 'KB PSS', scenario: 's4', must: 30, read: (row) => row.pssKb },
  {
    id: 's1 paced CPU',
    unit: '× node-pipe',
    scenario: 's1',
    target: 'portcullis-paced',
    must: 0.75,
    read: (row) => row.besideRuler,
  },
];

/** Holds every target against the results: `value` undefined where it was not measured. */
export function checkTargets(results, gatewayNames) {
  return TARGETS.flatMap(({ id, unit, scenario, target, must, aim, read }) =>
    (target === undefined ? gatewayNames : [target]).map((name) => {
      const rulers = { ruler: summarise(results, scenario, RULER), direct: summarise(results, scenario, 'direct') };
      const row = summarise(results, scenario, name);
      const value = row && read(row, rulers);
      return { id, unit, target: name, must, aim, value, isMet: value === undefined ? undefined : value <= must };
    }),
  );
}

/** One line a target: met or missed, and by how much. */
export function checkLines(checks) {
  const digits = (unit) => (unit === 'KB PSS' ? 0 : 2);
  return checks
    .map(({ id, unit, target, must, aim, value, isMet }) => {
      const what = `${target}: ${id}`.padEnd(40);
      if (value === undefined) return `  -       ${what} not measured (target ${must} ${unit})`;
      const show = fixed(digits(unit));
      const missed = `missed by ${show(value - must)} (${Math.round((value / must - 1) * 100)} %)`;
      const hoped = aim === undefined ? '' : `, aim ${aim}: ${value <= aim ? 'reached' : `${show(value - aim)} short`}`;
      return `  ${isMet ? 'met   ' : 'MISSED'}  ${what} ${show(value)} ${unit}, target ${must}${isMet ? '' : `: ${missed}`}${hoped}`;
    })
    .join('\n');
}
