import type { Secret } from '../model/secret.js';
import type { Action } from '../model/transport.js';
import type { ModuleOptions } from './resolve-options.js';
import type { KEY_ALGORITHMS, SECRET_ENCODINGS } from './schema-auth.js';
import type { HOOK_NAMES, PLAIN_HOOK_NAMES } from './schema-hooks.js';
import type { ConfigInput } from './schema.js';
import type { ORIGIN_PRESETS } from './schema-origins.js';

/** The config as the rooms get it: complete, checked, secrets read, defaults of presets and profiles filled in. */
export interface Config {
  readonly listen: {
    readonly rtmp?: MediaListener;
    readonly rtmps?: MediaListener;
    readonly rtsp?: RtspEndpoint;
    readonly rtsps?: MediaListener;
    readonly http?: HttpEndpoint;
    readonly https?: HttpEndpoint;
    /** UDP, for the media of WebRTC. */
    readonly media?: MediaEndpoint;
    readonly admin?: AdminEndpoint;
  };
  /** Addresses and networks of the proxies that may tell a client's address. */
  readonly trustedProxies: readonly string[];
  readonly tls: Tls;
  readonly auth: Auth;
  readonly hooks: readonly HookConfig[];
  readonly origins: readonly Origin[];
  readonly limits: Readonly<ConfigInput['limits']>;
  readonly relay: Readonly<ConfigInput['relay']>;
  readonly store: Readonly<ConfigInput['store']>;
  readonly admin: { readonly openPaths: readonly AdminPath[]; readonly failuresPerAddress: number };
  readonly log: Omit<Readonly<ConfigInput['log']>, 'traces'> & { readonly traces?: TracesConfig };
}

/** Where traces go, and of how many sessions. */
export interface TracesConfig {
  readonly endpoint: HttpTarget;
  readonly headers: readonly Header[];
  /** PEM. */
  readonly ca?: string;
  /** 0 to 1. */
  readonly sampleRatio: number;
  readonly serviceName: string;
}

/** A header that a server is sent. */
export interface Header {
  readonly name: string;
  readonly value: Secret;
}

/** Where to listen. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where to listen for clients. */
export interface MediaListener extends Endpoint {
  /** Whether trusted proxies tell the client's address before all else; absent: no. */
  readonly proxyProtocol?: 'optional' | 'required';
}

/** Where to listen for RTSP. */
export interface RtspEndpoint extends MediaListener {
  /** UDP ports for media; absent: TCP only. */
  readonly udpPorts?: PortRange;
}

/** Ports from the first to the last, 1 to 65535. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where WHIP and WHEP are spoken. */
export interface HttpEndpoint extends MediaListener {
  /** The header by which trusted proxies tell the client's address; absent: none. */
  readonly forwarded?: 'x-forwarded-for' | 'forwarded';
  /** Base of the URLs given to clients, without a slash at the end; absent: the host they name. */
  readonly publicUrl?: string;
  readonly pages: boolean;
}

/** Where operators come in. */
export interface AdminEndpoint extends Endpoint {
  readonly token?: Secret;
  /** The header by which trusted proxies tell the operator's address; absent: none. */
  readonly forwarded?: NonNullable<HttpEndpoint['forwarded']>;
  /** Scheme, host and port of the dashboard as browsers name them, in lower case; absent: where it listens. */
  readonly publicUrl?: string;
}

/** Where media of WebRTC arrives. */
export interface MediaEndpoint extends Endpoint {
  /** At least one, IPv4 first. */
  readonly publicAddresses: readonly string[];
  readonly iceServers: readonly IceServer[];
}

/** A STUN or TURN server that clients are told of. @see RFC 9725 §4.6 */
export interface IceServer {
  readonly url: string;
  readonly username?: string;
  readonly credential?: Secret;
}

/** A certificate chain and its key, both PEM; the first of the list is the default. */
export interface Certificate {
  readonly cert: string;
  readonly key: Secret;
  /** SNI names; empty: the names in the certificate. */
  readonly serverNames: readonly string[];
  /** Paths of the files it was read from. */
  readonly files: { readonly cert?: string; readonly key?: string };
}

/** What TLS listeners show, and what they want to see. */
export interface Tls {
  readonly certificates: readonly Certificate[];
  readonly clientCertificates?: ClientCertificates;
}

/** The certificates that clients are asked for. */
export interface ClientCertificates {
  /** PEM, one or more. */
  readonly ca: string;
  /** Path of the file it was read from. */
  readonly file?: string;
  readonly mode: 'required' | 'optional';
}

/** Whose tokens are believed, and how strictly. */
export interface Auth {
  readonly profile: 'red5' | 'strict';
  readonly keys: readonly AuthKey[];
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  readonly maxTtlMinutes: number;
  readonly leewaySeconds: number;
  readonly onExpiry: 'keep' | 'close';
  readonly expiryWarningSeconds: number;
  readonly expiryGraceSeconds: number;
  readonly oneTimeTokens: boolean;
  /** Path of the file, read and found right. */
  readonly revocations?: { readonly file: string };
  /** Secrets below 32 bytes were let pass, with a warning. */
  readonly allowWeakSecret: boolean;
}

/** A key, pinned to one algorithm. */
export type AuthKey = { readonly id: string; readonly algorithm: KeyAlgorithm } & KeyMaterial;

/** What a key is made of: a shared secret, a public key or certificate (PEM), or the text of a JWKS. @see RFC 7517 §5 */
export type KeyMaterial =
  | { readonly kind: 'secret'; readonly secret: Secret; readonly encoding: SecretEncoding }
  | { readonly kind: 'public-key'; readonly publicKey: string }
  | { readonly kind: 'jwks'; readonly jwks: string }
  | FetchedJwks;

