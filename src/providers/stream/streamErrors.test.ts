import { describe, expect, it } from 'vitest';
import { BadCredentials, ConnectionLost } from '../providerErrors.js';
import { lostBy, maskedStart, maskSecrets, noticeOf, withoutSecrets } from './streamErrors.js';

const SECRETS = ['s3cret', ''];

describe('the secrets of a provider', () => {
  it('are masked in texts, wherever they stand, as is what looks like one', () => {
    expect(maskSecrets('key s3cret, again s3cret; password=hunter2', SECRETS)).toBe('key ***, again ***; password=***');
  });

  it.each([
    ['in JSON', 'a"b\\c/d', JSON.stringify('key a"b\\c/d').slice(1, -1), 'key ***'],
    ['in JSON with escaped slashes', 'ab/cd', 'key ab\\/cd', 'key ***'],
    ['in a URL', 'ab/c+d', '?q=ab%2Fc%2Bd&r=ab%2fc%2bd', '?q=***&r=***'],
    ['in base64', 's3cret', `in ${Buffer.from('s3cret').toString('base64')}`, 'in ***'],
  ])('are masked as they are spelled %s', (_, secret, text, masked) => {
    expect(maskSecrets(text, [secret])).toBe(masked);
  });

  it.each([0, 1, 3, 5, 6])('are masked before a text is cut: %i characters before the end', (before) => {
    expect(noticeOf(`${'x'.repeat(1_000 - before)}s3cret`, SECRETS)).toBe(
      `${'x'.repeat(1_000 - before)}***`.slice(0, 1_000),
    );
    const long = `${'s3cret'.repeat(2_000)}`;
    for (const length of [80, 4_000]) expect(maskedStart(long, length, SECRETS)).toMatch(/^\*+$/);
  });

  it('are masked in an error, its stack and its causes, and the error stays what it is', () => {
    const inner = new Error('auth s3cret', { cause: { params: 's3cret' } });
    const error = new BadCredentials('toy', 'no s3cret', { cause: inner });
    expect(withoutSecrets(error, SECRETS)).toBe(error);
    expect(error.message).toBe('toy: no ***');
    expect(inner.cause).toBe('{"params":"***"}');
    expect(`${error.stack} ${inner.message} ${inner.stack}`).not.toContain('s3cret');
  });

  it('are masked in an error that cannot be written to by another one', () => {
    const masked = withoutSecrets(Object.freeze(new Error('no s3cret')), SECRETS);
    expect(masked).toEqual(new Error('no ***'));
  });

  it('leave the class and code of an error whose cause has no JSON, or numbers that JSON lacks', () => {
    const error = new BadCredentials('toy', 'no s3cret', { cause: { at: 5n, key: 's3cret' } });
    expect(withoutSecrets(error, SECRETS)).toBe(error);
    expect([error.message, error.cause]).toEqual(['toy: no ***', '{"at":"5","key":"***"}']);
    const unclear = {
      toJSON() {
        throw new Error('no');
      },
    };
    const other = new BadCredentials('toy', 'no s3cret', { cause: unclear });
    expect(withoutSecrets(other, SECRETS)).toBe(other);
    expect(other).toMatchObject({ message: 'toy: no ***', cause: undefined, code: 'SLUICE_BAD_CREDENTIALS' });
  });

  it('leave the class and code of an error that cannot be written to', () => {
    const masked = withoutSecrets(Object.freeze(new BadCredentials('toy', 'no s3cret', { cause: 's3cret' })), SECRETS);
    expect(masked).toBeInstanceOf(BadCredentials);
    expect(masked).toMatchObject({ code: 'SLUICE_BAD_CREDENTIALS', retryable: false, message: 'toy: no ***' });
    expect(masked.cause).toBeUndefined();
  });

  it('leave an error alone that has none, and what is no error', () => {
    const cause = { some: 'data' };
    const error = new ConnectionLost('toy', 'gone', { cause });
    expect(withoutSecrets(error, SECRETS).cause).toBe(cause);
    expect(withoutSecrets('s3cret'.length, SECRETS)).toBe(6);
  });

  it('are not in what a transport or a session threw', () => {
    expect(lostBy('toy', new Error('no s3cret'), SECRETS)).toMatchObject({
      message: 'toy: no ***',
      code: 'SLUICE_CONNECTION_LOST',
    });
    expect(lostBy('toy', undefined).message).toBe('toy: the connection was closed');
  });
});
