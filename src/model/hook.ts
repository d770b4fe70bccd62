import type { Decision } from './decision.js';
import type { Identity } from './identity.js';
import type { EndReason } from './leg.js';
import type { ConnectionRequest } from './request.js';
import type { Action } from './transport.js';

/**
 * One vote of the pipeline. Hooks run in order, the first no wins; a throw or a late answer is a no.
 * A yes may carry the identity that later hooks get to see; a hook that says nothing of it leaves it as it was.
 */
export interface Hook {
  readonly name: string;
  /** The actions it wants to be asked about. */
  readonly actions: readonly Action[];
  decide(request: ConnectionRequest, identity: Identity | undefined, signal: AbortSignal): Decision | Promise<Decision>;
  /** Told when a stream that the pipeline let in is over, for the actions it is asked about; what it does changes nothing. */
  onEnd?(request: ConnectionRequest, identity: Identity | undefined, reason: EndReason): void | Promise<void>;
}

/** Tells the hooks that a stream is over. Never throws, waits for nothing. */
export type Farewell = (request: ConnectionRequest, identity: Identity | undefined, reason: EndReason) => void;

/** The whole pipeline as the session sees it. Never throws, never answers late. */
export type Decide = (request: ConnectionRequest) => Promise<Decision>;
