import { Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { PAGE_PATHS } from '../../../src/transports/webrtc/pages/index.js';
import { makeBed } from './bed.js';

const FRAMERS = ['http://127.0.0.1:9090', 'https://ops.example.com'];
const LISTENING = { pages: true, publicUrl: 'https://media.example.com:8443/edge' };
const bed = () => makeBed({ listening: { ...LISTENING, framedBy: FRAMERS } });

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

  it.each(['publish', 'watch', 'watch-tile'])('/%s has nothing inline and names only what is there', async (page) => {
    const { body } = await bed().send('GET', `/${page}`);
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|<style|javascript:/i);
    const links = [...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links.length).toBeGreaterThan(1);
    // Relative: below the path of a proxy they still lead here.
    expect(links.filter((link) => !PAGE_PATHS.has(link))).toEqual([]);
    expect(body).toContain('width=device-width');
  });

  it.each(['client', 'publish', 'watch', 'picture', 'tile'])('pages/%s.js imports only what is there', async (name) => {
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

  it.each([...PAGE_PATHS].filter((path) => path !== ''))('say of /%s who may frame it', async (path) => {
    const { headers } = await bed().send('GET', `/${path}`);
    const [, framers] = /; frame-ancestors ([^;]*)$/.exec(headers.get('content-security-policy') ?? '') ?? [];
    expect(framers).toBe(path === 'watch-tile' ? 'http://127.0.0.1:9090 https://ops.example.com' : "'none'");
  });

  it('have no tile where there is no dashboard', async () => {
    const alone = makeBed({ listening: LISTENING });
    expect((await alone.send('GET', '/watch-tile')).status).toBe(404);
    expect((await alone.send('GET', '/watch')).status).toBe(200);
    expect((await makeBed({ listening: { framedBy: FRAMERS } }).send('GET', '/watch-tile')).status).toBe(404);
  });

  it('have no field, no button and no device in the tile', async () => {
    const { body, headers } = await bed().send('GET', '/watch-tile');
    expect(body).not.toMatch(/<(input|button|form|a|select|textarea|iframe)\b|controls/);
    expect(headers.get('permissions-policy')).toBe('camera=(), microphone=(), autoplay=(self)');
  });
});
