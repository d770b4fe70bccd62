/** One metric of the gateway, as it is published. */
export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label names, in the order in which they are written. Values come from closed lists. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in seconds, ascending. */
  readonly buckets?: readonly number[];
}

const FAST = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const SETUP = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every metric there is; names are without the prefix `portcullis_`. */
export const METRICS = {
  decisions_total: {
    type: 'counter',
    help: 'Decisions by transport, action, outcome (yes, no) and rejection code.',
    labels: ['transport', 'action', 'outcome', 'code'],
  },
  sessions: {
    type: 'gauge',
    help: 'Sessions that run now.',
    labels: ['transport', 'role'],
  },
  sessions_ended_total: {
    type: 'counter',
    help: 'Sessions that ended, by reason.',
    labels: ['transport', 'role', 'reason'],
  },
  relay_bytes_total: {
    type: 'counter',
    help: 'Bytes relayed, by direction (in: from the client, out: to the client).',
    labels: ['transport', 'direction'],
  },
  decision_seconds: {
    type: 'histogram',
    help: 'Time from request to decision.',
    labels: [],
    buckets: FAST,
  },
  setup_seconds: {
    type: 'histogram',
    help: 'Time from the request for a stream to its confirmation.',
    labels: ['transport', 'role'],
    buckets: SETUP,
  },
  origin_up: {
    type: 'gauge',
    help: 'Whether an origin answers (1) or not (0).',
    labels: ['origin'],
  },
  origin_failovers_total: {
    type: 'counter',
    help: 'Streams that went to another origin because this one could not be reached.',
    labels: ['origin'],
  },
  trace_spans_total: {
    type: 'counter',
    help: 'Spans of traces, by outcome (sent, failed, dropped: too many waited).',
    labels: ['outcome'],
  },
  event_loop_lag_seconds: {
    type: 'gauge',
    help: 'Longest delay of the event loop in the last interval.',
    labels: [],
  },
  connections: {
    type: 'gauge',
    help: 'Connections that are open now.',
    labels: ['transport'],
  },
  connections_refused_total: {
    type: 'counter',
    help: 'Connections closed before any decision, by reason (other protocols on the port, limits, timeouts).',
    labels: ['transport', 'reason'],
  },
  log_suppressed_total: {
    type: 'counter',
    help: 'Lines that the log left out in a flood, by event.',
    labels: ['event'],
  },
  kept_messages_total: {
    type: 'counter',
    help: 'Messages of a client that the guard kept from the origin, by what they were.',
    labels: ['transport', 'what'],
  },
  media_packets_total: {
    type: 'counter',
    help: 'Datagrams of WebRTC media that came from addresses which had passed a check (in: from clients, out: from origins).',
    labels: ['direction'],
  },
  media_dropped_total: {
    type: 'counter',
    help: 'Datagrams at the ports of WebRTC media that went no further, by reason.',
    labels: ['reason'],
  },
  admin_refused_total: {
    type: 'counter',
    help: 'Callers that the admin listener turned away, by reason (token-required, token-wrong, token-throttled, host-unknown, origin-foreign).',
    labels: ['reason'],
  },
  config_reloads_total: {
    type: 'counter',
    help: 'Reloads of the config, by outcome (applied, kept-old).',
    labels: ['outcome'],
  },
  config_last_reload_successful: {
    type: 'gauge',
    help: 'Whether the last reload of the config was applied (1) or the old one was kept (0).',
    labels: [],
  },
  tls_reloads_total: {
    type: 'counter',
    help: 'Changes of the files of certificates, by outcome (applied, kept-old).',
    labels: ['outcome'],
  },
  tls_last_reload_successful: {
    type: 'gauge',
    help: 'Whether the files of certificates could be used the last time they changed (1) or the old ones hold (0).',
    labels: [],
  },
  tls_certificate_expiry_seconds: {
    type: 'gauge',
    help: 'Time until a certificate expires, by its place in the config (1 is the first); below 0 it has.',
    labels: ['certificate'],
  },
  revocations: {
    type: 'gauge',
    help: 'Revocations that hold, by file and by call.',
    labels: [],
  },
  revocations_file_good: {
    type: 'gauge',
    help: 'Whether the file of revocations could be read the last time it changed (1) or the old list holds (0).',
    labels: [],
  },
  hook_errors_total: {
    type: 'counter',
    help: 'Hooks that threw or answered too late.',
    labels: ['hook'],
  },
  key_set_fetches_total: {
    type: 'counter',
    help: 'Fetches of key sets by URL, by outcome (changed, same, failed), and sets that became too old (stale).',
    labels: ['key', 'outcome'],
  },
  key_set_keys: {
    type: 'gauge',
    help: 'Keys of a fetched set that tokens are checked with.',
    labels: ['key'],
  },
  hook_calls_total: {
    type: 'counter',
    help: 'Questions of call-http, by what became of them (yes, no, nonsense, failed, busy, breaker-open, cached).',
    labels: ['hook', 'outcome'],
  },
  hook_call_seconds: {
    type: 'histogram',
    help: 'Time that the servers of call-http took to answer.',
    labels: ['hook'],
    buckets: SETUP,
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** The name of a metric, without prefix. */
export type MetricName = keyof typeof METRICS;
