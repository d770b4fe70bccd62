import type { Identity } from './identity.js';
import type { Rejection } from './rejection.js';

/** The law's answer. */
export type Decision =
  { readonly ok: true; readonly identity?: Identity } | { readonly ok: false; readonly rejection: Rejection };
