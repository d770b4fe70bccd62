/** What happens on a byte stream. The handler can be exchanged at any time with `handle()`. */
export interface ByteStreamHandler {
  /** `bytes` is valid during the call only: copy what is kept. `write()` of another stream copies or finishes by itself. */
  onBytes(bytes: Buffer): void;
  /** All that was written has been taken by the kernel after `write` had said false. */
  onDrain?(): void;
  /** Once, the last thing that happens. `error` is the system's, if one ended it. */
  onClose(error?: Error): void;
}

/**
 * One ordered two-way stream of bytes: a TCP or TLS socket, or a pair in a test.
 * No method throws, and all are harmless after the close.
 */
export interface ByteStream {
  /** IP address of the peer, without port. */
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** Bytes written here that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  readonly closed: boolean;
  /** Sets who is told from now on. */
  handle(handler: ByteStreamHandler): void;
  /** Hands over bytes; false when some had to be buffered (wait for onDrain). The caller may reuse `bytes` afterwards. */
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then FIN; the peer gets `graceMs` to close before the socket is destroyed. */
  end(graceMs: number): void;
  /** Ends it now. `onClose` still follows. */
  destroy(): void;
}
