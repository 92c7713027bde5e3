import { describe, expect, it } from 'vitest';
import { IbkrScript } from '../../../test/support/ibkrScript.js';
import type { Series } from '../session.js';
import { codeRow, GATEWAY_CODES, historyVerdict, portOf } from './gatewayCodes.js';

const TRADES: Series = { of: 'trade', symbol: 'AAPL' };
const WORDS = 'the words of TWS';

/** What a session does after an error of a request, or of the connection. */
type Outcome = 'nothing' | 'notice' | 'unreadable' | 'asks again' | `refuses ${string}` | `fails ${string}`;

function outcomeOf(code: number, isOfRequest: boolean, text = WORDS): Outcome {
  const script = new IbkrScript();
  const id = script.live(TRADES);
  const asked = script.methods().length;
  script.notices = [];
  script.event('error', text, code, isOfRequest ? id : -1);
  if (script.failure) return `fails ${script.failure.code}${script.failure.retryable ? '' : ' for good'}`;
  const refusal = script.refused[0]?.error;
  if (refusal) return `refuses ${refusal.code}${refusal.retryable ? '' : ' for good'}`;
  if (script.elements.length > 0) return 'unreadable';
  const isTold = script.notices.length > 0;
  // The limit of IBKR is 15 s between two requests for the ticks of one instrument.
  script.pass(16_000);
  if (script.methods().slice(asked).includes('reqTickByTickData')) return 'asks again';
  return isTold ? 'notice' : 'nothing';
}

const LOST = 'fails SLUICE_CONNECTION_LOST';
const RETRY = 'asks again';

describe('the table of codes', () => {
  it('has one row for each code', () => {
    const codes = GATEWAY_CODES.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual([...codes].sort((a, b) => a - b));
  });

  // As an error of a request, and as one of the connection.
  const expected: readonly (readonly [number, Outcome, Outcome])[] = [
    [100, 'notice', 'notice'],
    [101, 'refuses SLUICE_QUOTA_EXCEEDED', 'notice'],
    [102, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [162, RETRY, 'notice'],
    [165, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [166, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [200, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [300, 'nothing', 'nothing'],
    [309, 'refuses SLUICE_QUOTA_EXCEEDED', 'notice'],
    [310, 'nothing', 'nothing'],
    [317, 'nothing', 'nothing'],
    [320, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [321, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [322, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [326, 'fails SLUICE_QUOTA_EXCEEDED', 'fails SLUICE_QUOTA_EXCEEDED'],
    [354, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [366, 'nothing', 'nothing'],
    [386, 'refuses SLUICE_UNKNOWN_INSTRUMENT for good', 'notice'],
    [420, RETRY, 'notice'],
    [430, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [460, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [501, 'nothing', 'nothing'],
    [502, LOST, LOST],
    [503, `${LOST} for good`, `${LOST} for good`],
    [504, LOST, LOST],
    [505, 'unreadable', 'unreadable'],
    [506, `${LOST} for good`, `${LOST} for good`],
    [507, LOST, LOST],
    [508, 'unreadable', 'unreadable'],
    [509, LOST, LOST],
    [1100, 'notice', 'notice'],
    [1101, RETRY, RETRY],
    [1102, 'notice', 'notice'],
    [1300, LOST, LOST],
    [2103, 'notice', 'notice'],
    [2104, 'nothing', 'nothing'],
    [2105, 'notice', 'notice'],
    [2106, 'nothing', 'nothing'],
    [2107, 'nothing', 'nothing'],
    [2108, 'nothing', 'nothing'],
    [2110, 'notice', 'notice'],
    [2119, 'nothing', 'nothing'],
    [2157, 'notice', 'notice'],
    [2158, 'nothing', 'nothing'],
    [10089, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [10090, 'notice', 'notice'],
    [10091, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [10167, 'notice', 'notice'],
    [10168, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [10186, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
    [10187, 'refuses SLUICE_QUOTA_EXCEEDED', 'notice'],
    [10189, RETRY, 'notice'],
    [10190, RETRY, 'notice'],
    [10197, 'fails SLUICE_QUOTA_EXCEEDED', 'fails SLUICE_QUOTA_EXCEEDED'],
    [10225, RETRY, 'notice'],
    [10276, 'refuses SLUICE_NOT_ENTITLED for good', 'notice'],
  ];

  it.each(expected)('%i', (code, ofRequest, ofConnection) => {
    expect(outcomeOf(code, true)).toBe(ofRequest);
    expect(outcomeOf(code, false)).toBe(ofConnection);
  });

  it('is tested row by row', () => {
    expect(expected.map(([code]) => code)).toEqual(GATEWAY_CODES.map(({ code }) => code));
  });

  it('takes codes that are not listed for warnings where they say so, and else for a refusal that may be tried again', () => {
    expect(outcomeOf(2170, true)).toBe('notice');
    expect(outcomeOf(399, true, 'Warning: your order will be held')).toBe('notice');
    expect(outcomeOf(9_999, true)).toBe('refuses SLUICE_CONNECTION_LOST');
    expect(codeRow(9_999, WORDS)).toBeUndefined();
  });
});

it.each([
  ['Historical Market Data Service error message:Historical data request pacing violation', 'pacing'],
  ['Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades', 'empty'],
  ['Historical Market Data Service error message:API historical data query cancelled: 7', 'cancelled'],
  ['Historical Market Data Service error message:No market data permissions for NYSE STK', 'entitlement'],
  ['Historical Market Data Service error message:HMDS server disconnect occurred.', 'failed'],
  ['', 'failed'],
])('reads %j of code 162 as %s', (text, verdict) => {
  expect(historyVerdict(text)).toBe(verdict);
});

it('finds the new port in the words of 1300', () => {
  expect(
    portOf(
      'TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - 4002',
    ),
  ).toBe(4002);
  expect(portOf('The port has been reset')).toBeUndefined();
  expect(portOf('new port: 99999')).toBeUndefined();
});
