import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asyncScheduler, type SchedulerAction, type SchedulerLike } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/conformance/virtualClock.js';
import type { HistoryRange } from '../provider.js';
import { UnknownInstrument } from '../providerErrors.js';
import { type PagesConfig, pages } from './pages.js';
import { RestClient, type RestClientConfig } from './restClient.js';

const RANGE: HistoryRange = { of: 'bar', symbol: 'A', from: 0, to: 1 };
const NEVER = new AbortController().signal;
const releases: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A vendor on loopback, and what it was asked. */
async function serve(answer: Answer) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response, asked.length);
  });
  releases.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A scheduler whose waits are over at once, and which keeps how long they were. */
function hasty() {
  const waits: number[] = [];
  let now = 1_000_000;
  const scheduler: SchedulerLike = {
    now: () => now,
    schedule<S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S) {
      // The limit of an answer is no wait.
      if (delay === 30_000) return asyncScheduler.schedule(work, delay, state);
      waits.push(delay);
      return asyncScheduler.schedule(
        function (this, given) {
          now += delay;
          work.call(this, given);
        },
        0,
        state,
      );
    },
  };
  return { scheduler, waits };
}

function clientOf(baseUrl: string, config: Partial<RestClientConfig> = {}) {
  const { scheduler, waits } = hasty();
  const client = new RestClient({ name: 'toy', baseUrl, secrets: ['s3cret'], scheduler, random: () => 1, ...config });
  const ask = (path = '/bars') => client.json({ path }, RANGE, NEVER);
  return { client, ask, waits };
}

const json = (response: ServerResponse, body: unknown, status = 200, headers = {}) =>
  response.writeHead(status, headers).end(JSON.stringify(body));

