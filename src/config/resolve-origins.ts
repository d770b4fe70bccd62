import type { Origin, OriginAddress, OriginHttp, OriginCredentialsConfig, OriginPreset } from './config.js';
import type { PathStep } from './fault.js';
import { MAKE_A_SECRET, MIN_SECRET_BYTES } from './resolve-auth.js';
import type { Resolving } from './resolving.js';
import { ORIGIN_URLS } from './schema-origins.js';
import type { OriginInput } from './schema-origins.js';

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  rtmp: 1935,
  rtmps: 443,
  rtsp: 554,
  rtsps: 322,
  http: 80,
  https: 443,
};

/** Where each kind of server wants the room. */
const ROOMS: Readonly<Record<OriginPreset, Origin['rooms']>> = {
  red5pro: 'app',
  'red5-stream-manager': 'app',
  generic: 'app',
  mediamtx: 'app',
  srs: 'app',
  // An nginx application is one word of its config; a slash in the name is fine.
  'nginx-rtmp': 'name',
  embedded: 'flat',
};

/** Reads addresses and credentials and fills in what the presets decide. */
export function resolveOrigins(inputs: readonly OriginInput[], to: Resolving): readonly Origin[] {
  if (inputs.length === 0)
    to.fault(
      ['origins'],
      'names no origin',
      'expected at least one, such as {name: main, rtmp: "rtmp://10.0.0.5:1935"}',
    );
  to.unique(
    ['origins'],
    'name',
    inputs.map(({ name }) => name),
  );
  return inputs.flatMap((input, index) => {
    const path = ['origins', index];
    const addresses = resolveAddresses(input, path, to);
    const credentials = resolveCredentials(input, [...path, 'credentials'], to);
    if (addresses === null || credentials === null) return [];
    checkHttpKeys(input, path, to);
    const nodes = resolveNodes(input, path, to);
    if (nodes === null) return [];
    const { name, preset, apps, paths, connectTimeoutSeconds, proxyProtocol, forwardedFor } = input;
    return [
      {
        ...{ name, preset, ...addresses, rooms: input.rooms ?? ROOMS[preset], connectTimeoutSeconds, credentials },
        ...{ proxyProtocol, forwardedFor },
        health: {
          ...input.healthCheck,
          isChecked: (input.health ?? (preset === 'embedded' ? 'off' : 'on')) === 'on',
          app: input.healthCheck.app ?? apps?.[0] ?? 'live',
        },
        ...(nodes && { ...nodes.addresses, nodes: nodes.nodes }),
        ...(apps && { apps }),
        ...(paths && { paths }),
      },
    ];
  });
}

/** Who reads the token of WHIP and WHEP from the query only. */
const IN_QUERY: readonly OriginPreset[] = ['red5pro', 'red5-stream-manager', 'srs'];

function checkHttpKeys(input: OriginInput, path: readonly PathStep[], to: Resolving): void {
  const { preset, http, endpoint, nodeGroup } = input;
  if (http !== undefined && preset === 'nginx-rtmp') {
    to.fault([...path, 'http'], 'means nothing to nginx-rtmp, which has no WHIP', 'expected another preset');
  }
  if (endpoint !== undefined && preset !== 'generic') {
    to.fault([...path, 'endpoint'], `means nothing for the preset ${preset}`, 'expected preset generic');
  }
  if (endpoint !== undefined && !namesStream(endpoint)) {
    to.fault(
      [...path, 'endpoint'],
      'is the same for different streams',
      'expected {path}, or {app} and {stream}, or {scope} and {name}',
    );
  }
  if (nodeGroup !== undefined && preset !== 'red5-stream-manager') {
    to.fault([...path, 'nodeGroup'], `means nothing for the preset ${preset}`, 'expected preset red5-stream-manager');
  }
}

/** RTMP and RTSP of a cluster, at addresses that its manager names; undefined for what is no cluster. */
function resolveNodes(input: OriginInput, path: readonly PathStep[], to: Resolving) {
  const { preset, nodes, nodeGroup, http, rtmp, rtsp } = input;
  if (nodes === undefined) return undefined;
  const at = [...path, 'nodes'];
  if (preset !== 'red5-stream-manager')
    return to.fault(at, `means nothing for the preset ${preset}`, 'expected preset red5-stream-manager');
  if (http === undefined || nodeGroup === undefined)
    return to.fault(at, 'cannot be asked for', "expected http (the manager's address) and nodeGroup too");
  if (rtmp !== undefined || rtsp !== undefined)
    return to.fault(at, 'stands beside an address of its own', 'expected neither rtmp nor rtsp');
  const { username, allow } = nodes;
  if ((username === undefined) !== (nodes.password === undefined))
    return to.fault(at, 'has half a login', 'expected username and password');
  const password = nodes.password === undefined ? undefined : to.secret([...at, 'password'], nodes.password);
  if (password === null) return null;
  const node = (port: number): OriginAddress => ({ host: 'node', port, secure: false, find: 'node' });
  return {
    addresses: { rtmp: node(nodes.rtmpPort), rtsp: node(nodes.rtspPort) },
    nodes: {
      ...(allow && { allow }),
      ...(username !== undefined && password !== undefined && { login: { username, password } }),
    },
  };
}

