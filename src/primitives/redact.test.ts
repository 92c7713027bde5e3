import { describe, expect, it } from 'vitest';
import { redactData, redactText } from './redact.js';

describe('a text', () => {
  it.each([
    ['connect to postgres://me:hunter2@db:5432/bars failed', 'connect to postgres://me:[redacted]@db:5432/bars failed'],
    ['postgresql://me:p@ss/w:rd@db/bars', 'postgresql://me:[redacted]@db/bars'],
    ['redis://:hunter2@cache', 'redis://:[redacted]@cache'],
    [
      'postgres://me@db/bars?password=hunter2&sslmode=require',
      'postgres://me@db/bars?password=[redacted]&sslmode=require',
    ],
    ["host=db password='hunter 2' user=me", 'host=db password=[redacted] user=me'],
    ['https://api.example.org/v2?apiKey=hunter2', 'https://api.example.org/v2?apiKey=[redacted]'],
    ['https://api.example.org/v2?api_key=hunter2&x=1', 'https://api.example.org/v2?api_key=[redacted]&x=1'],
    ['{"access_token": "hunter\\"2", "a": 1}', '{"access_token": [redacted], "a": 1}'],
    ['sent Authorization: Bearer hunter2hunter2', 'sent Authorization: [redacted] [redacted]'],
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=[redacted]'],
  ])('%s loses its secret', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
  });

  it.each([
    'connect ECONNREFUSED 127.0.0.1:5432',
    'see https://example.org:8080/a/b#c',
    'password authentication failed for user "me"',
    'mail me@example.org',
    'the table bars does not exist',
  ])('%s stays as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });
});

describe('data', () => {
  it('lose what has the name of a secret, at any depth, and the secrets in their texts', () => {
    expect(
      redactData({
        DATABASE_URL: 'postgres://db',
        user: 'me',
        nested: [
          { apiKey: 'k', 'x-api-key': 'k', clientSecret: 'k', refreshToken: { a: 1 }, pwd: 1, list: ['token=k'] },
        ],
        nothing: { password: null },
        count: 3,
      }),
    ).toEqual({
      DATABASE_URL: '[redacted]',
      user: 'me',
      nested: [
        {
          apiKey: '[redacted]',
          'x-api-key': '[redacted]',
          clientSecret: '[redacted]',
          refreshToken: '[redacted]',
          pwd: '[redacted]',
          list: ['token=[redacted]'],
        },
      ],
      nothing: { password: null },
      count: 3,
    });
  });
});
