import { afterAll } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the files of one test file; gone after its last test. */
export const folder = mkdtempSync(join(tmpdir(), 'portcullis-interop-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A port of 127.0.0.1 that was free a moment ago, for peers that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