/** A JWKS that is fetched. `algorithm` of its key is the first of its algorithms. */
export interface FetchedJwks {
  readonly kind: 'jwks-url';
  readonly url: HttpTarget;
  readonly algorithms: readonly KeyAlgorithm[];
  readonly refreshSeconds: number;
  readonly cooldownSeconds: number;
  readonly maxStaleSeconds: number;
  readonly timeoutSeconds: number;
  readonly ca?: string;
}

/** Where an origin listens for one kind of transport. */
export interface OriginAddress extends Endpoint {
  /** `srv`: `host` is an SRV name, and the port means nothing. `node`: the manager names the host. */
  readonly find?: 'srv' | 'node';
  readonly secure: boolean;
}

/** How an origin speaks WHIP and WHEP. */
export interface OriginHttp extends OriginAddress {
  /** Goes before all other paths: empty, or `/a/b`. */
  readonly path: string;
  /** Path and query of the endpoints, where the preset has no form of its own. */
  readonly endpoint?: string;
  readonly media: 'relay' | 'direct';
  readonly nodeGroup?: string;
  /** Where the credentials are shown. */
  readonly credentials: 'query' | 'header';
}

/** A media server behind the gateway; it has at least one address. */
export interface Origin {
  readonly name: string;
  readonly preset: OriginPreset;
  readonly rtmp?: OriginAddress;
  readonly rtsp?: OriginAddress;
  readonly http?: OriginHttp;
  readonly rooms: 'app' | 'name' | 'flat';
  /** Absent: all. */
  readonly apps?: readonly string[];
  /** Patterns; absent: all that no other origin names. */
  readonly paths?: readonly string[];
  readonly nodes?: OriginNodes;
  readonly health: OriginHealthConfig;
  /** Whether it is told the client's address in RTMP and RTSP. */
  readonly proxyProtocol: boolean;
  /** Whether it is told the client's address in WHIP and WHEP. */
  readonly forwardedFor: boolean;
  /** While another origin could take the stream. */
  readonly connectTimeoutSeconds: number;
  readonly credentials: OriginCredentialsConfig;
}

/** Where the nodes of a cluster may be, and how its manager is asked for them. */
export interface OriginNodes {
  readonly allow?: readonly string[];
  readonly login?: { readonly username: string; readonly password: Secret };
}

/** How the health of an origin is judged. */
export interface OriginHealthConfig {
  readonly isChecked: boolean;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly failures: number;
  readonly successes: number;
  readonly ejectSeconds: number;
  readonly maxEjectSeconds: number;
  readonly slowStartSeconds: number;
  /** For RTMP's connect. */
  readonly app: string;
}

/** What an origin is shown. */
export type OriginCredentialsConfig =
  | { readonly mode: 'strip' }
  | { readonly mode: 'forward'; readonly placement: CredentialPlacement }
  | {
      readonly mode: 'static';
      readonly placement: CredentialPlacement;
      readonly username?: string;
      readonly password?: Secret;
      readonly token?: Secret;
    }
  | {
      readonly mode: 'remint';
      readonly placement: CredentialPlacement;
      /** UTF-8 text, at least 32 bytes; HS256. */
      readonly key: Secret;
      readonly ttlSeconds: number;
      readonly issuer?: string;
    };

/** Where an origin is shown its credentials. */
export type CredentialPlacement = 'query' | 'arguments';
/** One vote, in the order of the list. */
export type HookConfig = { readonly name: PlainHookName; readonly id: string } | CallHttpConfig | ModuleConfig;

/** A hook that asks a server. All of it is made of plain values, so that two that are written alike can be told to be one. */
export interface CallHttpConfig {
  readonly name: 'call-http';
  /** For log and metrics. */
  readonly id: string;
  readonly form: 'json' | 'round-trip';
  readonly url: HttpTarget;
  readonly invalidateUrl?: HttpTarget;
  readonly actions: readonly Action[];
  readonly clientTokenRequired: boolean;
  readonly sendToken: boolean;
  readonly timeoutSeconds: number;
  readonly maxConcurrent: number;
  readonly cacheSeconds: number;
  readonly breakerFailures: number;
  readonly breakerSeconds: number;
  readonly headers: readonly { readonly name: string; readonly value: Secret }[];
  readonly ca?: string;
  readonly onFailure: 'refuse' | 'allow';
}

/** What an HTTP call goes to. */
export interface HttpTarget extends Endpoint {
  readonly secure: boolean;
  /** Path and query, percent-encoded; begins with `/`. */
  readonly path: string;
}

/** A hook of the operator's own. */
export interface ModuleConfig {
  readonly name: 'module';
  readonly id: string;
  /** Its path, and a digest of what stood in it when the config was read. */
  readonly file: string;
  readonly digest: string;
  /** Absent: the module's own. */
  readonly actions?: readonly Action[];
  /** Every text in them is a secret; `revealOptions` makes of them what the module gets. */
  readonly options: ModuleOptions['options'];
  /** Those that are secrets beyond doubt, to be kept out of what the module says. */
  readonly hidden: ModuleOptions['hidden'];
}

/** A hook that needs nothing but its name. */
export type PlainHookName = (typeof PLAIN_HOOK_NAMES)[number];
/** A hook that a config may name. */
export type HookName = (typeof HOOK_NAMES)[number];
/** A signature algorithm a key may be pinned to. */
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];
/** How the text of a shared secret stands for its bytes. */
export type SecretEncoding = (typeof SECRET_ENCODINGS)[number];
/** A kind of media server. */
export type OriginPreset = (typeof ORIGIN_PRESETS)[number];
/** A path of the operator listener. */
export type AdminPath = ConfigInput['admin']['openPaths'][number];
