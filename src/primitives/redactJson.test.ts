import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDACTED, redactData } from './redact.js';
import { redactJson } from './redactJson.js';

describe('a line of JSON', () => {
  it.each([
    '{"seq":12345678901234567890,"price":1.0,"tiny":1e-400,"huge":1e400,"zero":-0,"count":3}',
    '{"tokensLeft":5,"token":"ETH","tokens":12,"author":"me","key":"AAPL","primaryKey":18446744073709551616}',
    '{"tokens":18446744073709551616,"instrument_token":256265256265,"maxTokens":4096000,"token":1.5e9}',
    '{"a":[1,[2,{"b":[]}],{}],"password":null,"text":"a \\"quoted\\" \\\\ { [ text"}',
    '{ "a" : 1 , "b" : "x" }\n',
    '"text"',
    '',
  ])('without a secret stays letter by letter: %s', (line) => {
    expect(redactJson(line)).toBe(line);
  });

  it.each([
    ['{"password":"hunter2","seq":12345678901234567890}', '{"password":"***","seq":12345678901234567890}'],
    ['{"token":"12345678901","password":123456}', '{"token":"***","password":"***"}'],
    ['{"apiKey" : 123456789, "n": 1}', '{"apiKey" : "***", "n": 1}'],
    ['{"secret":{"a":["}","hunter2"]},"n":1}', '{"secret":"***","n":1}'],
    ['{"cookies":["a=hunter2"],"n":[1]}', '{"cookies":"***","n":[1]}'],
    ['{"list":["token=hunter2"]}', '{"list":["token=***"]}'],
    ['{"url":"postgres://u:hunter2@h/d"}', '{"url":"postgres://u:***@h/d"}'],
    ['{"message":"{\\"password\\":\\"hunter2\\"}"}', '{"message":"{\\"password\\":\\"***\\"}"}'],
    ['{"pass\\u0077ord":"hunter2"}', '{"pass\\u0077ord":"***"}'],
    ['{"password":"hunter2', '{"password":"***'],
  ])('%s loses its secret', (line, redacted) => {
    expect(redactJson(line)).toBe(redacted);
  });

  it('is redacted as its data are', () => {
    const name = fc.constantFrom('password', 'apiKey', 'token', 'symbol', 'a', 'cookie', '__proto__');
    const data = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.constantFrom('token=hunter2', 'ETH', 'postgres://u:hunter2@h'),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(name, tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(data, (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(JSON.parse(redactJson(JSON.stringify(plain)))).toEqual(redactData(plain));
      }),
      { seed: 20_261_128, numRuns: 2_000 },
    );
  });

  it('of any text shows no value of a secret name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const line = JSON.stringify({ before, password: 'hunter2', after });
        expect(redactJson(line)).toBe(redactJson(JSON.stringify({ before, password: REDACTED, after })));
      }),
      { seed: 20_261_128, numRuns: 1_000 },
    );
  });
});
