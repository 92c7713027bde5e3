import { integer, type OptionsOf, readOptions, text, unchecked } from '../../primitives/options.js';
import { addressOf } from './address.js';
import type { FaultProxy, FaultProxyConfig } from './faultProxy.js';
import { TcpProxy } from './tcpProxy.js';

const OWNER = 'startFaultProxy';

const OPTIONS = {
  target: unchecked().required(),
  host: text().default('127.0.0.1'),
  port: integer({ min: 0, max: 65_535 }).default(0),
} satisfies OptionsOf<FaultProxyConfig>;

/**
 * Starts a TCP proxy on loopback between a program and its database that injects faults: it cuts, resets, stalls, slows down,
 * silently loses or refuses connections, leaves them half-open, holds back their end, and loses the reply to a commit.
 *
 * ```text
 * program --- proxy.url(databaseUrl) ---> proxy ---> server
 * ```
 *
 * A method of the proxy arms a fault, which waits for its traffic. By default, it hits the first connection that matches. The
 * returned `Fault` counts how often it has fired: assert that, or the test may have tested nothing.
 *
 * @example
 * ```ts
 * import { barsSink, openStore, sinkSubscriber } from 'sluice/sinks';
 * import { synthetic } from 'sluice/sources';
 * import { startFaultProxy } from 'sluice/testing';
 *
 * const databaseUrl = process.env.DATABASE_URL ?? 'postgres://localhost/test';
 * const proxy = await startFaultProxy({ target: databaseUrl });
 * const store = await openStore({ databaseUrl: proxy.url(databaseUrl) });
 * const lost = proxy.dropCommitReply();
 * const writer = sinkSubscriber(barsSink(store.pool));
 * synthetic({ count: 10_000, seed: 7 }).subscribe(writer);
 * await lost.whenFired();
 * await writer.whenFinished();
 * await store.close();
 * await proxy.close();
 * ```
 */
export async function startFaultProxy(config: FaultProxyConfig): Promise<FaultProxy> {
  const { target, host, port } = readOptions(OWNER, config, OPTIONS);
  const proxy = new TcpProxy(addressOf(OWNER, target), host);
  await proxy.listen(port);
  return proxy;
}
