import type { AddressInfo, Server } from 'node:net';
import { hostname } from 'node:os';

/** Opens a port that the system chooses. */
export async function listenAt(server: Server, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
}

/** Where a server listens. One that listens on all interfaces is found by the name of its machine. */
export function addressOf(scheme: 'ws' | 'tcp', server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const isEverywhere = address === '0.0.0.0' || address === '::';
  const host = isEverywhere ? hostname() : family === 'IPv6' ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}
