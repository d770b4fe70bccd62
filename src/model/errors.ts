import type { Side } from './rejection.js';

/** A peer sent nonsense. `code` is lower-case words joined by `-`; `offset` counts bytes from where the parser was asked to read. */
export class WireError extends Error {
  override readonly name = 'WireError';
  constructor(
    readonly code: string,
    /** What was expected; holds no bytes of the peer. */
    expected: string,
    readonly offset = 0,
  ) {
    super(`${code} at byte ${offset}: ${expected}`);
  }
}

/** What went wrong between the gateway and the outside, and whose side it is on. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  constructor(
    readonly code: string,
    readonly side: Side,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
