import type { WallView } from './ports.js';

/** What a client may name as `Host`, without its port, where that shall stand in a policy: nothing that ends a word there. */
const HOST = /^([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::\d{1,5})?$/;

/**
 * The one address that the dashboard may frame, as its policy names it. Where the tile is at any host, it is at the one by
 * which the dashboard was asked for. Undefined where there is none, or none that a policy can name.
 * @see CSP3 §6.1.3
 */
export function frameSourceOf({ tileUrl, problem }: WallView, host: string | undefined): string | undefined {
  if (tileUrl === undefined || problem !== undefined) return undefined;
  const url = new URL(tileUrl);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') {
    const name = HOST.exec(host ?? '')?.[1];
    if (name === undefined) return undefined;
    url.hostname = name;
  }
  return url.hostname.startsWith('[') ? undefined : url.href;
}
