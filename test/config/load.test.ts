import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { HOOK_NAMES as HOOKS_OF_THE_ROOM } from '../../src/hooks/index.js';
import { PLAIN_HOOK_NAMES as HOOK_NAMES } from '../../src/config/schema-hooks.js';
import { complete, configOf, faultsOf, load, SECRET, selfSigned, warningsOf } from './loading.js';

const MINIMAL = `listen:
  rtmp: {}
auth:
  keys:
    - id: main
      secret: { env: MEDIA_SECRET }
origins:
  - name: red5-a
    rtmp: "rtmp://10.0.0.5:1935"
`;
const env = { MEDIA_SECRET: SECRET };

describe('a small config', () => {
  it('is filled with every default', () => {
    const config = configOf(MINIMAL, { env });
    expect(config.listen).toEqual({ rtmp: { host: '0.0.0.0', port: 1935 } });
    expect(config.hooks.map(({ name }) => name)).toEqual([
      'verify-token',
      'require-transport',
      'require-role',
      'require-room',
    ]);
    expect(config.auth).toMatchObject({ profile: 'red5', onExpiry: 'keep', maxTtlMinutes: 60, leewaySeconds: 0 });
    expect(config.auth.keys).toMatchObject([{ id: 'main', algorithm: 'HS256', kind: 'secret', encoding: 'utf8' }]);
    expect(config.origins).toMatchObject([
      {
        name: 'red5-a',
        preset: 'red5pro',
        rtmp: { host: '10.0.0.5', port: 1935, secure: false },
        rooms: 'app',
        credentials: { mode: 'strip' },
      },
    ]);
    expect(config.limits).toEqual({
      connections: 0,
      perAddress: 0,
      unauthenticatedPerAddress: 0,
      allow: [],
      deny: [],
      attemptsPerAddress: 0,
      attemptsPerSubject: 0,
      failuresPerToken: 5,
      failuresPerAddress: 0,
      sessionsPerToken: 0,
      sessionsPerSubject: 0,
      viewersPerStream: 0,
      publisherKbps: 0,
      unauthenticated: 1000,
      preDecisionBytes: 65536,
      handshakeTimeoutSeconds: 5,
      publishTimeoutSeconds: 30,
      idleTimeoutSeconds: 15,
      hookTimeoutSeconds: 3,
      dialTimeoutSeconds: 5,
      drainTimeoutSeconds: 30,
      drainSpreadSeconds: 5,
    });
    expect(config.relay).toEqual({
      paceMs: 0,
      viewerBufferBytes: 4194304,
      viewerStallSeconds: 10,
      ifMatch: 'lenient',
      allowRecord: false,
      publisherConflict: 'reject',
    });
    expect(config.log).toEqual({ level: 'info', format: 'json', maxPerSecond: 100 });
    expect(config.store).toEqual({ type: 'memory' });
    expect(warningsOf(MINIMAL, { env })).toEqual([]);
  });

  it('may be JSON, tabs and all', () => {
    const json = JSON.stringify(JSON.parse(complete()), null, '\t');
    expect(configOf(json).origins[0]?.name).toBe('a');
  });

  it('never shows a secret when the config is printed', () => {
    expect(JSON.stringify(configOf(MINIMAL, { env }))).not.toContain(SECRET);
  });

  it('knows the hooks that the hooks room knows', () => {
    expect(HOOK_NAMES).toEqual(HOOKS_OF_THE_ROOM);
  });
});

