import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { reject, REJECTIONS, type RejectionCode } from '../../src/model/rejection.js';
import { refusal } from '../../src/transports/rtmp/replies.js';
import { refusal as refusalByRtsp } from '../../src/transports/rtsp/replies.js';
import { HeaderMap } from '../../src/transports/rtsp/wire/headers.js';
import { refusal as refusalByHttp } from '../../src/transports/webrtc/replies.js';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'rejections.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));

const wordsOnTheWire = (question: 'connect' | 'publish' | 'subscribe', code: RejectionCode) =>
  Buffer.concat(
    refusal({ question, transactionId: 1, streamId: 1 }, reject(code, '')).map(({ payload }) => Buffer.from(payload)),
  ).toString('latin1');

describe('the words of docs/rejections.md', () => {
  const codes = Object.entries(REJECTIONS).filter(([code]) => code !== 'draining');
  it.each(codes.map(([code, { kind }]) => [code as RejectionCode, kind] as const))(
    'are what RTMP says for %s',
    (code, kind) => {
      const [, , connect = '', publish = '', play = ''] = rows.find((row) => row[1] === kind) ?? [];
      expect(connect).not.toBe('');
      expect(wordsOnTheWire('connect', code)).toContain(connect);
      expect(wordsOnTheWire('publish', code)).toContain(publish);
      expect(wordsOnTheWire('subscribe', code)).toContain(play);
    },
  );

  it.each(codes.map(([code, { kind }]) => [code as RejectionCode, kind] as const))(
    'are what WHIP and WHEP say for %s',
    (code, kind) => {
      const [, , status] = rows.filter((row) => row[1] === kind).map((row) => row[2]);
      const answer = refusalByHttp(reject(code, ''), { transport: 'WHIP', session: 's', hasToken: true });
      expect(String(answer.status)).toBe(status);
    },
  );

  it.each(codes.map(([code, { kind }]) => [code as RejectionCode, kind] as const))(
    'are what RTSP says for %s',
    (code, kind) => {
      const [, status] = rows.filter((row) => row[1] === kind).map((row) => row[2]);
      const headers = new HeaderMap([['CSeq', '1']]);
      const request = {
        kind: 'request',
        method: 'DESCRIBE',
        uri: '*',
        protocol: 'RTSP/1.0',
        headers,
        body: Buffer.alloc(0),
      } as const;
      expect(refusalByRtsp(request, reject(code, '')).toString()).toMatch(new RegExp(`^RTSP/1.0 ${status} ${code}: `));
    },
  );

  it('name the one for draining', () => {
    expect(wordsOnTheWire('connect', 'draining')).toContain('NetConnection.Connect.AppShutdown');
    expect(page).toContain('connect gets `NetConnection.Connect.AppShutdown`');
  });

  it('name only config keys that are there', () => {
    const known = readFileSync(join(__dirname, '..', '..', 'docs', 'configuration.md'), 'utf8');
    const keys = [...page.matchAll(/`((?:auth|limits|relay|origins)[.[][A-Za-z.[\]]+)`/g)].map(
      (match) => match[1] ?? '',
    );
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter((key) => !known.includes(`\`${key}`))).toEqual([]);
  });
});
