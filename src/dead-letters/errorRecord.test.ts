import { describe, expect, it } from 'vitest';
import { WriteError } from '../operators/errors/writeError.js';
import { recordError } from './errorRecord.js';

describe('the record of an error', () => {
  it('holds name, code, SQLSTATE and message, with its causes', () => {
    const driver = Object.assign(new Error('numeric field overflow'), { code: '22003', detail: 'a row' });
    expect(recordError(new WriteError('bars', [1, 2], 3, { cause: driver }))).toEqual({
      name: 'WriteError',
      code: 'SLUICE_WRITE_FAILED',
      message: 'the sink bars did not take a batch of 2 items: numeric field overflow',
      cause: { name: 'Error', code: '22003', sqlState: '22003', message: 'numeric field overflow' },
    });
  });

  it('takes whatever is thrown', () => {
    const hostile = {
      get message(): string {
        throw new Error('no');
      },
    };
    expect(recordError(undefined)).toBeNull();
    expect(recordError('plain')).toEqual({ name: 'string', message: 'plain' });
    expect(recordError(null)).toEqual({ name: 'object', message: 'null' });
    expect(recordError({})).toEqual({ name: 'Error', message: '' });
    expect(recordError(hostile)).toMatchObject({ name: 'Error' });
    expect(recordError(new AggregateError([new TypeError('first'), new Error('second')], 'all'))).toMatchObject({
      cause: { name: 'TypeError', message: 'first' },
    });
  });

  it('is bounded, in length and in depth', () => {
    const long = 'x'.repeat(1_000_000);
    let error = new Error(long);
    for (let i = 0; i < 20; i++) error = new Error(long, { cause: error });
    const record = JSON.stringify(recordError(error));
    expect(record.length).toBeLessThan(12_000);
    expect(record.split('"cause"')).toHaveLength(5);
  });

  it('follows causes as everybody does: each error once, and past what is none', () => {
    const circle = new Error('outside', { cause: new Error('inside') });
    (circle.cause as Error).cause = circle;
    expect(recordError(circle)).toEqual({
      name: 'Error',
      message: 'outside',
      cause: { name: 'Error', message: 'inside' },
    });
    const aggregate = new AggregateError(
      [undefined, new Error('first', { cause: 'a text' }), new Error('second')],
      'all',
    );
    expect(recordError(aggregate)).toEqual({
      name: 'AggregateError',
      message: 'all',
      cause: { name: 'Error', message: 'first', cause: { name: 'Error', message: 'a text' } },
    });
  });

  it.each([
    ['postgres://sluice:s3cr3t@db:5432/x refused', 's3cr3t'],
    ['postgres://u:p@ss/w0rd@db/x', 'w0rd'],
    ['redis://:s3cr3t@host', 's3cr3t'],
    ['wss://feed/x?apiKey=s3cr3t&symbol=AAPL', 's3cr3t'],
    ['{"api_key":"s3cr3t","a":1}', 's3cr3t'],
    ["{ password: 's3cr3t with spaces' }", 's3cr3t'],
    ['password=s3cr3t host=db', 's3cr3t'],
    ['{"access_token":"s3cr3t', 's3cr3t'],
    ['Authorization: Bearer s3cr3t.s3cr3t', 's3cr3t'],
    ['POLYGON_API_KEY=s3cr3t', 's3cr3t'],
    ['client_secret: s3cr3t', 's3cr3t'],
  ])('keeps no secret of %s', (message, secret) => {
    expect(message).toContain(secret);
    const record = JSON.stringify(recordError(new Error('outside', { cause: new Error(message) })));
    expect(record).not.toContain(secret);
    expect(record).toContain('***');
  });

  it('leaves what is no secret', () => {
    const message = 'cannot reach Postgres at db:5432 (http://db:5432/x): user@example.com has no permission for bars';
    expect(recordError(new Error(message))).toMatchObject({ message });
  });

  it('shows no part of a secret that begins before the cut', () => {
    const { message } = recordError(new Error(`${'x'.repeat(1_990)} postgres://me:${'s3cr3t'.repeat(5_000)}@db`))!;
    expect(message).not.toContain('s3cr3t');
  });
});
