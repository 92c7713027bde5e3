import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delay, firstValueFrom, map, of, take, timer, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Diversion, PipelineMonitor, type Sink, type SinkError } from '../../src/index.js';
import { run } from '../../src/pipelines/run.js';
import { guideModule } from '../support/guideFiles.js';

interface Tick {
  readonly symbol: string;
  readonly price: number;
}

interface Recipe {
  ticksToSink(url: string, sink: Sink<Tick>, config: object): import('rxjs').Observable<unknown>;
}

const { ticksToSink } = await guideModule<Recipe>('write-a-source', 'recipes', 'ticksToSink.ts');

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A server on loopback; `greet` plays the vendor on each connection that has subscribed, by its number from 1. */
async function vendor(greet: (socket: WebSocket, connection: number) => void) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.once('message', () => greet(socket, ++connections));
  });
  closing.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const tick = (price: number) => JSON.stringify({ symbol: 'AAPL', price });

/** Keeps what is written, and what goes to the dead letters; aborts `stop` once `expected` items have ended in either. */
function outcomes(expected: number, writeMs = 0) {
  const stop = new AbortController();
  const prices: number[] = [];
  const letters: unknown[] = [];
  const look = () => prices.length + letters.length >= expected && stop.abort();
  const sink: Sink<Tick> = {
    name: 'ticks',
    write: (ticks) =>
      (writeMs > 0 ? timer(writeMs) : of(0)).pipe(
        map(() => {
          prices.push(...ticks.map(({ price }) => price));
          look();
          return { rows: ticks.length };
        }),
      ),
  };
  const deadLetters = {
    append: ({ items }: Diversion<unknown>) => {
      letters.push(...items);
      look();
      return [];
    },
  };
  return { sink, deadLetters, stop: stop.signal, prices, letters };
}

const quiet = { signals: [] } as const;