describe('a request', () => {
  it('has the headers, the path below the base and the query', async () => {
    let key: unknown;
    const { baseUrl, asked } = await serve((request, response) => {
      key = request.headers.authorization;
      json(response, { ok: 1 });
    });
    const { client } = clientOf(`${baseUrl}/v2/`, { headers: { authorization: 'Bearer s3cret' } });
    const query = { limit: 5, adjusted: true, none: undefined, symbol: 'BRK B' };
    expect(await client.json({ path: '/bars', query }, RANGE, NEVER)).toEqual({ ok: 1 });
    expect([key, asked]).toEqual(['Bearer s3cret', ['/v2/bars?limit=5&adjusted=true&symbol=BRK+B']]);
  });

  it.each([
    [401, 'BadCredentials'],
    [403, 'NotEntitled'],
    [404, 'UnknownInstrument'],
  ])(
    'that is answered with %i is not repeated, and has the words of the vendor without secrets',
    async (status, name) => {
      const { baseUrl, asked } = await serve((_, response) => json(response, { message: 'not s3cret' }, status));
      const { ask } = clientOf(baseUrl);
      await expect(ask()).rejects.toMatchObject({
        name,
        message: `toy: GET /bars was answered with HTTP ${status}: not ***`,
      });
      expect(asked).toHaveLength(1);
    },
  );

  it('that is one too many makes everybody wait as long as the vendor says, and is repeated', async () => {
    const { baseUrl, asked } = await serve((_, response, count) =>
      count === 1 ? json(response, {}, 429, { 'retry-after': '7' }) : json(response, count),
    );
    const { ask, waits } = clientOf(baseUrl);
    expect(await ask()).toBe(2);
    expect([asked.length, waits]).toEqual([2, [7_000]]);
  });

  it.each(['0', '0.2', 'Thu, 01 Jan 1970 00:00:00 GMT'])(
    'that is one too many makes everybody wait a second at least, with Retry-After: %s',
    async (retryAfter) => {
      const { baseUrl, asked } = await serve((_, response, count) =>
        count <= 3 ? json(response, {}, 429, { 'retry-after': retryAfter }) : json(response, count),
      );
      const { ask, waits } = clientOf(baseUrl);
      expect(await ask()).toBe(4);
      expect([asked.length, waits]).toEqual([4, [1_000, 1_000, 2_000]]);
    },
  );

  it('is repeated with a growing wait after 5xx and broken connections, a limited number of times', async () => {
    const { baseUrl, asked } = await serve((request, response, count) =>
      count % 2 ? json(response, { error: 'busy' }, 503) : request.socket.destroy(),
    );
    const { ask, waits } = clientOf(baseUrl, { maxAttempts: 4 });
    await expect(ask()).rejects.toMatchObject({ name: 'ConnectionLost' });
    expect([asked.length, waits]).toEqual([4, [500, 1_000, 2_000]]);
  });

  it('waits for the pacing', async () => {
    const { baseUrl } = await serve((_, response) => json(response, 1));
    const { ask, waits } = clientOf(baseUrl, { pacing: { windows: [{ limit: 2, perMs: 60_000 }] } });
    await Promise.all([ask(), ask(), ask()]);
    expect(waits).toEqual([60_000]);
  });

  it('counts as of its answer: what takes long to arrive is counted late by the vendor too', async () => {
    const clock = new VirtualClock();
    const arrived: number[] = [];
    const { baseUrl } = await serve((_, response, count) => {
      if (count === 1) clock.moveTo(clock.now() + 5_000);
      arrived.push(clock.now());
      json(response, count);
    });
    const { ask } = clientOf(baseUrl, { scheduler: clock, pacing: { windows: [{ limit: 1, perMs: 60_000 }] } });
    expect(await ask()).toBe(1);
    const second = ask();
    clock.moveTo(clock.nextAt!);
    expect(await second).toBe(2);
    expect(arrived[1]! - arrived[0]!).toBe(60_000);
  });

  it('whose answer is too large, or no JSON, fails with a reason', async () => {
    const { baseUrl, asked } = await serve((request, response) =>
      request.url === '/large' ? response.end(`"${'x'.repeat(500)}"`) : response.end('<html>'),
    );
    const { ask } = clientOf(baseUrl, { maxBytes: 100, maxAttempts: 2 });
    await expect(ask('/large')).rejects.toThrow('toy: the answer to GET /large is larger than maxBytes, 100 bytes');
    expect(asked).toHaveLength(1);
    await expect(ask('/html')).rejects.toThrow('toy: GET /html was answered with what is not JSON: <html>');
  });

  it('that is not answered in time fails', async () => {
    const { baseUrl } = await serve(() => {});
    const client = new RestClient({ name: 'toy', baseUrl, timeoutMs: 10, maxAttempts: 1 });
    await expect(client.json({ path: '/' }, RANGE, NEVER)).rejects.toThrow('was not answered within 10 ms');
  });

  it('is not redirected, so that the key stays here', async () => {
    const { baseUrl } = await serve((_, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    const { ask } = clientOf(baseUrl, { maxAttempts: 1 });
    await expect(ask()).rejects.toThrow('HTTP 302');
  });

  it('ends with its signal, also while it waits', async () => {
    const { baseUrl, asked } = await serve(() => {});
    const abort = new AbortController();
    const client = new RestClient({ name: 'toy', baseUrl, pacing: { windows: [{ limit: 1, perMs: 1e9 }] } });
    const first = client.json({ path: '/1' }, RANGE, abort.signal);
    const second = client.json({ path: '/2' }, RANGE, abort.signal);
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await expect(second).rejects.toThrow('enough');
    expect(asked.length).toBeLessThanOrEqual(1);
  });

  it('means what the venue says that its answer means', async () => {
    const { baseUrl } = await serve((_, response) => json(response, { code: -1121 }, 400));
    const { ask } = clientOf(baseUrl, { errorOf: ({ body }) => new UnknownInstrument('toy', `code ${body}`) });
    await expect(ask()).rejects.toThrow('toy: code {"code":-1121}');
  });
});

describe('pages', () => {
  interface Page {
    readonly rows: readonly number[];
    readonly next_url?: string;
  }

  async function paged(answer: (url: string, base: string) => Page, config: Partial<PagesConfig<number>> = {}) {
    let base = '';
    const { baseUrl, asked } = await serve((request, response) => json(response, answer(request.url ?? '', base)));
    base = baseUrl;
    const { client } = clientOf(baseUrl);
    const all = pages<number>({
      client,
      range: RANGE,
      first: { path: '/p/1' },
      next: (page) => ((page as Page).next_url === undefined ? undefined : { path: (page as Page).next_url! }),
      read: (page) => (page as Page).rows,
      ...config,
    });
    return { all, asked };
  }

  const three = (url: string, base: string): Page =>
    url === '/p/3' ? { rows: [3] } : { rows: [Number(url.at(-1))], next_url: `${base}/p/${Number(url.at(-1)) + 1}` };

  it('are asked for one by one, as they are taken', async () => {
    const { all, asked } = await paged(three);
    const iterator = all[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: [1] });
    expect(asked).toEqual(['/p/1']);
    expect(await iterator.next()).toEqual({ done: false, value: [2] });
    expect(await iterator.next()).toEqual({ done: false, value: [3] });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(asked).toEqual(['/p/1', '/p/2', '/p/3']);
  });

  it('pass over empty ones', async () => {
    const { all } = await paged((url, base) =>
      url === '/p/1' ? { rows: [], next_url: `${base}/p/3` } : three(url, base),
    );
    const seen: (readonly number[])[] = [];
    for await (const page of all) seen.push(page);
    expect(seen).toEqual([[3]]);
  });

  it('stay at the configured origin', async () => {
    const { all } = await paged(() => ({ rows: [1], next_url: 'http://127.0.0.2/steal' }));
    const read = async () => {
      for await (const page of all) void page;
    };
    await expect(read()).rejects.toThrow('refusing to ask http://127.0.0.2: only http://127.0.0.1');
  });

  it('fail where the cursor does not change', async () => {
    const { all } = await paged((url, base) => ({ rows: [1], next_url: `${base}/p/${url === '/p/2' ? 1 : 2}` }));
    const read = async () => {
      for await (const page of all) void page;
    };
    await expect(read()).rejects.toThrow('the vendor names a page as the next one that was read before');
  });

  it('cancel the request under way on return()', async () => {
    let aborted: () => void = () => {};
    const wasAborted = new Promise<void>((resolve) => {
      aborted = resolve;
    });
    let arrived: () => void = () => {};
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { baseUrl } = await serve((request) => {
      request.socket.on('close', aborted);
      arrived();
    });
    const all = pages<number>({
      client: clientOf(baseUrl).client,
      range: RANGE,
      first: { path: '/' },
      next: () => undefined,
      read: () => [1],
    });
    const iterator = all[Symbol.asyncIterator]();
    const pending = iterator.next();
    await hasArrived;
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    await wasAborted;
  });
});
