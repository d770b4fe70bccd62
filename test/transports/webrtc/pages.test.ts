import { Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { PAGE_PATHS } from '../../../src/transports/webrtc/pages/index.js';
import { makeBed } from './bed.js';

const bed = () => makeBed({ listening: { pages: true, publicUrl: 'https://media.example.com:8443/edge' } });

describe('the pages', () => {
  it.each([...PAGE_PATHS].filter((path) => path !== ''))('serve /%s with a strict policy', async (path) => {
    const got = await bed().send('GET', `/${path}`);
    expect(got.status).toBe(200);
    expect(got.headers.get('content-type')).toMatch(/^text\/(html|css|javascript); charset=utf-8$/);
    expect(got.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = got.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self' https://media.example.com:8443;");
    expect(policy).not.toMatch(/unsafe|\*/);
  });

  it.each(['publish', 'watch'])('/%s has nothing inline and names only what is there', async (page) => {
    const { body } = await bed().send('GET', `/${page}`);
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|<style|javascript:/i);
    const links = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(2);
    // Relative: below the path of a proxy they still lead here.
    expect(links.filter((link) => !PAGE_PATHS.has(link))).toEqual([]);
    expect(body).toContain('width=device-width');
  });

  it.each(['client', 'publish', 'watch', 'picture'])('pages/%s.js imports only what is there', async (name) => {
    const { body } = await bed().send('GET', `/pages/${name}.js`);
    const imports = [...body.matchAll(/from '\.\/([^']+)'/g)].map(([, file]) => `pages/${file ?? ''}`);
    expect(imports.filter((file) => !PAGE_PATHS.has(file))).toEqual([]);
    expect(() => new Script(body.replace(/^import .*$|^export /gm, ''))).not.toThrow();
  });

  it('begin with the one to publish', async () => {
    const got = await bed().send('GET', '/');
    expect([got.status, got.headers.get('location')]).toEqual([302, './publish']);
  });

  it('are not there where they are not wanted, and take nothing', async () => {
    expect((await makeBed().send('GET', '/publish')).status).toBe(404);
    expect((await makeBed().send('GET', '/')).status).toBe(404);
    expect((await bed().send('POST', '/publish')).status).toBe(405);
    expect((await bed().send('GET', '/pages/other.js')).status).toBe(404);
  });
});
