import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { MAX_TEXT_LENGTH, redact } from '../../src/telemetry/redact.js';

const token = jwt.sign({ sub: 'canary', exp: 2_000_000_000 }, 'x'.repeat(32));
const [header = '', payload = '', signature = ''] = token.split('.');
const fully = (text: string) =>
  Array.from(text)
    .map((char) => `%${char.charCodeAt(0).toString(16)}`)
    .join('');

describe('a text for the log', () => {
  it.each<[string, string]>([
    ['a token', token],
    ['a token in a sentence', `bad token ${token}, sorry`],
    ['a token in a query', `live?username=jwt&token=${token}/cam`],
    ['a token without its signature', `${header}.${payload}`],
    ['a token cut in its payload', `${header}.${payload.slice(0, 20)}`],
    ['a token cut behind its header', `${header}.`],
    ['a payload alone', payload],
    ['dots encoded', token.replaceAll('.', '%2E')],
    ['dots encoded in small letters', token.replaceAll('.', '%2e')],
    ['all of it encoded', fully(token)],
    ['dots encoded twice', token.replaceAll('.', '%252E')],
    ['all of it encoded twice', encodeURIComponent(fully(token))],
    ['a token with control bytes inside', `${token.slice(0, 10)}\u0000${token.slice(10)}`],
    ['a token with unseen characters inside', `${token.slice(0, 10)}\u200b${token.slice(10)}`],
    ['two tokens', `${token} ${token}`],
    ['a token in a long text', `${'x '.repeat(200)}${token}`],
    ['a token after very many control bytes', `${'\u0000'.repeat(15_900)}${token}`],
    [
      'a header of another spelling',
      `${Buffer.from('{ "alg":"HS256"}').toString('base64url')}.${payload}.${signature}`,
    ],
    ['Basic credentials', `Authorization: Basic ${Buffer.from(`jwt:${token}`).toString('base64')}`],
    ['a bearer', `Authorization: Bearer ${token}`],
    ['a token in a pair', `token=${signature}`],
  ])('shows nothing of %s', (_, text) => {
    const shown = redact(text);
    expect(shown).toContain('[token]');
    for (const part of [header, payload, signature]) {
      expect(shown).not.toContain(part.slice(0, 16));
      expect(decodeURIComponent(shown)).not.toContain(part.slice(0, 16));
    }
  });

  it.each([
    'live/room1/cam',
    'NetConnection.Connect.Rejected',
    'secret:0a1b2c3d',
    'token=secret:0a1b2c3d',
    'the bearer of bad news',
    'Basic authentication failed',
    'keyAgreement monkeyJ hockey',
    '100% sure',
    '2001:db8::1',
    'ffmpeg/5.1.9 (Lavf59.27.100)',
    'ä€😀',
  ])('leaves %j alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('has no control, format or half characters', () => {
    expect(redact('a\r\nb\u001b[31mc\u0085d\u2028e\u202ef\ud800g\u200b')).toBe('ab[31mcdefg');
  });

  it('is at most 512 characters long', () => {
    expect(redact('x'.repeat(512))).toHaveLength(MAX_TEXT_LENGTH);
    const long = redact('x'.repeat(513));
    expect(long).toHaveLength(MAX_TEXT_LENGTH);
    expect(long.endsWith('…')).toBe(true);
  });

  it('never shows the middle of a token, wherever it stands and however it is cut', () => {
    const inner = signature.slice(0, 12);
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), fc.nat(signature.length), (a, b, cut) => {
        const left = `${header}.${payload}.${signature.slice(0, cut)}`;
        expect(redact(`${a}${left}${b}`)).not.toContain(inner);
        expect(redact(`${a}${left}${b}`)).not.toContain(payload.slice(0, 16));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the short way for harmless texts', () => {
  it.each([
    ['the shortest credentials there can be', `Basic ${'a'.repeat(16)}`],
    ['the shortest start of a token', 'eyJhbGciOiJ'],
    ['one behind other text', 'live/eyJhbGciOiJ'],
    ['one whose JSON begins with white space', 'ewogICJhbGciO'],
    ['a pair', 'token=abc'],
    ['a percent-encoded pair', 'token%3Dabc'],
    ['a line end', 'live\ncam'],
  ])('is not taken by %s', (_what, text) => {
    expect(redact(text)).not.toBe(text);
  });

  it.each(['live/room1/cam', 'origin-unavailable', '192.0.2.7', '2001:db8::1', 'ymHyQdX-NRI0', ''])(
    'leaves %j',
    (text) => {
      expect(redact(text)).toBe(text);
    },
  );
});
