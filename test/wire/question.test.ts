import { describe, expect, it } from '@jest/globals';
import { reject } from '../../src/model/rejection.js';
import { mergeCredentials, partsOfQuery } from '../../src/wire/credential-parts.js';
import { makeQuestion } from '../../src/wire/question.js';
import { normaliseStreamPath } from '../../src/wire/stream-path.js';

const ASKER = { sessionId: 's1', transport: 'RTSP', secure: true, remoteAddress: '192.0.2.7' } as const;
const merged = mergeCredentials(partsOfQuery([['token', 'a.b.c']], 'url-query'));
const conflict = mergeCredentials(
  partsOfQuery(
    [
      ['token', 'a.b.c'],
      ['token', 'd.e.f'],
    ],
    'url-query',
  ),
);

describe('the question to the law', () => {
  it('is the same frozen record for every transport', () => {
    const { request, rejection } = makeQuestion(ASKER, 'publish', {
      path: normaliseStreamPath('live/room/cam'),
      merged,
    });
    expect(rejection).toBeUndefined();
    expect(request).toMatchObject({ ...ASKER, action: 'publish', target: { app: 'live', room: 'room', name: 'cam' } });
    expect(request.credential?.carrier).toBe('url-query');
    expect(Object.isFrozen(request)).toBe(true);
  });

  it('has its answer already where the path is bad, two tokens came, or worse', () => {
    const path = normaliseStreamPath('live/../cam');
    expect(makeQuestion(ASKER, 'publish', { path, merged }).rejection?.code).toBe('path-invalid');
    expect(makeQuestion(ASKER, 'publish', { path, merged: conflict }).rejection?.code).toBe('token-conflict');
    const refused = reject('malformed-request', 'a cluster name');
    const asked = makeQuestion(ASKER, 'publish', { path, merged, refused });
    expect(asked.rejection).toBe(refused);
    expect(asked.request.credential).toBeUndefined();
    expect(asked.request.target).toEqual({ app: '', room: null, name: null });
  });
});
