import { once } from 'node:events';
import { type AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EchoClient as Client, type Echo, startEcho } from '../../../test/support/echo.js';
import { type FaultProxy, isFaultProxyError, startFaultProxy } from '../index.js';

describe('startFaultProxy', () => {
  let echo: Echo;
  let proxy: FaultProxy;
  const clients: Client[] = [];

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
    const made = new Client(proxy.port);
    clients.push(made);
    return made;
  };
  const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 2 });

  it('passes everything on, and counts it', async () => {
    const one = client();
    const text = 'x'.repeat(1_000_000);
    one.say(text);
    await one.hears(text);
    expect(proxy.counts).toMatchObject({ connections: 1, bytes: { toServer: 1_000_000, toClient: 1_000_000 } });
    expect(proxy.connections).toEqual([{ id: 1, bytes: { toServer: 1_000_000, toClient: 1_000_000 } }]);
    one.socket.end();
    await one.closed;
    expect(echo.ends[0]).toBe('end');
    await until(() => expect(proxy.connections).toEqual([]));
  });

  it('rewrites a connection string, and keeps the rest of it', async () => {
    expect(proxy.url('postgres://me:p%40ss@db.example:6000/prices?sslmode=disable')).toBe(
      `postgres://me:p%40ss@127.0.0.1:${proxy.port}/prices?sslmode=disable`,
    );
    expect(proxy.url('postgresql:///prices')).toBe(`postgresql://127.0.0.1:${proxy.port}/prices`);
  });

  it('cuts behind the last byte that may pass, in either direction', async () => {
    const there = proxy.cut({ afterBytes: 5 });
    const one = client();
    one.say('abc');
    await one.hears('abc');
    expect(there.fired).toBe(0);
    one.say('defg');
    await one.closed;
    await until(() => expect(echo.heard[0]?.toString()).toBe('abcde'));
    expect(one.end).toBe('end');
    expect(there.fired).toBe(1);

    const back = proxy.cut({ afterBytes: 2, direction: 'toClient' });
    const other = client();
    other.say('wxyz');
    await other.closed;
    expect(other.heard).toBe('wx');
    expect(echo.heard[1]?.toString()).toBe('wxyz');
    expect(back.fired).toBe(1);
    expect(proxy.counts.fired).toMatchObject({ cut: 2, reset: 0 });
  });

  it('counts the bytes of an open connection from when the fault is armed', async () => {
    const one = client();
    one.say('abcdef');
    await one.hears('abcdef');
    const cut = proxy.cut({ afterBytes: 3 });
    one.say('ghijk');
    await one.closed;
    expect(one.heard).toBe('abcdef');
    expect(echo.heard[0]?.toString()).toBe('abcdefghi');
    expect(cut.fired).toBe(1);
  });

  it('hits one connection by default, or the one that is named', async () => {
    const [one, two, three] = [client(), client(), client()];
    for (const each of [one, two, three]) {
      each.say('a');
      await each.hears('a');
    }
    const chosen = proxy.cut({ connection: 2 });
    one.say('b');
    await one.hears('ab');
    two.say('b');
    await two.closed;
    expect(chosen.fired).toBe(1);
    const any = proxy.cut();
    one.say('c');
    await one.closed;
    three.say('b');
    await three.hears('ab');
    expect(any.fired).toBe(1);
    const all = proxy.cut({ times: Number.POSITIVE_INFINITY });
    three.say('c');
    await three.closed;
    const four = client();
    four.say('a');
    await four.closed;
    expect(all.fired).toBe(2);
    await all.mend();
    const five = client();
    five.say('a');
    await five.hears('a');
  });

  it('resets, which both sides see', async () => {
    const reset = proxy.reset({ afterBytes: 2 });
    const one = client();
    one.say('abc');
    await one.closed;
    expect(one.end).toBe('ECONNRESET');
    await until(() => expect(echo.ends[0]).toBe('ECONNRESET'));
    expect(echo.heard[0]?.toString()).toBe('ab');
    await reset.whenFired();
  });

  it('stalls one way until it is mended, and loses nothing', async () => {
    const stall = proxy.stall({ afterBytes: 2 });
    const one = client();
    one.say('abcd');
    await stall.whenFired();
    await one.hears('ab');
    one.say('ef');
    one.socket.end();
    echo.sockets[0]!.write('!');
    await one.hears('ab!');
    expect(echo.heard[0]?.toString()).toBe('ab');
    expect(echo.ends[0]).toBeUndefined();
    await stall.mend();
    await one.closed;
    expect(one.heard).toBe('ab!cdef');
    expect(echo.ends[0]).toBe('end');
  });

  it('stalls the way back, for a time', async () => {
    const stall = proxy.stall({ direction: 'toClient', forMs: 30 });
    const one = client();
    one.say('abc');
    await stall.whenFired();
    await until(() => expect(echo.heard[0]?.toString()).toBe('abc'));
    await one.hears('abc');
    expect(stall.fired).toBe(1);
    one.say('d');
    await one.hears('abcd');
    expect(stall.fired).toBe(1);
  });

  it('reads no more than fits while it stalls', async () => {
    const stall = proxy.stall();
    const one = client();
    one.socket.write(Buffer.alloc(64 * 1024 * 1024));
    await stall.whenFired();
    // By the time that another has had its answer, all that would be read is read. The kernel takes a few megabytes.
    const other = client();
    other.say('x'.repeat(5_000_000));
    await other.hears('x'.repeat(5_000_000));
    expect(one.socket.writableLength).toBeGreaterThan(32 * 1024 * 1024);
    expect(proxy.connections[0]?.bytes.toServer).toBe(0);
  });

  it('drips, until it is mended', async () => {
    const chunks: number[] = [];
    const drip = proxy.drip({ bytes: 3, everyMs: 20 });
    const one = client();
    await once(one.socket, 'connect');
    await until(() => expect(echo.sockets).toHaveLength(1));
    echo.sockets[0]!.on('data', (chunk: Buffer) => chunks.push(chunk.length));
    one.say('a'.repeat(20));
    await one.hears('a'.repeat(20));
    expect(Math.max(...chunks)).toBe(3);
    await drip.mend();
    one.say('b'.repeat(50));
    await one.hears('a'.repeat(20) + 'b'.repeat(50));
    expect(chunks.at(-1)).toBe(50);
    expect(drip.fired).toBe(1);
  });

  it('refuses, keeps what is open, and listens again on the same port', async () => {
    const { port } = proxy;
    const open = client();
    open.say('a');
    await open.hears('a');
    const refusal = proxy.refuse();
    const refused = client();
    await refused.closed;
    expect(refused.end).toBe('ECONNREFUSED');
    open.say('b');
    await open.hears('ab');
    await refusal.mend();
    expect(proxy.port).toBe(port);
    const again = client();
    again.say('c');
    await again.hears('c');

    const short = proxy.refuse({ forMs: 1 });
    const long = proxy.refuse();
    expect(proxy.counts.fired.refuse).toBe(3);
    await short.mend();
    const early = client();
    await early.closed;
    expect(early.end).toBe('ECONNREFUSED');
    await long.mend();
    const late = client();
    late.say('d');
    await late.hears('d');
  });

  it('resets what is just shutting down, and is rid of it', async () => {
    const one = client();
    one.say('a');
    await one.hears('a');
    const end = vi.spyOn(Socket.prototype, 'end');
    echo.sockets[0]!.end();
    // The end is on its way through the proxy: the system is asked to shut the client's side down, and has not answered.
    await until(() => expect(end).toHaveBeenCalledTimes(1));
    end.mockImplementationOnce(function (this: Socket) {
      end.mockRestore();
      this.end();
      process.nextTick(() => proxy.sever('reset'));
      return this;
    });
    await one.closed;
    await until(() => expect(proxy.connections).toEqual([]));
  });

  it('severs what is open, and counts it', async () => {
    const [one, two] = [client(), client()];
    for (const each of [one, two]) {
      each.say('a');
      await each.hears('a');
    }
    expect(proxy.sever('reset')).toBe(2);
    await Promise.all([one.closed, two.closed]);
    expect([one.end, two.end]).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(proxy.counts.fired.reset).toBe(2);
  });

  it('shows its client a reset where its server is not there', async () => {
    const { port } = echo.server.address() as AddressInfo;
    echo.server.close();
    await once(echo.server, 'close');
    const one = client();
    one.say('a');
    await one.closed;
    expect(one.end).toBe('ECONNRESET');
    echo.server.listen(port, '127.0.0.1');
    await once(echo.server, 'listening');
    const two = client();
    two.say('b');
    await two.hears('b');
  });

  it('mends everything at once', async () => {
    proxy.stall({ times: Number.POSITIVE_INFINITY });
    const cut = proxy.cut({ afterBytes: 1_000 });
    const waiting = cut.whenFired().catch((error: unknown) => error);
    const one = client();
    one.say('a');
    await proxy.mend();
    await one.hears('a');
    one.say('b'.repeat(2_000));
    await one.hears(`a${'b'.repeat(2_000)}`);
    expect(isFaultProxyError(await waiting)).toBe(true);
    await expect(cut.whenFired()).rejects.toThrow('mended');
  });

  it('leaves nothing open when it is closed, whatever it was doing', async () => {
    const open = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
    // What the tests before have left has an end too: then there are the two servers.
    await until(() => expect(open()).toBe(2));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const target = { host: '127.0.0.1', port: (echo.server.address() as AddressInfo).port };
      const other = await startFaultProxy({ target });
      other.stall({ forMs: 1_000_000 });
      other.drip({ direction: 'toClient', everyMs: 1_000_000, forMs: 2_000_000, times: 2 });
      await other.refuse({ forMs: 1_000_000 }).mend();
      const made = [new Client(other.port), new Client(other.port)];
      for (const each of made) each.say('abc');
      await until(() => expect(other.counts.fired).toMatchObject({ stall: 1, drip: 1 }));
      other.refuse({ forMs: 1_000_000 });
      expect(vi.getTimerCount()).toBeGreaterThanOrEqual(3);
      await other.close();
      expect(vi.getTimerCount()).toBe(0);
      await Promise.all(made.map(({ closed }) => closed));
      await until(() => expect(open()).toBe(2));
      expect(() => other.cut()).toThrow('closed');
      await other.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it.each<[string, () => unknown, RegExp]>([
    ['a byte count below 0', () => proxy.cut({ afterBytes: -1 }), /cut: afterBytes must be an integer.*-1/],
    ['an unknown direction', () => proxy.stall({ direction: 'up' as never }), /stall: direction.*"up"/],
    ['no times at all', () => proxy.reset({ times: 0 }), /reset: times/],
    ['an unknown option', () => proxy.refuse({ afterBytes: 1 } as never), /unknown option "afterBytes"/],
    ['a drip of nothing', () => proxy.drip({ bytes: 0 }), /drip: bytes/],
    ['an unknown end', () => proxy.dropCommitReply({ how: 'burn' as never }), /dropCommitReply: how.*"burn"/],
    ['a socket', () => proxy.url('postgres:///db?host=/var/run'), /must name one host and port/],
  ])('refuses %s', (_, arm, message) => {
    expect(arm).toThrow(RangeError);
    expect(arm).toThrow(message);
  });

  it('refuses a target that is none, without quoting it', async () => {
    await expect(startFaultProxy({ target: 'secret' })).rejects.toThrow(/^(?!.*secret).*must name one host and port/);
    await expect(startFaultProxy({ target: { host: '', port: 1 } })).rejects.toThrow(RangeError);
    await expect(startFaultProxy({ target: { host: 'x', port: 0 } })).rejects.toThrow(/port of its target/);
  });

  it('says which port cannot be had', async () => {
    const { port } = proxy;
    const target = { host: '127.0.0.1', port: 1 };
    await expect(startFaultProxy({ target, port })).rejects.toMatchObject({
      name: 'FaultProxyError',
      code: 'SLUICE_FAULT_PROXY',
      message: `fault proxy: cannot listen on 127.0.0.1:${port} (EADDRINUSE): choose another port`,
    });
  });

  it('says that it cannot see a commit in what is not Postgres', async () => {
    const lost = proxy.dropCommitReply();
    const waiting = lost.whenFired();
    const one = client();
    one.say('GET / HTTP/1.1\r\n\r\n');
    await expect(waiting).rejects.toThrow(/not a Postgres connection; use sslmode=disable/);
    await one.hears('GET / HTTP/1.1\r\n\r\n');
  });
});
