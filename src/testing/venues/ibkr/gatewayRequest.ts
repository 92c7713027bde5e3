/** A contract as a client asks for it. */
export interface AskedContract {
  readonly conId: number;
  readonly symbol: string;
  readonly secType: string;
  readonly lastTradeDate: string;
  readonly strike: number;
  readonly right: string;
  readonly exchange: string;
  readonly primaryExch: string;
  readonly currency: string;
  readonly localSymbol: string;
}

/** What a client of the gateway asks for. */
export type GatewayRequest =
  | { readonly is: 'start'; readonly clientId: number }
  | { readonly is: 'ids' | 'time' | 'newsProviders' | 'other' }
  | { readonly is: 'dataType'; readonly type: number }
  | { readonly is: 'cancel'; readonly id: number }
  | ContractRequest;

/** A request about a contract. */
export interface ContractRequest {
  readonly is: 'details' | 'marketData' | 'history' | 'bars' | 'ticks' | 'pastTicks' | 'fundamentals' | 'news' | 'head';
  readonly id: number;
  readonly contract: AskedContract;
  /** What follows the contract, as the client has sent it. */
  readonly args: readonly string[];
}

const CONTRACT_FIELDS = 12;

/** Requests about a contract by the number of their message: what they are, and how many fields stand before the id. */
const CONTRACT_REQUESTS: Readonly<Record<string, readonly [ContractRequest['is'], number]>> = {
  1: ['marketData', 2],
  9: ['details', 2],
  20: ['history', 1],
  50: ['bars', 2],
  87: ['head', 1],
  96: ['pastTicks', 1],
  97: ['ticks', 1],
};

/** Cancellations: how many fields stand before the id. */
const CANCELLATIONS: Readonly<Record<string, number>> = { 2: 2, 25: 2, 51: 2, 53: 2, 98: 1 };

/** Reads a message of a client, of server version 176. */
export function readRequest(fields: readonly string[]): GatewayRequest {
  const [message = '', first = '', second = ''] = fields;
  const cancelled = CANCELLATIONS[message];
  if (cancelled !== undefined) return { is: 'cancel', id: Number(fields[cancelled]) };
  const [is, at = 0] = CONTRACT_REQUESTS[message] ?? [];
  if (is) {
    const args = fields.slice(at + 1 + CONTRACT_FIELDS);
    return { is, id: Number(fields[at]), contract: contractOf(fields.slice(at + 1)), args };
  }
  if (message === '52') return fundamentals(fields);
  if (message === '86') {
    return {
      is: 'news',
      id: Number(first),
      contract: { ...contractOf([]), conId: Number(second) },
      args: fields.slice(3),
    };
  }
  if (message === '71') return { is: 'start', clientId: Number(second) };
  if (message === '59') return { is: 'dataType', type: Number(second) };
  if (message === '49') return { is: 'time' };
  if (message === '8') return { is: 'ids' };
  return { is: message === '85' ? 'newsProviders' : 'other' };
}

function contractOf(fields: readonly string[]): AskedContract {
  const [conId, symbol = '', secType = '', lastTradeDate = '', strike, right = '', , exchange = '', ...rest] = fields;
  const [primaryExch = '', currency = '', localSymbol = ''] = rest;
  const numbers = { conId: Number(conId || 0), strike: Number(strike || 0) };
  return { ...numbers, symbol, secType, lastTradeDate, right, exchange, primaryExch, currency, localSymbol };
}

function fundamentals([
  ,
  ,
  id,
  conId,
  symbol,
  secType,
  exchange,
  primaryExch,
  currency,
  localSymbol,
  ...args
]: readonly string[]) {
  const before = [conId, symbol, secType, '', '', '', '', exchange, primaryExch, currency, localSymbol].map(
    (one) => one ?? '',
  );
  return { is: 'fundamentals', id: Number(id), contract: contractOf(before), args } as const;
}
