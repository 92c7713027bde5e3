import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionLost, NotEntitled } from '../providerErrors.js';
import { Unreadable } from '../session.js';
import type { RejectedElement } from '../streamConfig.js';
import { pages } from './pages.js';
import { readRow } from './readRow.js';
import { RestClient, type RestClientConfig } from './restClient.js';

const SECRET = 'AK"top/secret+0123456789';
const RANGE = { of: 'bar', symbol: 'A', from: 0, to: 1 } as const;

let release: () => void = () => {};
afterEach(() => release());

/** A client of a vendor that always gives this answer. */
async function clientOf(status: number, body: string, config: Partial<RestClientConfig> = {}): Promise<RestClient> {
  const server = createServer((_, response) => response.writeHead(status).end(body));
  release = () => void server.close().closeAllConnections();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new RestClient({ name: 'toy', baseUrl, secrets: [SECRET], maxAttempts: 1, ...config });
}

async function failureOf(run: () => Promise<unknown>): Promise<Error> {
  const failure = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Error);
  const text = inspect(failure, { depth: 10, showHidden: true });
  // Neither the whole of it nor a part, as it is or escaped.
  for (const part of ['AK"', 'AK\\"', 'secret+', 'secret%2', 'top/', 'top\\/']) expect(text).not.toContain(part);
  return failure as Error;
}

const firstOf = async (answer: AsyncIterable<unknown>) => answer[Symbol.asyncIterator]().next();
const asked = (client: RestClient) => () => client.json({ path: '/bars' }, RANGE, new AbortController().signal);

/** Where a cut to `length` characters would leave a part of the secret. */
const filledTo = (length: number) => 'x'.repeat(length - 10);

describe('the secrets of a client', () => {
  it.each([
    ['text', 403, `${filledTo(300)}${SECRET}`],
    ['JSON', 403, JSON.stringify({ message: `${filledTo(300)}${SECRET}` })],
    ['markup', 500, `<a href="${SECRET}">${filledTo(301)}${SECRET}`],
    ['what is not JSON', 200, `${filledTo(80)}${SECRET}`],
    ['JSON that is cut', 200, JSON.stringify([SECRET]).slice(0, -2)],
  ])('are not in the error of an answer that is %s', async (_, status, body) => {
    const failure = await failureOf(asked(await clientOf(status, body)));
    expect(failure.message).toMatch(/^toy: GET \/bars was answered with/);
  });

  it('are not in what a vendor of its own makes of an answer', async () => {
    const errorOf = ({ body }: { readonly body: string }) =>
      new NotEntitled('toy', body.slice(0, 80), { cause: { body } });
    const body = `${filledTo(80)}${SECRET}`;
    expect(await failureOf(asked(await clientOf(403, body, { errorOf })))).toBeInstanceOf(NotEntitled);
  });

  it('are not in what is thrown while pages are read, nor in an address of the next one', async () => {
    const client = await clientOf(200, JSON.stringify({ row: { key: [SECRET] } }));
    const first = { path: '/bars' };
    const failing = pages({
      ...{ client, range: RANGE, first, next: () => undefined },
      read: (answer) => {
        throw new ConnectionLost('toy', `no ${SECRET}`, { cause: answer });
      },
    });
    expect((await failureOf(() => firstOf(failing))).cause).toBe('{"row":{"key":["***"]}}');
    const next = () => ({ path: `https://[${SECRET}` });
    const leading = pages({ ...{ client, range: RANGE, first, next }, read: () => [] });
    expect((await failureOf(() => firstOf(leading))).message).toBe('toy: the address of a page is not valid');
  });
});

describe('a row of history', () => {
  const read = (row: unknown) => new Unreadable(`it must be better, got ${JSON.stringify(row).slice(0, 20)}`);
  const row = { key: `xxxx${SECRET}` };

  it('ends the history if it cannot be read, without a secret or a part of one', async () => {
    const client = await clientOf(200, '{}');
    const about = { client, path: '/bars', onRejected: undefined };
    const failure = await failureOf(async () => readRow(row, read, about));
    expect(failure.message).toBe(
      'toy: GET /bars: a row cannot be read: it must be better, got {"key":"xxxx***"}; set onRejected to go on without it',
    );
    expect(failure.cause).toEqual({ key: 'xxxx***' });
  });

  it('is handed to onRejected in the same way', async () => {
    const client = await clientOf(200, '{}');
    const rejected: RejectedElement[] = [];
    const about = { client, path: '/bars', onRejected: (one: RejectedElement) => void rejected.push(one) };
    expect(readRow(row, read, about)).toBeUndefined();
    expect(readRow(row, () => 'record', about)).toBe('record');
    expect(rejected).toEqual([{ element: { key: 'xxxx***' }, reason: 'it must be better, got {"key":"xxxx***"}' }]);
  });
});
