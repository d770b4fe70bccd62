import type { AdminEndpoint, Config } from '../config/config.js';
import type { WallView } from '../admin/ports.js';
import { hostPort } from '../net/tcp.js';
import { isWildcardHost } from '../wire/wildcard-host.js';
import type { ListenAddress } from './listener-set.js';
import { planMint } from './minting.js';

/** Where a listener is in truth, which the config may have left to the system; undefined before it is open. */
export type AddressOf = (listener: 'http' | 'https' | 'admin') => ListenAddress | undefined;

/** Long enough to ask once with it. */
const ASKING_TTL_S = 60;
/** Where a session ends with its token. */
const LASTING_TTL_S = 600;

/** Hosts that the policy of a page can name: browsers know no IPv6 address there. @see CSP3 §2.3.1 */
const isNameable = /^[a-z0-9.-]+$/;

/**
 * Origins at which browsers have the dashboard, and which alone may frame the tile: loopback at its port, which is also the
 * near end of a tunnel, the address it listens on, and `listen.admin.publicUrl`. Empty without the listener.
 */
export function framersOf(admin: AdminEndpoint | undefined, addressOf: AddressOf): readonly string[] {
  const port = addressOf('admin')?.port;
  if (admin === undefined || port === undefined) return [];
  const hosts = ['127.0.0.1', 'localhost', ...(isWildcardHost(admin.host) ? [] : [admin.host.toLowerCase()])];
  const urls = hosts.filter((host) => isNameable.test(host)).map((host) => `http://${host}:${port}`);
  const heard = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
  return [...new Set([...heard, ...(admin.publicUrl === undefined ? [] : [admin.publicUrl])])];
}

/** Where the pages are: HTTPS first. A host of 0.0.0.0 or [::] is whatever host reaches this machine. */
export function pagesUrl(listen: Config['listen'], addressOf: AddressOf): string | undefined {
  const name = (['https', 'http'] as const).find((one) => listen[one]?.pages === true);
  const address = name && addressOf(name);
  if (name === undefined || address === undefined) return undefined;
  return listen[name]?.publicUrl ?? `${name}://${hostPort(address.host, address.port)}`;
}

/** What the wall is made with. */
export function wallOf(config: Config, addressOf: AddressOf): WallView {
  const { listen } = config;
  const base = pagesUrl(listen, addressOf);
  const framedBy = framersOf(listen.admin, addressOf);
  if (base === undefined) return { framedBy, problem: PROBLEMS['no-pages'] };
  const tileUrl = `${base}/watch-tile`;
  if (/^\w+:\/\/\[(?!::\])/.test(tileUrl)) return { framedBy, problem: PROBLEMS['pages-unnamed'] };
  const isRead = config.hooks.some(({ name }) => name === 'verify-token');
  if (!isRead) return { tileUrl, framedBy };
  const ttlS = config.auth.onExpiry === 'close' ? LASTING_TTL_S : ASKING_TTL_S;
  const plan = planMint(config.auth, { ttlS: Math.min(ttlS, config.auth.maxTtlMinutes * 60) });
  if (!plan.ok) return { tileUrl, framedBy, problem: PROBLEMS['no-key'] };
  return { tileUrl, framedBy, tokenTtlSeconds: plan.options.ttlS };
}

const PROBLEMS = {
  'no-pages': { code: 'no-pages', text: 'No listener has a watch page. Set listen.http.pages or listen.https.pages.' },
  'pages-unnamed': {
    code: 'pages-unnamed',
    text: 'The watch page is at an IPv6 address, which no page can name as its frame. Set publicUrl of its listener to a URL with a name.',
  },
  'no-key': {
    code: 'no-key',
    text: 'The config holds no secret to sign tokens of viewers with, only keys that check them. Add one to auth.keys.',
  },
} as const satisfies Readonly<Record<string, WallView['problem']>>;
