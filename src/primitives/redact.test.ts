import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSecretName, REDACTED, redactData, redactText } from './redact.js';

describe('a text', () => {
  it.each([
    ['connect to postgres://me:hunter2@db:5432/bars failed', 'connect to postgres://me:***@db:5432/bars failed'],
    ['postgresql://me:p@ss/w:rd@db/bars', 'postgresql://me:***@db/bars'],
    ['postgres://me:pa"ss@db/bars', 'postgres://me:***@db/bars'],
    ['redis://:hunter2@cache', 'redis://:***@cache'],
    ['{"url":"amqp://me:hunter2@mq","owner":"me@example.org"}', '{"url":"amqp://me:***@mq","owner":"me@example.org"}'],
    ['clone https://ghp_hunter2@github.com/a/b', 'clone https://***@github.com/a/b'],
    ['mongodb://a:hunter2@h1 and nats://b:hunter3@h2', 'mongodb://a:***@h1 and nats://b:***@h2'],
    ['upstream=ws://a:hunter2@h/x', 'upstream=ws://a:***@h/x'],
    ['postgres://me@db/bars?password=hunter2&sslmode=require', 'postgres://me@db/bars?password=***&sslmode=require'],
    ["host=db password='hunter 2' user=me", "host=db password='***' user=me"],
    ["set password = 'hunt''er2' for me", "set password = '***' for me"],
    ['Server=h;Password=hunter2;Database=d', 'Server=h;Password=***;Database=d'],
    ['AccountName=a;AccountKey=hunter2==;EndpointSuffix=x', 'AccountName=a;AccountKey=***;EndpointSuffix=x'],
    ['db_password=hunter,2, retrying', 'db_password=***, retrying'],
    ['https://api.example.org/v2?apiKey=hunter2', 'https://api.example.org/v2?apiKey=***'],
    ['https://api.example.org/v2?api_key=hunter2&x=1', 'https://api.example.org/v2?api_key=***&x=1'],
    ['https://maps.example/x?key=hunter2&q=a', 'https://maps.example/x?key=***&q=a'],
    ['https://blob.example/x?se=1&sig=hunter2', 'https://blob.example/x?se=1&sig=***'],
    ['wss://feed/x?token=hunter2&symbol=AAPL', 'wss://feed/x?token=***&symbol=AAPL'],
    ['{"access_token": "hunter\\"2", "a": 1}', '{"access_token": "***", "a": 1}'],
    ['{\\"refreshToken\\":\\"hun\\\\\\"ter2\\",\\"a\\":1}', '{\\"refreshToken\\":\\"***\\",\\"a\\":1}'],
    ['{"apiSecret":"hunter2', '{"apiSecret":"***'],
    ["{ credentials: { user: 'me', value: 'hunter2' }, a: 1 }", '{ credentials: ***, a: 1 }'],
    ['sent Authorization: Bearer hunter2hunter2', 'sent Authorization: ***'],
    ['Proxy-Authorization: Digest username="me", response="hunter2"\nHost: h', 'Proxy-Authorization: ***\nHost: h'],
    ["{ authorization: 'Custom hunter2', status: 401 }", "{ authorization: '***', status: 401 }"],
    ["rawHeaders: ['Authorization', 'Basic hunter2']", "rawHeaders: ['Authorization', '***']"],
    ['Set-Cookie: sid=hunter2; Path=/\nDate: x', 'Set-Cookie: ***\nDate: x'],
    ["{ 'set-cookie': [ 'sid=hunter2' ], date: 'x' }", "{ 'set-cookie': ***, date: 'x' }"],
    ['the server refused bearer hunter2.hunter2', 'the server refused bearer ***'],
    ['DB_PASSWORD=hunter2', 'DB_PASSWORD=***'],
    ['--secret-access-key hunter2 --private-key=hunter2', '--secret-access-key *** --private-key=***'],
    ['mqtt://secret:hunter2@h', 'mqtt://secret:***@h'],
    ['the api key: hunter2', 'the api key: ***'],
    ['session token => hunter2', 'session token => ***'],
    ['invalid secret "hunter2" for me', 'invalid secret "***" for me'],
    ['DATABASE_URL="host=h pass=x"', 'DATABASE_URL="***"'],
    [
      '-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----.',
      '-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----.',
    ],
  ])('%s loses its secret', (text, redacted) => {
    expect(redactText(text)).toBe(redacted);
    expect(redactText(redacted)).toBe(redacted);
  });

  it.each([
    'connect ECONNREFUSED 127.0.0.1:5432',
    'see https://example.org:8080/a/b#c',
    'write postgres://user:password@host:port/database, and %40 for an @',
    'pull https://registry.example/app:1@sha256:0123',
    'password authentication failed for user "me"',
    'correct user and password in DATABASE_URL',
    'mail me@example.org',
    'the table bars does not exist',
    'hello token: ETH price=3',
    'the token stETH, quoteToken=USDC, tokens: 5',
    'tokensLeft=5 maxTokens=9 token_count: 3',
    'tokens: 4096000, maxTokens=1234567890 instrument_token=12345678 tokens=0.25',
    'Unexpected token } in JSON at position 3',
    'Unexpected token : in JSON at position 3',
    'Unexpected token \'<\', "<html>" is not valid JSON',
    'author: someone, secretary: someone else, compass=N, authorized: true',
    'the primary key: bars_pkey, key=AAPL, sortKey=ts',
    'apiKey: undefined, password: null',
    'bearer of news, basic authentication is needed',
    'std::token::next and secret::new',
  ])('%s stays as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('is redacted in linear time, whatever is in it', () => {
    const size = 1 << 20;
    const units = [
      'a',
      ' ',
      '\\',
      '"',
      "'",
      ',',
      '{',
      '@',
      '://',
      'a://b:',
      'token',
      'token:',
      'password="',
      'key ',
      'key=\\"',
    ];
    units.push(
      'bearer ',
      'x-',
      'aB',
      '?key=',
      '-----BEGIN PRIVATE KEY-----',
      "cookie: '",
      'token,',
      'secret \\',
      'secret=,a',
    );
    for (const unit of units) {
      const text = unit.repeat(Math.ceil(size / unit.length));
      redactText(`${text} password=x`);
    }
  });

  it('never shows a value of a secret name, in whatever notation', () => {
    const name = fc.constantFrom(
      'password',
      'API_KEY',
      'clientSecret',
      'x-auth-token',
      'sslpassword',
      'accessKey',
      'passphrase',
    );
    const value = fc.stringMatching(/^[A-Za-z0-9!#$%*+./<>?@^_|~-]{1,20}$/).map((text) => `${text}hunter2`);
    const notation = fc.constantFrom(
      (n: string, v: string) => `${n}=${v}`,
      (n: string, v: string) => `${n}: ${v} and so on`,
      (n: string, v: string) => JSON.stringify({ a: 1, [n]: v, b: [2] }),
      (n: string, v: string) => JSON.stringify(JSON.stringify({ [n]: v })),
      (n: string, v: string) => `{ ${n}: '${v}' }`,
      (n: string, v: string) => `https://h/x?a=1&${n}=${encodeURIComponent(v)}&b=2`,
    );
    fc.assert(
      fc.property(name, value, notation, fc.string(), (n, v, write, before) => {
        expect(redactText(`${before} ${write(n, v)}`)).not.toContain('hunter2');
      }),
      { seed: 20_261_128, numRuns: 2_000 },
    );
  });
});

describe('data', () => {
  it('loses the values of secret names, at any depth, and the secrets in its texts', () => {
    expect(
      redactData({
        DATABASE_URL: 'postgres://db',
        user: 'me',
        nested: [
          { apiKey: 'k', 'x-api-key': 'k', clientSecret: 'k', refreshToken: { a: 1 }, pwd: 1, list: ['token=k'] },
        ],
        nothing: { password: null },
        token: 'ETH',
        tokens: 5,
        tokensLeft: 5,
        count: 3,
      }),
    ).toEqual({
      DATABASE_URL: REDACTED,
      user: 'me',
      nested: [
        {
          apiKey: REDACTED,
          'x-api-key': REDACTED,
          clientSecret: REDACTED,
          refreshToken: REDACTED,
          pwd: REDACTED,
          list: ['token=***'],
        },
      ],
      nothing: { password: null },
      token: 'ETH',
      tokens: 5,
      tokensLeft: 5,
      count: 3,
    });
  });
});

describe('a name', () => {
  it.each([
    'Cookie',
    'set-cookie',
    'APIKey',
    'apiKEY',
    'AWS_SECRET_ACCESS_KEY',
    'connectionString',
    'dbUrl',
    'token1',
    'PGPASSWORD',
    'passwordHash',
  ])('%s is that of a secret', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(['tokensLeft', 'author', 'key', 'primaryKey', 'passed', 'cookieCount', 'url', 'accessKeyId', 'symbol'])(
    '%s is not',
    (name) => {
      expect(isSecretName(name)).toBe(false);
    },
  );
});