function namesStream(template: string): boolean {
  const has = (word: string): boolean => template.includes(`{${word}}`);
  return has('path') || (has('app') && has('stream')) || (has('scope') && has('name'));
}

function resolveAddresses(
  input: OriginInput,
  path: readonly PathStep[],
  to: Resolving,
): Pick<Origin, 'rtmp' | 'rtsp' | 'http'> | null {
  const { rtmp, rtsp, http } = input;
  if (rtmp === undefined && rtsp === undefined && http === undefined) {
    return to.fault(path, 'has no address', 'expected rtmp, rtsp or http, such as rtmp: "rtmp://10.0.0.5:1935"');
  }
  const resolved = {
    ...(rtmp !== undefined && { rtmp: addressOf('rtmp', rtmp, path, to) }),
    ...(rtsp !== undefined && { rtsp: addressOf('rtsp', rtsp, path, to) }),
    ...(http !== undefined && { http: resolveHttp(input, http, path, to) }),
  };
  const isWhole = (all: typeof resolved): all is Pick<Origin, 'rtmp' | 'rtsp' | 'http'> =>
    Object.values(all).every((one) => one !== null);
  return isWhole(resolved) ? resolved : null;
}

function addressOf(
  kind: keyof typeof ORIGIN_URLS,
  url: string,
  path: readonly PathStep[],
  to: Resolving,
): OriginAddress | null {
  const [, scheme, host, port] = ORIGIN_URLS[kind].exec(url) ?? [];
  if (scheme === undefined || host === undefined) return null;
  const isSrv = url.includes('+srv://');
  if (isSrv && port !== undefined)
    return to.fault([...path, kind], 'has a port, which SRV names itself', 'expected none');
  const number = port === undefined ? (DEFAULT_PORTS[scheme] ?? 0) : Number(port);
  if (number < 1 || number > 65535) return to.fault([...path, kind], `has the port ${number}`, 'expected 1 to 65535');
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: number,
    secure: scheme.endsWith('s'),
    ...(isSrv && { find: 'srv' }),
  };
}

function resolveHttp(input: OriginInput, url: string, path: readonly PathStep[], to: Resolving): OriginHttp | null {
  const address = addressOf('http', url, path, to);
  const { preset, media, endpoint, nodeGroup } = input;
  return (
    address && {
      ...address,
      path: ORIGIN_URLS.http.exec(url)?.[4] ?? '',
      media,
      credentials: input.credentials.http ?? (IN_QUERY.includes(preset) ? 'query' : 'header'),
      ...(endpoint !== undefined && { endpoint }),
      ...(nodeGroup !== undefined && { nodeGroup }),
    }
  );
}

type CredentialsInput = OriginInput['credentials'];

/** Which keys mean something in which mode. */
const USED: Readonly<Record<CredentialsInput['mode'], readonly (keyof CredentialsInput)[]>> = {
  strip: [],
  forward: [],
  static: ['username', 'password', 'token'],
  remint: ['key', 'issuer'],
};

function resolveCredentials(
  origin: OriginInput,
  path: readonly PathStep[],
  to: Resolving,
): OriginCredentialsConfig | null {
  const input = origin.credentials;
  const { mode, placement } = input;
  for (const key of ['username', 'password', 'token', 'key', 'issuer'] as const) {
    if (input[key] !== undefined && !USED[mode].includes(key)) {
      to.fault([...path, key], `means nothing in mode ${mode}`, modesFor(key));
    }
  }
  switch (mode) {
    case 'strip':
      return { mode };
    case 'forward':
      return { mode, placement };
    case 'static':
      return staticCredentials(input, path, to);
    case 'remint':
      return remintCredentials(input, path, to);
  }
}

function modesFor(key: keyof CredentialsInput): string {
  return `expected mode ${Object.entries(USED).find(([, keys]) => keys.includes(key))?.[0] ?? 'other'}, or the key left out`;
}

function staticCredentials(
  input: CredentialsInput,
  path: readonly PathStep[],
  to: Resolving,
): OriginCredentialsConfig | null {
  const { username, placement } = input;
  if (username === undefined && input.password === undefined && input.token === undefined) {
    return to.fault(path, 'has mode static, but nothing to show', 'expected username and password, or token');
  }
  const password = input.password && to.secret([...path, 'password'], input.password);
  const token = input.token && to.secret([...path, 'token'], input.token);
  return {
    mode: 'static',
    placement,
    ...(username !== undefined && { username }),
    ...(password && { password }),
    ...(token && { token }),
  };
}

function remintCredentials(
  input: CredentialsInput,
  path: readonly PathStep[],
  to: Resolving,
): OriginCredentialsConfig | null {
  const { key: ref, issuer, ttlSeconds, placement } = input;
  if (ref === undefined) return to.fault(path, 'has mode remint, but no key', "expected key: the origin's own secret");
  const key = to.secret([...path, 'key'], ref);
  if (key === null) return null;
  const bytes = Buffer.byteLength(key.reveal());
  if (bytes < MIN_SECRET_BYTES) return to.fault([...path, 'key'], `is a weak secret of ${bytes} bytes`, MAKE_A_SECRET);
  return { mode: 'remint', placement, key, ttlSeconds, ...(issuer !== undefined && { issuer }) };
}
