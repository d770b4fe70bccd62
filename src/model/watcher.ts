/** How a connection of a transport tells its keeper how far it is. */
export interface ConnectionWatcher {
  /** Once: a token has let it in, it relays, or it is gone. */
  onLetIn(): void;
  /** It may ask for a stream now, or may not: if nothing comes of it soon, its set-up is over. */
  onConnected(): void;
  /** It relays, idles or is gone; nobody waits for its set-up any more. May be told again. */
  onSetUp(): void;
  /** Once: the stream has closed. */
  onGone(): void;
}
