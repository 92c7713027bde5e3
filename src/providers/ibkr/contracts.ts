/** The kinds of contracts, by IBKR's codes. */
export type SecurityType =
  | 'STK'
  | 'OPT'
  | 'FUT'
  | 'CONTFUT'
  | 'FOP'
  | 'CASH'
  | 'IND'
  | 'CRYPTO'
  | 'CFD'
  | 'CMDTY'
  | 'BOND'
  | 'FUND'
  | 'WAR';

/** What is asked for: as much of a contract as makes it one, in the names of IBKR. */
export interface IbkrContract {
  readonly conId?: number;
  readonly symbol?: string;
  readonly secType?: SecurityType;
  /** Of futures and options: `20260116`, or the month `202601`. */
  readonly lastTradeDateOrContractMonth?: string;
  readonly strike?: number;
  readonly right?: 'C' | 'P';
  readonly multiplier?: number;
  readonly exchange?: string;
  /** The exchange of the listing, where several companies share a symbol. */
  readonly primaryExch?: string;
  readonly currency?: string;
  readonly localSymbol?: string;
  readonly tradingClass?: string;
  readonly includeExpired?: boolean;
}

const TYPES = 'STK|FUT|CONTFUT|CASH|IND|CRYPTO|CFD|CMDTY|FUND';
/** `AAPL STK SMART/NASDAQ USD`, `ESZ6 FUT CME`, `EUR.USD CASH IDEALPRO`. */
const EXPLICIT = new RegExp(`^(\\S.*?) (${TYPES})(?: ([A-Z0-9.]{2,16})(?:/([A-Z0-9.]{2,16}))?)?(?: ([A-Z]{3}))?$`);
/** `AAPL 20260116 C 150`, perhaps with an exchange and a currency. */
const OPTION = /^(\S.*?) (\d{8}) ([CP]) (\d{1,9}(?:\.\d{1,6})?)(?: ([A-Z0-9.]{2,16}))?(?: ([A-Z]{3}))?$/;
const BY_ID = /^#(\d{1,12})(?: ([A-Z0-9.]{2,16}))?$/;
const PAIR = /^([A-Z0-9]{2,10})\.([A-Z0-9]{3,5})$/;

/** The words of the symbol syntax, for messages. */
export const SYMBOL_SYNTAX =
  'AAPL, AAPL STK SMART/NASDAQ USD, ESZ6 FUT CME, EUR.USD CASH IDEALPRO, AAPL 20260116 C 150, #265598, or a name of the option contracts';

/**
 * The contract of a symbol as users write it; `undefined` if it cannot be one.
 *
 * - `AAPL`: a stock at SMART in US dollars. Blanks are part of a symbol: `BRK B`.
 * - `AAPL STK SMART/NASDAQ USD`: symbol, type, exchange, exchange of the listing, currency; from the exchange on each may be left out.
 * - `ESZ6 FUT CME`: a future by its local symbol.
 * - `EUR.USD CASH IDEALPRO`, `BTC.USD CRYPTO PAXOS`: a pair.
 * - `AAPL 20260116 C 150`: an option on a stock: last trading day, call or put, strike.
 * - `#265598`: by the contract id, at SMART unless an exchange follows.
 */
export function contractOf(symbol: string): IbkrContract | undefined {
  if (symbol === '' || symbol === '*' || symbol !== symbol.trim() || symbol.length > 128) return undefined;
  const [, id, idExchange = 'SMART'] = BY_ID.exec(symbol) ?? [];
  if (id !== undefined) return { conId: Number(id), exchange: idExchange };
  const option = OPTION.exec(symbol);
  if (option) {
    const [, underlying, day, right, strike, exchange = 'SMART', currency = 'USD'] = option;
    return {
      symbol: underlying!,
      secType: 'OPT',
      lastTradeDateOrContractMonth: day!,
      strike: Number(strike),
      right: right as 'C' | 'P',
      exchange,
      currency,
    };
  }
  const explicit = EXPLICIT.exec(symbol);
  return explicit ? explicitContract(explicit) : { symbol, secType: 'STK', exchange: 'SMART', currency: 'USD' };
}

function explicitContract([, name = '', type, exchange, primaryExch, currency]: RegExpExecArray):
  | IbkrContract
  | undefined {
  const secType = type as SecurityType;
  if (secType === 'CASH' || secType === 'CRYPTO' || secType === 'CMDTY') {
    const [, base, quote] = PAIR.exec(name) ?? [];
    // Metals are quoted in dollars, and have a name of their own: XAUUSD.
    if (base === undefined && secType !== 'CMDTY') return undefined;
    const venue = exchange ?? (secType === 'CASH' ? 'IDEALPRO' : secType === 'CRYPTO' ? 'PAXOS' : 'SMART');
    return { symbol: base ?? name, secType, exchange: venue, currency: quote ?? currency ?? 'USD' };
  }
  if (secType === 'FUT') {
    if (exchange === undefined) return undefined;
    return { localSymbol: name, secType, exchange, ...(currency !== undefined && { currency }) };
  }
  return {
    symbol: name,
    secType,
    exchange: exchange ?? 'SMART',
    ...(primaryExch !== undefined && { primaryExch }),
    currency: currency ?? 'USD',
  };
}

/** A contract that TWS has confirmed: one and no other. */
export interface KnownContract {
  /** What requests send. */
  readonly request: IbkrContract;
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly currency: string;
  /** Of options; `undefined` for other contracts. */
  readonly option: { readonly expiry: string; readonly optionType: 'C' | 'P'; readonly strike: number } | undefined;
  /** The zone of its local times, as TWS names it; empty where TWS does not say. */
  readonly zone: string;
  readonly tradingHours: string;
}

/** What two contracts must share to be one for a request. */
export function describeContract(contract: IbkrContract): string {
  const { conId, symbol, localSymbol, secType, exchange, primaryExch, currency } = contract;
  const day = contract.lastTradeDateOrContractMonth;
  const words = [
    localSymbol || symbol,
    secType,
    day && contract.right ? `${day} ${contract.right} ${contract.strike}` : day,
    primaryExch && primaryExch !== exchange ? `${exchange}/${primaryExch}` : exchange,
    currency,
  ];
  const text = words.filter((word) => word !== undefined && word !== '').join(' ');
  return conId === undefined ? text : `${text} (#${conId})`.trim();
}
