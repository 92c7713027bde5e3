import { expect, it } from 'vitest';
import { ContractBook } from './contractBook.js';
import { contractOf } from './contracts.js';

it.each([
  ['AAPL', { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' }],
  ['BRK B', { symbol: 'BRK B', secType: 'STK', exchange: 'SMART', currency: 'USD' }],
  ['AAPL STK', { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' }],
  ['BRK B STK NYSE', { symbol: 'BRK B', secType: 'STK', exchange: 'NYSE', currency: 'USD' }],
  [
    'AAPL STK SMART/NASDAQ USD',
    { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', primaryExch: 'NASDAQ', currency: 'USD' },
  ],
  ['VOD STK LSE GBP', { symbol: 'VOD', secType: 'STK', exchange: 'LSE', currency: 'GBP' }],
  ['ESZ6 FUT CME', { localSymbol: 'ESZ6', secType: 'FUT', exchange: 'CME' }],
  ['EUR.USD CASH IDEALPRO', { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' }],
  ['EUR.USD CASH', { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' }],
  ['BTC.USD CRYPTO', { symbol: 'BTC', secType: 'CRYPTO', exchange: 'PAXOS', currency: 'USD' }],
  ['XAUUSD CMDTY', { symbol: 'XAUUSD', secType: 'CMDTY', exchange: 'SMART', currency: 'USD' }],
  ['SPX IND CBOE', { symbol: 'SPX', secType: 'IND', exchange: 'CBOE', currency: 'USD' }],
  [
    'AAPL 20260116 C 152.5',
    {
      symbol: 'AAPL',
      secType: 'OPT',
      lastTradeDateOrContractMonth: '20260116',
      strike: 152.5,
      right: 'C',
      exchange: 'SMART',
      currency: 'USD',
    },
  ],
  ['#265598', { conId: 265_598, exchange: 'SMART' }],
  ['#495512557 CME', { conId: 495_512_557, exchange: 'CME' }],
])('reads %j', (symbol, contract) => {
  expect(contractOf(symbol)).toEqual(contract);
});

it.each(['', '*', ' AAPL', 'AAPL ', 'ESZ6 FUT', 'EURUSD CASH', 'A'.repeat(129)])('refuses %j', (symbol) => {
  expect(contractOf(symbol)).toBeUndefined();
});

it('prefers contracts of the config, whatever they are called', () => {
  const book = new ContractBook({
    AAPL: { conId: 1 },
    'my future': { localSymbol: 'ESZ6', secType: 'FUT', exchange: 'CME' },
  });
  expect(book.contractOf('AAPL')).toEqual({ conId: 1 });
  expect(book.contractOf('my future')).toMatchObject({ localSymbol: 'ESZ6' });
  expect(book.contractOf('toString')).toMatchObject({ symbol: 'toString' });
});
