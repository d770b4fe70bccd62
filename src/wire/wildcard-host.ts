/** Whether a host to listen on stands for every address of this machine. */
export function isWildcardHost(host: string | undefined): boolean {
  return host === '0.0.0.0' || host === '::';
}
