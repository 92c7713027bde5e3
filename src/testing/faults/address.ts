import { integer, readArgument } from '../../primitives/options.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A proxy cannot replace a Unix socket or a list of hosts. Messages do not quote the target: it may contain a password. */
export function addressOf(owner: string, target: unknown): Address {
  if (typeof target !== 'string') {
    const { host, port } = (target ?? {}) as { readonly host?: unknown; readonly port?: unknown };
    if (typeof host !== 'string' || host === '') {
      throw new RangeError(`${owner}: target must be a connection string or an object with host and port`);
    }
    return { host, port: readArgument(owner, 'the port of its target', port, integer({ min: 1, max: 65_535 })) };
  }
  const { hostname, port } = parse(owner, target);
  return { host: hostname.replace(/^\[|\]$/g, '') || 'localhost', port: port === '' ? 5432 : Number(port) };
}

function parse(owner: string, databaseUrl: string): URL {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (!url || url.searchParams.has('host') || url.searchParams.has('port')) {
    throw new RangeError(
      `${owner}: the connection string must name one host and port: postgres://user@host:port/database`,
    );
  }
  return url;
}

/** The connection string with another address. */
export function redirected(owner: string, databaseUrl: string, { host, port }: Address): string {
  const url = parse(owner, databaseUrl);
  url.hostname = host.includes(':') ? `[${host}]` : host;
  url.port = String(port);
  return url.toString();
}
