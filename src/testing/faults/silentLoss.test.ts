import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Echo, EchoClient, startEcho } from '../../../test/support/echo.js';
import { type FaultProxy, startFaultProxy } from '../index.js';

const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 2 });

/** Long enough for what a socket tells to arrive: another connection has gone there and back meanwhile. */
async function roundTrip(client: EchoClient): Promise<void> {
  const heard = client.heard;
  client.say('?');
  await client.hears(`${heard}?`);
}

describe('a connection that is lost without a word', () => {
  let echo: Echo;
  let proxy: FaultProxy;
  const clients: EchoClient[] = [];
  beforeEach(async () => {
    echo = await startEcho();
    proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: (echo.server.address() as AddressInfo).port } });
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.close();
    for (const socket of echo.sockets) socket.destroy();
    echo.server.close();
  });
  const client = () => {
    const made = new EchoClient(proxy.port);
    clients.push(made);
    return made;
  };
  /** Two connections, of which the first can be lost. */
  const two = async () => {
    const [lost, other] = [client(), client()];
    for (const each of [lost, other]) {
      each.say('a');
      await each.hears('a');
    }
    return [lost, other] as const;
  };

  it('takes what both sides send, and tells neither of an end', async () => {
    const [lost, other] = await two();
    const fault = proxy.vanish({ afterBytes: 2, connection: 1 });
    lost.say('bcd');
    await fault.whenFired();
    await until(() => expect(echo.heard[0]?.toString()).toBe('abc'));
    // More than any buffer of a socket holds: a lost connection takes it all.
    lost.say('x'.repeat(4_000_000));
    echo.sockets[0]!.write('y');
    lost.socket.end();
    echo.sockets[0]!.end();
    await until(() => expect(lost.socket.writableLength).toBe(0));
    await roundTrip(other);
    expect([lost.end, echo.ends[0]]).toEqual([undefined, undefined]);
    expect(echo.heard[0]?.toString()).toBe('abc');
    expect(proxy.counts.fired).toMatchObject({ vanish: 1, cut: 0 });
    // Mended, both learn that nothing is left of it.
    await proxy.mend();
    await lost.closed;
    expect(lost.end).toBe('ECONNRESET');
    await until(() => expect(echo.ends[0]).toBe('ECONNRESET'));
    await until(() => expect(proxy.connections.map(({ id }) => id)).toEqual([2]));
  });

  it('ends for the server in its own time', async () => {
    const [lost, other] = await two();
    proxy.vanish({ connection: 1, serverNoticesMs: 5 });
    lost.say('b');
    await until(() => expect(echo.ends[0]).toBe('ECONNRESET'));
    await roundTrip(other);
    expect(lost.end).toBeUndefined();
  });

  it('is half-open: the server has gone, and the client goes on sending', async () => {
    const [lost, other] = await two();
    const fault = proxy.halfOpen({ connection: 1, direction: 'toClient', afterBytes: 2 });
    lost.say('bcd');
    await fault.whenFired();
    await lost.hears('abc');
    await until(() => expect(echo.ends[0]).toBeDefined());
    lost.say('x'.repeat(4_000_000));
    await until(() => expect(lost.socket.writableLength).toBe(0));
    await roundTrip(other);
    expect(lost.end).toBeUndefined();
    await fault.mend();
    await lost.closed;
    expect(lost.end).toBe('ECONNRESET');
  });

  it.each(['client', 'server'] as const)('closes slowly: the end by the %s arrives later', async (side) => {
    const [lost, other] = await two();
    const fault = proxy.slowClose({ connection: 1 });
    (side === 'client' ? lost.socket : echo.sockets[0]!).end('b');
    await fault.whenFired();
    // What was sent before the end arrives.
    await until(() => expect(side === 'client' ? echo.heard[0]?.toString() : lost.heard).toBe('ab'));
    await roundTrip(other);
    expect(side === 'client' ? echo.ends[0] : lost.end).toBeUndefined();
    await fault.mend();
    await until(() => expect(side === 'client' ? echo.ends[0] : lost.end).toBe('end'));
    await until(() => expect(proxy.connections.map(({ id }) => id)).toEqual([2]));
  });

  it('closes slowly for a time, and leaves nothing behind', async () => {
    const [lost] = await two();
    proxy.slowClose({ connection: 1, forMs: 5 });
    lost.socket.end();
    await lost.closed;
    expect(echo.ends[0]).toBe('end');
    await proxy.close();
    expect(proxy.connections).toEqual([]);
  });
});