describe('a fault', () => {
  it.each<[string, string, string]>([
    [
      'a wrong type',
      MINIMAL.replace('rtmp: {}', 'rtmp: { port: many }'),
      'gateway.yaml:2: listen.rtmp.port: is text; expected a whole number',
    ],
    [
      'a fraction',
      MINIMAL.replace('rtmp: {}', 'rtmp: { port: 1.5 }'),
      'gateway.yaml:2: listen.rtmp.port: is the number 1.5; expected a whole number',
    ],
    [
      'a number that is too large',
      MINIMAL.replace('rtmp: {}', 'rtmp: { port: 70000 }'),
      'gateway.yaml:2: listen.rtmp.port: is 70000, too much; expected at most 65535',
    ],
    [
      'no keys below a group',
      MINIMAL.replace('rtmp: {}', 'rtmp:'),
      'gateway.yaml:2: listen.rtmp: is empty; expected keys below it, or {} for all defaults',
    ],
    [
      'an unknown key',
      MINIMAL.replace('keys:', 'keyz:'),
      'gateway.yaml:4: auth.keyz: is not a known key; did you mean "keys"?',
    ],
    [
      'an unknown key like no other',
      `${MINIMAL}banana: 1\n`,
      'gateway.yaml:10: banana: is not a known key; expected one of listen, tls, auth, hooks, origins, limits, relay, store, admin, log',
    ],
    [
      'an unknown word',
      `${MINIMAL}log: { level: debgu }\n`,
      'gateway.yaml:10: log.level: "debgu" is not known here; expected one of debug, info, warn, error; did you mean "debug"?',
    ],
    [
      'a key that is missing',
      MINIMAL.replace('    rtmp: "rtmp://10.0.0.5:1935"\n', ''),
      'gateway.yaml:8: origins[0]: has no address; expected rtmp, rtsp or http, such as rtmp: "rtmp://10.0.0.5:1935"',
    ],
    [
      'a secret in place',
      MINIMAL.replace('{ env: MEDIA_SECRET }', `${SECRET}x`),
      'gateway.yaml:6: auth.keys[0].secret: is text; expected {file: …} or {env: …} or {value: …}',
    ],
    [
      'a secret that is a number',
      MINIMAL.replace('{ env: MEDIA_SECRET }', '{ value: 12345678901234567890123456789012 }'),
      'gateway.yaml:6: auth.keys[0].secret.value: is the number 1.2345678901234567e+31; expected text: put it in quotes',
    ],
    [
      'two sources of a secret',
      MINIMAL.replace('{ env: MEDIA_SECRET }', '{ env: A, file: b }'),
      'gateway.yaml:6: auth.keys[0].secret: names none or several sources; expected exactly one of file, env or value',
    ],
    [
      'a variable that is not set',
      MINIMAL.replace('MEDIA_SECRET', 'OTHER_SECRET'),
      'gateway.yaml:6: auth.keys[0].secret.env: names the environment variable OTHER_SECRET, which is not set',
    ],
    [
      'a file that is not there',
      MINIMAL.replace('env: MEDIA_SECRET', 'file: /etc/nothing'),
      'gateway.yaml:6: auth.keys[0].secret.file: names the file /etc/nothing, which does not exist; expected a readable file',
    ],
    ['a list instead of a group', '- a\n', 'gateway.yaml:1: is a list; expected a group of keys'],
    ['a syntax error', 'listen: {rtmp: [\n', 'gateway.yaml:2: is not valid YAML or JSON'],
    ['one key twice', 'log: {}\nlog: {}\n', 'gateway.yaml:2: is not valid YAML or JSON'],
    ['a tag', 'log: !!js/function "x"\n', 'gateway.yaml:1: uses a YAML tag (!); plain values only'],
    ['a tag of the core', 'log:\n  level: !!str info\n', 'gateway.yaml:2: uses a YAML tag (!); plain values only'],
    ['an anchor that is not set', 'log: *secretword\n', 'gateway.yaml:1: uses an anchor'],
    ['several documents', 'log: {}\n---\nlog: {}\n', 'gateway.yaml:2: is not valid YAML or JSON'],
    ['a key of a list', '? [a, b]\n: 1\n', 'gateway.yaml:1: has a key that is not a plain word'],
    ['a prototype', '__proto__: { x: 1 }\n', 'gateway.yaml:1: __proto__: is not a known key'],
    [
      'a host that is none',
      MINIMAL.replace('rtmp: {}', 'rtmp: { host: "a b" }'),
      'gateway.yaml:2: listen.rtmp.host: is not a host; expected a host name or an IP address',
    ],
    [
      'an origin with a path',
      MINIMAL.replace(':1935', ':1935/live'),
      'gateway.yaml:9: origins[0].rtmp: is not an origin address; expected rtmp://host:port or rtmps://host:port, without user, path or query',
    ],
    [
      'an origin with a user',
      MINIMAL.replace('rtmp://', 'rtmp://a:b@'),
      'gateway.yaml:9: origins[0].rtmp: is not an origin address',
    ],
    [
      'an origin without a port that is one',
      MINIMAL.replace(':1935', ':0'),
      'gateway.yaml:9: origins[0].rtmp: has the port 0; expected 1 to 65535',
    ],
    [
      'a range of UDP ports that is none',
      MINIMAL.replace('rtmp: {}', 'rtsp: { udpPorts: 20999-20000 }'),
      'gateway.yaml:2: listen.rtsp.udpPorts: is no range of ports; expected two of 1 to 65535, the lower first',
    ],
    [
      'an origin with a word of another transport',
      MINIMAL.replace('    rtmp: "rtmp', '    rtsp: "rtmp'),
      'gateway.yaml:9: origins[0].rtsp: is not an origin address; expected rtsp://host:port or rtsps://host:port, without user, path or query',
    ],
    [
      'an HTTP origin with a query',
      MINIMAL.replace('    rtmp: "rtmp://10.0.0.5:1935"', '    http: "http://10.0.0.5:5080/a?b"'),
      'gateway.yaml:9: origins[0].http: is not an origin address; expected http://host:port or https://host:port, without user or query',
    ],
    [
      'an endpoint that is no URL',
      `${MINIMAL}    endpoint: "/{tenant}"\n`,
      'gateway.yaml:10: origins[0].endpoint: is not the form of a URL',
    ],
    [
      'a public URL with a query',
      MINIMAL.replace('rtmp: {}', 'http: { publicUrl: "https://a/?b" }'),
      'gateway.yaml:2: listen.http.publicUrl: is not a base URL; expected https://host:port',
    ],
    [
      'a public address that is none',
      MINIMAL.replace('rtmp: {}', 'media: { publicAddresses: ["0.0.0.0"] }'),
      'gateway.yaml:2: listen.media.publicAddresses[0]: is not the address of a machine; expected an IPv4 or IPv6 address',
    ],
  ])('of %s tells file, line, path, what is wrong and what is expected', (_, text, expected) => {
    expect(faultsOf(text, { env }).join('\n')).toContain(expected);
  });

  it('is told for every key at once, in the order of the file', () => {
    const text = `listen: { rtmp: { port: -1 } }\nlog: { level: loud }\nrelay: { paceMs: 51 }\norigins: []\n`;
    expect(faultsOf(text).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'gateway.yaml:1 listen.rtmp.port',
      'gateway.yaml:2 log.level',
      'gateway.yaml:3 relay.paceMs',
    ]);
  });

  it('repeats nothing of a secret that stands in the wrong place', () => {
    const texts = [
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ value:${SECRET} }`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ ${SECRET} }`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ ${SECRET.slice(0, 12)} }`),
      MINIMAL.replace('secret: { env: MEDIA_SECRET }', `secret:${SECRET}`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `*${SECRET}`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `!${SECRET} x`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ value: "${SECRET} }`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `"${SECRET}" trailing`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `%${SECRET}`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `@${SECRET}`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ value: [${SECRET}] }`),
      MINIMAL.replace('{ env: MEDIA_SECRET }', `{ value: ${SECRET.slice(0, 12)} }`),
    ];
    for (const text of texts) {
      const lines = faultsOf(text).join('\n');
      expect(lines).not.toBe('');
      expect(lines).not.toContain(SECRET.slice(0, 12));
    }
  });
});

it('sees a space missing behind a colon', () => {
  const text = MINIMAL.replace('{ env: MEDIA_SECRET }', `{ value:${SECRET} }`);
  expect(faultsOf(text)).toEqual([
    'gateway.yaml:6: auth.keys[0].secret: has a key that is not known and is not repeated here; expected a space behind "value:"',
    'gateway.yaml:6: auth.keys[0].secret: names none or several sources; expected exactly one of file, env or value',
  ]);
});

describe('cross-checks', () => {
  const origins = [{ name: 'a', rtmp: 'rtmp://h' }];
  const key = { id: 'main', secret: { value: SECRET } };
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['no listener', { listen: {} }, 'listen: names no listener for media'],
    ['only the operator listener', { listen: { admin: {} } }, 'listen: names no listener for media'],
    ['HTTPS without a certificate', { listen: { https: {} } }, 'listen.https: needs a certificate'],
    [
      'HTTP that no origin speaks',
      { listen: { http: {} } },
      'listen.http: is opened, but no origin has an address for http; expected origins[].http',
    ],
    [
      'HTTP without a way for the media',
      { listen: { http: {} }, origins: [{ name: 'a', http: 'http://h' }] },
      'listen: has http or https, but no media, through which WebRTC media is relayed',
    ],
    [
      'media without an address to tell',
      { listen: { rtmp: {}, media: {} } },
      'listen.media.publicAddresses: is empty, and host is no address that clients could be told',
    ],
    [
      'a TURN server without a name',
      { listen: { rtmp: {}, media: { host: '192.0.2.1', iceServers: [{ url: 'turn:t' }] } } },
      'listen.media.iceServers[0]: has not what its kind needs; expected username and credential for turn',
    ],
    [
      'a TURN password that ends the header',
      {
        listen: {
          rtmp: {},
          media: {
            host: '192.0.2.1',
            iceServers: [{ url: 'turn:t', username: 'u', credential: { value: 'a"b' } }],
          },
        },
      },
      'listen.media.iceServers[0].credential: does not fit in a header',
    ],
    [
      'WHIP to nginx-rtmp',
      { origins: [{ ...origins[0], preset: 'nginx-rtmp', http: 'http://h' }] },
      'origins[0].http: means nothing to nginx-rtmp, which has no WHIP',
    ],
    [
      'an endpoint for a preset that has its own',
      { origins: [{ ...origins[0], endpoint: '/{path}' }] },
      'origins[0].endpoint: means nothing for the preset red5pro',
    ],
    [
      'an endpoint that is one for all streams',
      { origins: [{ ...origins[0], preset: 'generic', endpoint: '/whip/{app}' }] },
      'origins[0].endpoint: is the same for different streams; expected {path}',
    ],
    [
      'a node group without nodes',
      { origins: [{ ...origins[0], nodeGroup: 'a' }] },
      'origins[0].nodeGroup: means nothing for the preset red5pro; expected preset red5-stream-manager',
    ],
    ['RTMPS without a certificate', { listen: { rtmps: {} } }, 'listen.rtmps: needs a certificate'],
    [
      'two listeners on one port',
      { listen: { rtmp: { port: 9090 }, admin: {} } },
      'listen.admin.port: is also the port of listen.rtmp',
    ],
    [
      'an operator listener for the world',
      { listen: { rtmp: {}, admin: { host: '0.0.0.0' } } },
      'listen.admin: listens on 0.0.0.0, beyond loopback, without a token',
    ],
    [
      'an operator token that is short',
      { listen: { rtmp: {}, admin: { token: { value: 'short' } } } },
      'listen.admin.token: has 5 characters; expected at least 16',
    ],
    [
      'a dashboard beyond loopback without a token',
      { listen: { rtmp: {}, admin: { publicUrl: 'https://ops.example.com' } } },
      'listen.admin.publicUrl: is ops.example.com, beyond loopback, without a token; expected listen.admin.token',
    ],
    ...[
      'https://ops.example.com/admin',
      'http://[::1]:9090',
      'ops.example.com',
      'https://a;b',
      'https://*.b',
      'https://',
    ].map((publicUrl): [string, Readonly<Record<string, unknown>>, string] => [
      `a dashboard at ${publicUrl}`,
      { listen: { rtmp: {}, admin: { publicUrl } } },
      'listen.admin.publicUrl: is not the address of a dashboard; expected https://host or http://host:port, without path',
    ]),
    [
      'a dashboard at a port that cannot be',
      { listen: { rtmp: {}, admin: { publicUrl: 'http://localhost:70000' } } },
      'listen.admin.publicUrl: has a port or a host that cannot be',
    ],
    ['no origin', { origins: [] }, 'origins: names no origin'],
    [
      'a listener that no origin serves',
      { origins: [{ name: 'a', rtsp: 'rtsp://h' }] },
      'listen.rtmp: is opened, but no origin has an address for rtmp; expected origins[].rtmp',
    ],
    ['one origin name twice', { origins: [...origins, ...origins] }, 'origins[1].name: "a" is already entry 0'],
    ['one key id twice', { auth: { keys: [key, key] } }, 'auth.keys[1].id: "main" is already entry 0'],
    ['no key', { auth: {} }, 'auth.keys: names no key'],
    [
      'a weak secret',
      { auth: { keys: [{ id: 'x', secret: { value: 'short' } }] } },
      'auth.keys[0].secret: is a weak secret of 5 bytes; expected at least 32 bytes; make one with `openssl rand -base64 32`',
    ],
    [
      'a secret weak after decoding',
      { auth: { keys: [{ id: 'x', secret: { value: SECRET }, encoding: 'hex' }] } },
      'is a weak secret of 16 bytes',
    ],
    [
      'a secret not in its encoding',
      { auth: { keys: [{ id: 'x', secret: { value: `${SECRET}!` }, encoding: 'base64' }] } },
      'auth.keys[0].secret: is not base64 text',
    ],
    ['a key without a secret', { auth: { keys: [{ id: 'x' }] } }, 'auth.keys[0]: has no secret'],
    [
      'a public key for HS256',
      { auth: { keys: [{ id: 'x', publicKey: { value: 'p' } }] } },
      'has a public key, but HS256 works with a shared secret',
    ],
    [
      'a secret for RS256',
      { auth: { keys: [{ ...key, algorithm: 'RS256' }] } },
      'has a secret, but RS256 works with a public key',
    ],
    [
      'no public key for RS256',
      { auth: { keys: [{ id: 'x', algorithm: 'RS256' }] } },
      'has no public key; expected either publicKey or jwks',
    ],
    ['open beside others', { hooks: ['open', 'verify-token'] }, 'hooks: has open beside other hooks'],
    [
      'a rule before the token',
      { hooks: ['require-role', 'verify-token'] },
      'hooks[0]: has require-role before verify-token',
    ],
    ['a rule without the token', { hooks: ['require-role'] }, 'hooks[0]: has require-role before verify-token'],
    ['a hook twice', { hooks: ['verify-token', 'verify-token'] }, 'hooks[1]: names verify-token twice'],
    [
      'static without anything',
      { origins: [{ ...origins[0], credentials: { mode: 'static' } }] },
      'origins[0].credentials: has mode static, but nothing to show',
    ],
    [
      'a token without static',
      { origins: [{ ...origins[0], credentials: { token: { value: 't' } } }] },
      'origins[0].credentials.token: means nothing in mode strip; expected mode static',
    ],
    [
      'remint without a key',
      { origins: [{ ...origins[0], credentials: { mode: 'remint' } }] },
      'has mode remint, but no key',
    ],
    [
      'remint with a weak key',
      { origins: [{ ...origins[0], credentials: { mode: 'remint', key: { value: 'k' } } }] },
      'origins[0].credentials.key: is a weak secret of 1 bytes',
    ],
    [
      'a certificate that is none',
      { listen: { rtmps: {} }, tls: { certificates: [{ cert: { value: 'a' }, key: { value: 'b' } }] } },
      'tls.certificates[0].cert: is not a certificate',
    ],
  ])('refuse %s', (_, parts, expected) => {
    expect(faultsOf(complete(parts)).join('\n')).toContain(expected);
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['an empty hook list', { hooks: [] }, 'hooks: is empty: everybody is refused'],
    [
      'an open gateway',
      { hooks: ['open'], auth: {} },
      'hooks: is open: EVERYBODY may publish and play, without a token',
    ],
    [
      'a rule left out',
      { hooks: ['verify-token', 'require-transport', 'require-room'] },
      'hooks: leaves out require-role',
    ],
    [
      'a weak secret let pass',
      { auth: { allowWeakSecret: true, keys: [{ id: 'x', secret: { value: 'short' } }] } },
      'auth.keys[0].secret: is a weak secret of 5 bytes, let pass by auth.allowWeakSecret',
    ],
  ])('warn of %s', (_, parts, expected) => {
    expect(warningsOf(complete(parts)).join('\n')).toContain(expected);
  });

  it('accept a certificate with its key, and refuse another key', () => {
    const [ours, theirs] = [selfSigned(), selfSigned()];
    const tls = (key: string) => ({
      listen: { rtmps: { port: 0 } },
      tls: { certificates: [{ cert: { value: ours.cert }, key: { value: key }, serverNames: ['*.example.com'] }] },
    });
    expect(configOf(complete(tls(ours.key))).tls.certificates).toMatchObject([{ serverNames: ['*.example.com'] }]);
    expect(faultsOf(complete(tls(theirs.key))).join()).toContain('key: does not belong to the certificate');
  });

  it('take an authority for the certificates of clients, and refuse nonsense', () => {
    const { cert, key } = selfSigned();
    const tls = (ca: object) => ({
      listen: { rtmps: { port: 0 } },
      tls: { certificates: [{ cert: { value: cert }, key: { value: key } }], clientCertificates: { ca } },
    });
    const files = { 'ca.pem': cert, 'empty.pem': 'nothing here' };
    expect(configOf(complete(tls({ file: 'ca.pem' })), { files }).tls.clientCertificates).toEqual({
      ...{ ca: cert.trimEnd(), file: 'ca.pem', mode: 'required' },
    });
    expect(faultsOf(complete(tls({ file: 'empty.pem' })), { files }).join()).toContain('ca: is not a certificate');
    expect(faultsOf(complete(tls({ file: 'gone.pem' })), { files }).join()).toContain(
      'ca.file: names the file gone.pem',
    );
  });

  it('ask the hook that will use the keys, and tell where its remarks belong', () => {
    const seen: string[] = [];
    const faults = faultsOf(complete({ auth: { keys: [{ id: 'weak', secret: { value: 'x' } }, key] } }), {
      checkKeys: ({ keys }) => {
        seen.push(...keys.map(({ id }) => id));
        return { faults: [{ index: 0, property: 'secret', message: 'is odd' }], warnings: [] };
      },
    });
    expect(seen).toEqual(['main']);
    expect(faults.join('\n')).toMatch(/auth\.keys\[1\]\.secret: is odd/);
  });
});

describe('secrets in files', () => {
  it('lose one trailing newline and no more', () => {
    const text = MINIMAL.replace('env: MEDIA_SECRET', 'file: secret.txt');
    const secretOf = (content: string) => {
      const key = configOf(text, { files: { 'secret.txt': content } }).auth.keys[0];
      return key?.kind === 'secret' ? key.secret.reveal() : undefined;
    };
    expect(secretOf(`${SECRET}\n`)).toBe(SECRET);
    expect(secretOf(`${SECRET}\r\n`)).toBe(SECRET);
    expect(secretOf(`${SECRET}\n\n`)).toBe(`${SECRET}\n`);
    expect(secretOf(SECRET)).toBe(SECRET);
  });

  it('are looked for beside the config file', () => {
    const readFile = (path: string) => {
      if (path === '/etc/portcullis/secret.txt') return Buffer.from(SECRET);
      throw new Error(path);
    };
    const text = MINIMAL.replace('env: MEDIA_SECRET', 'file: secret.txt');
    expect(loadConfig({ file: '/etc/portcullis/gateway.yaml', text, env: {}, readFile }).ok).toBe(true);
  });

  it.each<[string, string | Buffer, string]>([
    ['is empty', '\n', 'names a file that is empty'],
    ['is no text', Buffer.from([0xff, 0xfe, 0x00]), 'names a file that is not UTF-8 text'],
    ['is huge', Buffer.alloc(1_048_577, 97), 'which is larger than 1048576 bytes'],
  ])('are a fault when the file %s', (_, content, expected) => {
    const text = MINIMAL.replace('env: MEDIA_SECRET', 'file: secret.txt');
    expect(faultsOf(text, { files: { 'secret.txt': content } }).join()).toContain(expected);
  });
});

describe('the config file itself', () => {
  const from = (read: () => Buffer) => loadConfig({ file: 'x.yaml', env: {}, readFile: read });
  it('is a fault when it is not there, not text, or too large', () => {
    const missing = from(() => {
      throw Object.assign(new Error(), { code: 'ENOENT' });
    });
    expect(missing).toMatchObject({ ok: false, faults: [{ source: 'x.yaml', problem: 'does not exist' }] });
    expect(from(() => Buffer.from([0xff]))).toMatchObject({ faults: [{ problem: 'is not UTF-8 text' }] });
    expect(from(() => Buffer.alloc(1_048_577, 32))).toMatchObject({ faults: [{ problem: /larger/ as unknown }] });
  });

  it('is bounded in aliases and depth', () => {
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [index, name] of ['b', 'c', 'd', 'e', 'f', 'g'].entries()) {
      const above = String.fromCharCode(97 + index);
      laughs.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${above}`).join(', ')}]`);
    }
    expect(faultsOf(laughs.join('\n')).join()).toContain('beyond all measure');
    expect(faultsOf('['.repeat(200_000)).length).toBe(1);
    expect(faultsOf(`log: ${'['.repeat(40)}${']'.repeat(40)}`).join()).toContain('nested deeper');
  });

  it('may be absent when the environment says it all', () => {
    const result = loadConfig({
      env: {
        PORTCULLIS_LISTEN__RTMP__PORT: '0',
        PORTCULLIS_AUTH__KEYS__0__ID: 'main',
        PORTCULLIS_AUTH__KEYS__0__SECRET__VALUE: SECRET,
        PORTCULLIS_ORIGINS__0__NAME: 'a',
        PORTCULLIS_ORIGINS__0__RTMP: 'rtmp://[::1]:1936',
      },
      readFile: () => Buffer.alloc(0),
    });
    expect(result).toMatchObject({ ok: true, config: { origins: [{ rtmp: { host: '::1', port: 1936 } }] } });
  });
});

describe('presets and profiles', () => {
  it.each([
    ['red5pro', 'app'],
    ['nginx-rtmp', 'name'],
    ['embedded', 'flat'],
    ['srs', 'app'],
  ])('give %s the rooms in its %s', (preset, rooms) => {
    expect(configOf(complete({ origins: [{ name: 'a', preset, rtmp: 'rtmps://h' }] })).origins[0]).toMatchObject({
      rooms,
      rtmp: { port: 443, secure: true },
    });
  });

  it('give WHIP and WHEP what they need', () => {
    const listen = {
      http: { publicUrl: 'https://media.example.com/live/', pages: true },
      media: {
        publicAddresses: ['2001:db8::7', '203.0.113.7'],
        iceServers: [
          { url: 'stun:s' },
          { url: 'turn:[2001:db8::9]:3478?transport=udp', username: 'u', credential: { value: 'p' } },
        ],
      },
    };
    const origins = [
      { name: 'a', http: 'http://[::1]:5080/x/y/' },
      { name: 'b', preset: 'mediamtx', http: 'https://b', media: 'direct' },
      {
        name: 'c',
        preset: 'generic',
        http: 'http://c',
        endpoint: '/{path}/{transport}',
        credentials: { http: 'query' },
      },
    ];
    const config = configOf(complete({ listen, origins }));
    expect(config.listen).toMatchObject({
      http: { host: '0.0.0.0', port: 5080, publicUrl: 'https://media.example.com/live', pages: true },
      media: {
        port: 8189,
        publicAddresses: ['203.0.113.7', '2001:db8::7'],
        iceServers: [{ url: 'stun:s' }, { username: 'u' }],
      },
    });
    expect(config.origins).toMatchObject([
      { http: { host: '::1', port: 5080, secure: false, path: '/x/y', media: 'relay', credentials: 'query' } },
      { http: { host: 'b', port: 443, secure: true, path: '', media: 'direct', credentials: 'header' } },
      { http: { endpoint: '/{path}/{transport}', credentials: 'query' } },
    ]);
  });

  it.each([
    ['http://localhost:19090', 'http://localhost:19090'],
    ['http://LOCALHOST:80/', 'http://localhost'],
    ['https://127.0.0.1:443', 'https://127.0.0.1'],
  ])('write the address %s of the dashboard as browsers do', (publicUrl, origin) => {
    expect(configOf(complete({ listen: { rtmp: {}, admin: { publicUrl } } })).listen.admin).toEqual({
      ...{ host: '127.0.0.1', port: 9090, publicUrl: origin },
    });
  });

  it('tell clients the address that media listens on', () => {
    const listen = { rtmp: {}, media: { host: '192.0.2.1' } };
    expect(configOf(complete({ listen })).listen.media?.publicAddresses).toEqual(['192.0.2.1']);
  });

  it('let strict end a session with its token', () => {
    const auth = { profile: 'strict', keys: [{ id: 'main', secret: { value: SECRET } }] };
    expect(configOf(complete({ auth })).auth.onExpiry).toBe('close');
    expect(configOf(complete({ auth: { ...auth, onExpiry: 'keep' } })).auth.onExpiry).toBe('keep');
  });

  it('keep only what the mode of the credentials uses', () => {
    const credentials = (input: Readonly<Record<string, unknown>>) =>
      configOf(complete({ origins: [{ name: 'a', rtmp: 'rtmp://h', credentials: input }] })).origins[0]?.credentials;
    expect(credentials({ mode: 'forward', placement: 'arguments' })).toEqual({
      mode: 'forward',
      placement: 'arguments',
    });
    expect(credentials({ mode: 'static', username: 'u', password: { value: 'p' } })).toMatchObject({ username: 'u' });
    expect(credentials({ mode: 'remint', key: { value: SECRET }, issuer: 'me' })).toMatchObject({
      mode: 'remint',
      ttlSeconds: 60,
      issuer: 'me',
      placement: 'query',
    });
  });
});

it('gives the same answer for the same input', () => {
  expect(JSON.stringify(load(MINIMAL, { env }))).toBe(JSON.stringify(load(MINIMAL, { env })));
});

describe('proxies', () => {
  const withListen = (listen: string): string => MINIMAL.replace('listen:\n  rtmp: {}', `listen:\n${listen}`);

  it('are nobody by default', () => {
    expect(configOf(MINIMAL, { env }).trustedProxies).toEqual([]);
  });

  it('may tell addresses where a listener listens to them', () => {
    const config = configOf(withListen('  trustedProxies: [10.0.0.0/8]\n  rtmp: { proxyProtocol: required }'), { env });
    expect(config.trustedProxies).toEqual(['10.0.0.0/8']);
    expect(config.listen).toEqual({ rtmp: { host: '0.0.0.0', port: 1935, proxyProtocol: 'required' } });
  });

  it('must be named where a listener believes them', () => {
    expect(faultsOf(withListen('  rtmp: { proxyProtocol: optional }'), { env }).join()).toContain(
      'listen.rtmp.proxyProtocol',
    );
  });

  it('must be named where the admin listener believes them, and may tell operators alone', () => {
    const admin = '  admin: { forwarded: forwarded }';
    expect(faultsOf(withListen(`  rtmp: {}\n${admin}`), { env }).join()).toContain('listen.admin.forwarded');
    const text = withListen(`  trustedProxies: [10.0.0.1]\n  rtmp: {}\n${admin}`);
    expect(configOf(text, { env }).listen.admin).toEqual({ host: '127.0.0.1', port: 9090, forwarded: 'forwarded' });
    expect(warningsOf(text, { env }).join()).not.toContain('trustedProxies');
  });

  it('are warned of where no listener believes them', () => {
    expect(warningsOf(withListen('  trustedProxies: [10.0.0.1]\n  rtmp: {}'), { env }).join()).toContain(
      'listen.trustedProxies',
    );
  });

  it('are refused where they are no networks', () => {
    const text = withListen('  trustedProxies: [10.0.0.1/8]\n  rtmp: { proxyProtocol: optional }');
    expect(faultsOf(text, { env }).join()).toContain('10.0.0.0/8');
  });
});
