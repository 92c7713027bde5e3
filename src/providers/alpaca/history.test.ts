import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLost } from '../providerErrors.js';
import type { RejectedElement } from '../streamConfig.js';
import { type AlpacaConfig, alpaca } from './alpaca.js';

const T = Date.UTC(2026, 0, 5, 14, 30);
const RANGE = { of: 'bar', symbol: 'AAPL', from: T, to: T + 600_000 };
const BAR = { t: '2026-01-05T14:30:00Z', o: 1, h: 2, l: 0.5, c: 1, v: 10, n: 1, vw: 1 };
const BAD = { ...BAR, t: '2026-01-05T14:31:00Z', o: '1' };

let release: () => void = () => {};
afterEach(() => release());

/** The bars of the past that Alpaca gives with this answer. */
async function historyOf(answer: unknown, config: Partial<AlpacaConfig> = {}): Promise<readonly unknown[]> {
  const server = createServer((_, response) => response.end(JSON.stringify(answer)));
  release = () => void server.close().closeAllConnections();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = alpaca({ key: 'PKTEST', secret: 'hush-hush', restUrl, ...config });
  const rows: unknown[] = [];
  for await (const page of provider.history!(RANGE as never)) rows.push(...page);
  return rows;
}

describe('the history of alpaca', () => {
  it('ends at a row that cannot be read', async () => {
    const reading = historyOf({ bars: [BAR, BAD], next_page_token: null });
    await expect(reading).rejects.toThrow(ConnectionLost);
    await expect(reading).rejects.toThrow(
      'alpaca: GET /v2/stocks/AAPL/bars: a row cannot be read: o must be a number, got "1"; set onRejected to go on',
    );
  });

  it('hands such a row to onRejected, and goes on', async () => {
    const rejected: RejectedElement[] = [];
    const onRejected = (one: RejectedElement) => void rejected.push(one);
    const bars = await historyOf({ bars: [BAD, BAR], next_page_token: null }, { onRejected });
    expect(bars).toMatchObject([{ kind: 'bar', ts: T }]);
    expect(rejected).toEqual([{ element: BAD, reason: 'o must be a number, got "1"' }]);
  });

  it.each([
    ['an object without rows', { nonsense: true }, 'iex'],
    ['null', null, 'iex'],
    ['text', 'maintenance', 'iex'],
    ['a list', [BAR], 'iex'],
    ['rows that are an object', { bars: { AAPL: [BAR] } }, 'iex'],
    ['an object without rows', {}, 'crypto'],
    ['rows that are a list', { bars: [BAR] }, 'crypto'],
    ['rows of a symbol that are no list', { bars: { AAPL: 'none' } }, 'crypto'],
  ] as const)('ends where the answer is %s', async (_, answer, feed) => {
    const reading = historyOf(answer, { feed });
    await expect(reading).rejects.toThrow(ConnectionLost);
    await expect(reading).rejects.toThrow(/: bars of the answer is not a list of rows$/);
  });

  it('ends where the name of the next page is none', async () => {
    const reading = historyOf({ bars: [BAR], next_page_token: 7 });
    await expect(reading).rejects.toThrow('next_page_token of the answer is not text or null');
  });

  it.each([
    ['null', { bars: null, symbol: 'AAPL', next_page_token: null }, 'iex'],
    ['an empty list', { bars: [] }, 'iex'],
    ['an empty object', { bars: {}, next_page_token: null }, 'crypto'],
  ] as const)('is empty where the vendor gives %s', async (_, answer, feed) => {
    expect(await historyOf(answer, { feed })).toEqual([]);
  });
});
