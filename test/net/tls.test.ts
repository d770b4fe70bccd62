import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ByteStream } from '../../src/model/byte-stream.js';
import { sniCallback, type Certificate } from '../../src/net/certificates.js';
import { dialTcp } from '../../src/net/dial.js';
import { listenTls, type BadHandshake, type TlsListener, type TlsListenOptions } from '../../src/net/tls.js';
import { fakeClock } from '../fakes/clock.js';

/** A fresh self-signed certificate; `openssl` is what the interop tests need anyway. */
function selfSigned(name: string, alternatives: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${alternatives}`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

const clock = fakeClock();
let first: Certificate;
let second: Certificate;
const open: { listeners: TlsListener[]; streams: ByteStream[]; sockets: Socket[] } = {
  listeners: [],
  streams: [],
  sockets: [],
};

beforeAll(() => {
  first = selfSigned('first.example', 'DNS:first.example,IP:127.0.0.1');
  second = selfSigned('second.example', 'DNS:second.example,DNS:*.wild.example');
});

afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const stream of open.streams.splice(0)) stream.destroy();
  await Promise.all(open.listeners.splice(0).map((each) => each.close()));
  for (let turn = 0; turn < 5; turn++) await turnOver();
  expect(clock.pending).toBe(0);
});

const turnOver = (): Promise<void> => new Promise((done) => setImmediate(done));
async function until(claim: () => boolean): Promise<void> {
  while (!claim()) await turnOver();
}

async function listening(
  more: Partial<TlsListenOptions> = {},
): Promise<{ listener: TlsListener; bad: BadHandshake[] }> {
  const bad: BadHandshake[] = [];
  const listener = await listenTls({
    host: '127.0.0.1',
    port: 0,
    clock,
    timeoutMs: 5000,
    certificates: [first, second],
    onStream: (stream) => {
      open.streams.push(stream);
      stream.handle({ onBytes: (bytes) => void stream.write(bytes), onClose: () => undefined });
    },
    onBadHandshake: (reason) => bad.push(reason),
    ...more,
  });
  open.listeners.push(listener);
  return { listener, bad };
}

function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((done, fail) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => done(socket));
    open.sockets.push(socket.on('error', fail));
  });
}

async function nameServed(port: number, servername?: string): Promise<string> {
  const socket = await dial(port, servername === undefined ? {} : { servername });
  return String(socket.getPeerCertificate().subject.CN);
}

describe('listenTls', () => {
  it('gives a secure stream when the handshake is done', async () => {
    const { listener, bad } = await listening();
    const socket = await dial(listener.port);
    socket.write('ping');
    const [reply] = await new Promise<Buffer[]>((done) => socket.once('data', (bytes: Buffer) => done([bytes])));
    expect(reply?.toString()).toBe('ping');
    expect(open.streams[0]?.secure).toBe(true);
    expect(open.streams[0]?.remoteAddress).toBe('127.0.0.1');
    expect(bad).toEqual([]);
  });

  it.each([
    ['no name', undefined, 'first.example'],
    ['its own name', 'first.example', 'first.example'],
    ['the other name, whatever its case', 'SECOND.example', 'second.example'],
    ['a name under a wildcard', 'cam.wild.example', 'second.example'],
    ['a name two labels under a wildcard', 'a.cam.wild.example', 'first.example'],
    ['a name that nobody has', 'constructor', 'first.example'],
  ])('serves to a client that asks for %s the right certificate', async (_, servername, expected) => {
    const { listener } = await listening();
    expect(await nameServed(listener.port, servername)).toBe(expected);
  });

  it('prefers the names it is told to those in the certificate', async () => {
    const { listener } = await listening({ certificates: [first, { ...second, serverNames: ['Told.example'] }] });
    expect(await nameServed(listener.port, 'told.example')).toBe('second.example');
    expect(await nameServed(listener.port, 'second.example')).toBe('first.example');
  });

  it('takes new certificates while it runs, and keeps the old ones when a new one is bad', async () => {
    const { listener } = await listening({ certificates: [first] });
    listener.useCertificates([second]);
    expect(await nameServed(listener.port)).toBe('second.example');
    expect(() => listener.useCertificates([{ cert: 'nonsense', key: second.key }])).toThrow(/certificate 1/);
    expect(await nameServed(listener.port)).toBe('second.example');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { listener } = await listening();
    const socket = await dial(listener.port, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
  });

  it('does not mind which ALPN a client offers', async () => {
    const { listener } = await listening();
    await expect(dial(listener.port, { ALPNProtocols: ['rtmps', 'h2'] })).resolves.toBeDefined();
  });

  it('refuses TLS 1.1', async () => {
    const { listener, bad } = await listening();
    const old: ConnectionOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(dial(listener.port, old)).rejects.toThrow();
    await until(() => bad.length === 1);
    expect(bad).toEqual(['handshake-failed']);
  });

  it.each<[string, Buffer]>([
    ['RTMP', Buffer.concat([Buffer.from([3]), Buffer.alloc(1536)])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['zero', Buffer.alloc(2000)],
  ])('closes quietly on %s bytes and reports them', async (_, bytes) => {
    const { listener, bad } = await listening();
    const socket = connectTcp({ port: listener.port, host: '127.0.0.1' });
    open.sockets.push(socket.on('error', () => undefined));
    socket.write(bytes);
    await new Promise((done) => socket.once('close', done));
    await until(() => bad.length === 1);
    expect(bad).toEqual(['plain-bytes']);
  });

  it('gives a silent client only so long', async () => {
    const { listener, bad } = await listening({ timeoutMs: 5000 });
    const socket = connectTcp({ port: listener.port, host: '127.0.0.1' });
    open.sockets.push(socket.on('error', () => undefined));
    await until(() => clock.pending === 1);
    clock.advance(4999);
    expect(bad).toEqual([]);
    clock.advance(1);
    expect(bad).toEqual(['handshake-timeout']);
    await new Promise((done) => socket.once('close', done));
    expect(bad.length).toBe(1);
  });

  it('notices a client that leaves within the handshake', async () => {
    const { listener, bad } = await listening();
    for (const leave of [(socket: Socket) => socket.end(), (socket: Socket) => socket.resetAndDestroy()]) {
      const socket = connectTcp({ port: listener.port, host: '127.0.0.1' });
      open.sockets.push(socket.on('error', () => undefined));
      await until(() => clock.pending === 1);
      leave(socket);
      await until(() => clock.pending === 0);
    }
    expect(bad).toEqual(['left-in-handshake', 'left-in-handshake']);
  });

  it.each<[string, () => readonly Certificate[], RegExp]>([
    ['none', () => [], /cannot serve TLS on 127\.0\.0\.1:0: no certificate/],
    ['one that is nonsense', () => [first, { cert: 'x', key: 'y' }], /certificate 2 cannot be used/],
    ['one with a key of another', () => [{ cert: first.cert, key: second.key }], /certificate 1 .*mismatch/],
  ])('says which certificate is at fault when it is given %s', async (_, certificates, message) => {
    const opening = listening({ certificates: certificates() });
    await expect(opening).rejects.toMatchObject({ code: 'certificate-unusable', side: 'gateway' });
    await expect(opening).rejects.toThrow(message);
  });

  it('carries much both ways, and copies what it is given', async () => {
    const { listener } = await listening();
    const signal = new AbortController().signal;
    const options = { host: '127.0.0.1', port: listener.port, secure: true, timeoutMs: 5000, signal, clock };
    const stream = await dialTcp({ ...options, ca: first.cert });
    open.streams.push(stream);
    expect(stream.secure).toBe(true);
    let sum = 0;
    let drains = 0;
    stream.handle({
      onBytes: (bytes) => bytes.forEach((byte) => (sum += byte)),
      onDrain: () => drains++,
      onClose: () => undefined,
    });
    const bytes = Buffer.alloc(100_000, 1);
    const took = [1, 2, 3, 4].map(() => {
      bytes.fill(1);
      const isTaken = stream.write(bytes);
      bytes.fill(77);
      return isTaken;
    });
    expect(took).toContain(false);
    await until(() => sum === 400_000);
    await until(() => drains > 0);
    expect(stream.bufferedBytes).toBe(0);
  });

  it('is only reached by who trusts its certificate and name', async () => {
    const { listener } = await listening();
    const signal = new AbortController().signal;
    const options = { host: '127.0.0.1', port: listener.port, secure: true, timeoutMs: 5000, signal, clock };
    await expect(dialTcp(options)).rejects.toMatchObject({ code: 'origin-unavailable' });
    const elsewhere = { ...options, ca: first.cert, serverName: 'elsewhere.example' };
    await expect(dialTcp(elsewhere)).rejects.toThrow(/ERR_TLS_CERT_ALTNAME_INVALID/);
    open.streams.push(await dialTcp({ ...options, ca: first.cert, serverName: 'first.example' }));
  });
});

/** A certificate for clients, signed by `authority`. */
function signedBy(authority: Certificate, purpose = 'clientAuth'): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('ca.pem'), authority.cert);
  writeFileSync(at('ca.key'), authority.key);
  writeFileSync(at('ext'), `extendedKeyUsage=${purpose}\n`);
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=encoder'];
  execFileSync('openssl', ['req', ...kind, '-keyout', at('key'), '-out', at('csr')], { stdio: 'ignore' });
  const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext')];
  execFileSync('openssl', ['x509', '-req', '-in', at('csr'), ...by, '-out', at('cert')], { stdio: 'ignore' });
  const pair = { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

describe('a port that asks for certificates of clients', () => {
  let authority: Certificate;
  let encoder: Certificate;
  let stranger: Certificate;
  let server: Certificate;
  beforeAll(() => {
    authority = selfSigned('authority.example', 'DNS:authority.example');
    encoder = signedBy(authority);
    server = signedBy(authority, 'serverAuth');
    stranger = signedBy(selfSigned('other.example', 'DNS:other.example'));
  });

  /** Whether the client gets an echo; TLS 1.3 tells of a refusal only after the client's own part is done. */
  async function isLetIn(port: number, options: ConnectionOptions): Promise<boolean> {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    open.sockets.push(socket.on('error', () => undefined));
    socket.write('ping');
    return new Promise((done) => socket.once('data', () => done(true)).once('close', () => done(false)));
  }
  const shown = ({ cert, key }: Certificate): ConnectionOptions => ({ cert, key });

  const cases: readonly [string, boolean, () => ConnectionOptions, boolean][] = [
    ['required, and it shows none', true, () => ({}), false],
    ['required, and it shows a good one', true, () => shown(encoder), true],
    ['required, and it shows one of a stranger', true, () => shown(stranger), false],
    ['required, and it shows one for servers', true, () => shown(server), false],
    ['optional, and it shows none', false, () => ({}), true],
    ['optional, and it shows a good one', false, () => shown(encoder), true],
    ['optional, and it shows one of a stranger', false, () => shown(stranger), false],
  ];
  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('by %s', (version) => {
    it.each(cases)('lets in or refuses a client where one is %s', async (_, isRequired, options, expected) => {
      const { listener, bad } = await listening({ clientCertificates: { ca: authority.cert, isRequired } });
      const versions = { minVersion: version, maxVersion: version } as const;
      for (const servername of ['first.example', 'second.example']) {
        expect(await isLetIn(listener.port, { ...options(), ...versions, servername })).toBe(expected);
      }
      await until(() => bad.length === (expected ? 0 : 2));
      expect(new Set(bad)).toEqual(new Set(expected ? [] : ['client-certificate']));
    });
  });

  it('takes another authority while it runs, also of clients that come back', async () => {
    const { listener } = await listening({ clientCertificates: { ca: authority.cert, isRequired: true } });
    let ticket: Buffer | undefined;
    const socket = await dial(listener.port, shown(encoder));
    socket.on('session', (session) => (ticket = session)).on('data', () => undefined);
    socket.write('ping');
    await until(() => ticket !== undefined);
    listener.useCertificates([first], selfSigned('new.example', 'DNS:new.example').cert);
    expect(await isLetIn(listener.port, shown(encoder))).toBe(false);
    expect(await isLetIn(listener.port, { ...shown(encoder), session: ticket })).toBe(false);
    expect(socket.destroyed).toBe(false);
  });

  it('gives a silent client only so long', async () => {
    const { listener, bad } = await listening({
      timeoutMs: 20,
      clientCertificates: { ca: authority.cert, isRequired: true },
    });
    const socket = connectTcp({ port: listener.port, host: '127.0.0.1' });
    open.sockets.push(socket.on('error', () => undefined));
    await new Promise((done) => socket.once('close', done));
    expect(bad).toEqual(['handshake-timeout']);
  });

  it('says so when its authority is nonsense', async () => {
    const nonsense = { ca: 'nonsense', isRequired: true };
    await expect(listening({ clientCertificates: nonsense })).rejects.toThrow(/authority of clients' certificates/);
    const { listener } = await listening({ clientCertificates: { ca: authority.cert, isRequired: true } });
    expect(() => listener.useCertificates([first], 'nonsense')).toThrow(/authority of clients' certificates/);
    expect(await isLetIn(listener.port, shown(encoder))).toBe(true);
  });
});

describe('what is weak', () => {
  it.each(['AES128-SHA', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256'])('%s is not spoken', async (cipher) => {
    const { listener } = await listening();
    await expect(dial(listener.port, { maxVersion: 'TLSv1.2', ciphers: cipher })).rejects.toThrow();
  });

  it('a choice of certificate that throws ends neither process nor handshake', () => {
    const broken = sniCallback(() => {
      throw new Error('broken');
    });
    const told: unknown[] = [];
    expect(() => broken('a.example', (...all) => told.push(all))).not.toThrow();
    expect(told).toEqual([[null, undefined]]);
  });

  it.each(['a\0b', 'x'.repeat(255), '..', 'é.example', '-'])('the name %j harms nobody', async (servername) => {
    const { listener } = await listening();
    const outcome = await dial(listener.port, { servername }).then(
      (socket) => String(socket.getPeerCertificate().subject.CN),
      () => 'not sent',
    );
    expect(['first.example', 'not sent']).toContain(outcome);
    expect(await nameServed(listener.port, 'second.example')).toBe('second.example');
  });
});

describe('certificates that are replaced all the time', () => {
  it.each([
    ['without', undefined],
    ['with', { isRequired: false }],
  ])('fail no handshake and end no stream, %s certificates of clients', async (_, asked) => {
    const { listener, bad } = await listening(
      asked === undefined ? {} : { clientCertificates: { ca: first.cert, ...asked } },
    );
    const old = await dial(listener.port);
    const seen = new Set<string>();
    for (let round = 0; round < 50; round += 1) {
      const calls = [undefined, 'first.example', 'second.example'].map((name) => nameServed(listener.port, name));
      // At any moment of a handshake.
      for (let turn = 0; turn < round % 7; turn += 1) await turnOver();
      listener.useCertificates(round % 2 === 0 ? [second, first] : [first, second], first.cert);
      for (const name of await Promise.all(calls)) seen.add(name);
    }
    expect([...seen].sort()).toEqual(['first.example', 'second.example']);
    expect(old.destroyed).toBe(false);
    expect(bad).toEqual([]);
  });
});