describe('the WebSocket of docs/write-a-source.md', () => {
  it('loses nothing to a sink that is slower than the server: the server has to wait', async () => {
    // Twenty megabytes: more than the system keeps for a connection.
    const count = 40_000;
    const padding = 'x'.repeat(460);
    let waited = 0;
    let gone: Promise<unknown> | undefined;
    const { url } = await vendor((socket) => {
      gone = once(socket, 'close');
      let sent = 0;
      // As a server does that heeds its buffers: it sends on when what it has sent is gone.
      const send = () => {
        while (sent < count && socket.bufferedAmount < 100_000) {
          socket.send(JSON.stringify({ symbol: 'AAPL', price: sent++, padding }));
        }
        if (sent === count) return;
        waited += 1;
        setImmediate(send);
      };
      send();
    });
    const { sink, deadLetters, stop, prices } = outcomes(count, 2);
    const report = await run(ticksToSink(url, sink, { deadLetters }), { ...quiet, stop });
    expect(waited).toBeGreaterThan(0);
    expect(prices.length).toBe(count);
    expect(new Set(prices).size).toBe(count);
    expect(report).toMatchObject({ written: count, dropped: {}, held: 0, conservation: 0 });
    expect(report.unstopped).toEqual([]);
    // The drain has closed the connection.
    await gone;
  }, 60_000);

  it('drops the oldest, and counts them, where the socket must not be paused', async () => {
    const count = 60_000;
    const { url } = await vendor((socket) => {
      for (let sent = 0; sent < count; sent++) socket.send(tick(sent));
    });
    const stop = new AbortController();
    const gate: { open: () => void } = { open: () => {} };
    const opened = new Promise<void>((resolve) => {
      gate.open = resolve;
    });
    const prices: number[] = [];
    const sink: Sink<Tick> = {
      name: 'stuck',
      async write(ticks) {
        await opened;
        prices.push(...ticks.map(({ price }) => price));
        if (prices.includes(count - 1)) stop.abort();
        return { rows: ticks.length };
      },
    };
    const { deadLetters } = outcomes(Number.POSITIVE_INFINITY);
    const monitor = new PipelineMonitor();
    const running = run(ticksToSink(url, sink, { deadLetters, pauses: false }), {
      ...quiet,
      stop: stop.signal,
      monitor,
    });
    // All has come when the source has emitted it.
    while ((monitor.stages.find(({ role }) => role === 'source')?.out ?? 0) < count) await new Promise(setImmediate);
    gate.open();
    const report = await running;
    const dropped = Object.values(report.dropped).reduce((sum, n) => sum + n, 0);
    expect(dropped).toBeGreaterThan(0);
    expect(report.written + dropped).toBe(count);
    expect(report).toMatchObject({ held: 0, conservation: 0 });
    expect(Math.max(...prices)).toBe(count - 1);
  }, 60_000);

  it('connects again after a reset, and puts nonsense into the dead letters', async () => {
    const { url } = await vendor((socket, connection) => {
      if (connection === 1) {
        socket.send(tick(1));
        socket.send('hello', () => socket.terminate());
      } else {
        socket.send(tick(2));
        socket.send('{"symbol":"AAPL"}');
      }
    });
    const { sink, deadLetters, stop, prices, letters } = outcomes(4);
    const failures: string[] = [];
    const onRetry = (error: Error) => failures.push(error.message);
    const report = await run(ticksToSink(url, sink, { deadLetters, onRetry }), { ...quiet, stop });
    expect(failures).toEqual(['the server closed the connection with 1006']);
    expect([...prices].sort()).toEqual([1, 2]);
    expect(letters).toEqual(['hello', '{"symbol":"AAPL"}']);
    expect(report).toMatchObject({ written: 2, diverted: 2, divertedBy: { decode: 2 }, held: 0, conservation: 0 });
  });

  it('connects again where the server is silent, and where there is none', async () => {
    const { url, server } = await vendor((socket, connection) => {
      if (connection === 2) socket.send(tick(2));
    });
    const { sink, deadLetters, stop, prices } = outcomes(1);
    const codes: unknown[] = [];
    const onRetry = (error: { code?: string }) => codes.push(error.code);
    await run(ticksToSink(url, sink, { deadLetters, staleAfterMs: 60, onRetry }), { ...quiet, stop });
    expect(codes).toEqual(['SLUICE_STREAM_STALE']);
    expect(prices).toEqual([2]);

    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const refused = new AbortController();
    const onRefused = (error: { code?: string }) => {
      codes.push(error.code);
      refused.abort();
    };
    const nowhere = outcomes(1);
    const away = ticksToSink(`ws://127.0.0.1:${port}`, nowhere.sink, { deadLetters, onRetry: onRefused });
    await run(away, { ...quiet, stop: refused.signal });
    expect(codes).toEqual(['SLUICE_STREAM_STALE', 'ECONNREFUSED']);
  });
});

describe('the sink of docs/write-a-sink.md', () => {
  it.each<[number, Record<string, string>, string, Partial<SinkError> | undefined]>([
    [200, {}, '', undefined],
    [422, {}, '{"bad":[1]}', { failureClass: 'poison', rejected: [1] }],
    [429, { 'retry-after': '2' }, '', { failureClass: 'transient', retryAfterMs: 2_000 }],
    [503, {}, '', { failureClass: 'transient' }],
    [403, {}, '', { failureClass: 'fatal' }],
  ])('says what an answer %i means', async (status, headers, body, expected) => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.writeHead(status, headers).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { httpSink } = await guideModule<{ httpSink(url: string): Sink<Tick> }>(
      'write-a-sink',
      'recipes',
      'httpSink.ts',
    );
    const sink = httpSink(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const written = sink.write([{ symbol: 'AAPL', price: 1 }]) as import('rxjs').Observable<{ rows: number }>;
    await firstValueFrom(of(0).pipe(delay(0)), { defaultValue: 0 });
    expect(requests).toBe(0); // nothing starts before it is subscribed
    const result = firstValueFrom(written.pipe(take(1), toArray()), { defaultValue: [] });
    if (expected) {
      const error = await result.then(
        () => undefined,
        (failure: SinkError) => failure,
      );
      expect(error).toMatchObject({ ...expected, cause: { code: `HTTP_${status}` } });
      // What is no number of seconds and no date is ignored.
      expect(error?.retryAfterMs ?? Number.NaN).toBe(expected.retryAfterMs ?? Number.NaN);
    } else expect(await result).toEqual([{ rows: 1 }]);
  });
});
