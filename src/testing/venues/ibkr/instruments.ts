import { hashKey } from '../../../primitives/hashKey.js';
import type { AskedContract } from './gatewayRequest.js';
import type { WireField } from './wire.js';

/** A contract that the gateway knows. */
export interface Instrument extends AskedContract {
  /** The names under which records of it are published: as users of the provider write it. */
  readonly names: ReadonlySet<string>;
}

/** A gateway that knows every contract that it is asked for. Each has one id, whoever asks. */
export class Instruments {
  readonly #byId = new Map<number, Instrument>();

  /** The instrument of a request; `undefined` if its id is not known. */
  find(asked: AskedContract): Instrument | undefined {
    const known = this.#byId.get(asked.conId);
    if (known || asked.conId > 0)
      return known ?? this.#add({ ...asked, symbol: asked.symbol || `ID${asked.conId}` }, asked.conId);
    const symbol = asked.symbol || asked.localSymbol.replace(/[FGHJKMNQUVXZ]\d{1,2}$/, '');
    const completed = { ...asked, symbol, exchange: asked.exchange || 'SMART', currency: asked.currency || 'USD' };
    return this.#add(completed, idOf(completed));
  }

  #add(asked: AskedContract, conId: number): Instrument {
    const known = this.#byId.get(conId);
    if (known) return known;
    const instrument = { ...asked, conId, secType: asked.secType || 'STK', names: new Set<string>() };
    for (const name of namesOf(instrument)) instrument.names.add(name);
    this.#byId.set(conId, instrument);
    return instrument;
  }
}

function idOf({ symbol, secType, lastTradeDate, strike, right, currency, localSymbol }: AskedContract): number {
  return (
    1 + (hashKey([symbol, secType, lastTradeDate, strike, right, currency, localSymbol].join('\u0000')) % 1_000_000_000)
  );
}

function namesOf({
  symbol,
  secType,
  exchange,
  currency,
  localSymbol,
  lastTradeDate,
  right,
  strike,
  conId,
}: Instrument): string[] {
  const byId = `#${conId}`;
  if (secType === 'STK')
    return [symbol, byId, `${symbol} STK`, `${symbol} STK ${exchange}`, `${symbol} STK ${exchange} ${currency}`];
  if (secType === 'OPT') return [`${symbol} ${lastTradeDate} ${right} ${strike}`, byId];
  const name = secType === 'CASH' || secType === 'CRYPTO' ? `${symbol}.${currency}` : localSymbol || symbol;
  return [`${name} ${secType}`, `${name} ${secType} ${exchange}`, byId];
}

/** The message of a contract's details, of server version 176. `copy` tells several of one symbol apart. */
export function detailsMessage(id: number, instrument: Instrument, copy = 0): readonly WireField[] {
  const { symbol, secType, lastTradeDate, strike, right, currency, localSymbol, conId } = instrument;
  const exchange = instrument.exchange || 'SMART';
  const isEastern = currency === 'USD' && secType !== 'CRYPTO';
  const zone = isEastern ? 'US/Eastern' : 'UTC';
  const listed = copy === 0 ? instrument.primaryExch || 'NASDAQ' : `VENUE${copy}`;
  const head = [10, id, symbol, secType, lastTradeDate, strike, right, exchange, currency, localSymbol || symbol];
  const market = [symbol, symbol, conId + copy, 0.01, secType === 'OPT' ? 100 : '', 'LMT,MKT', `SMART,${listed}`, 1, 0];
  const texts = [`${symbol} of a fake gateway`, listed, lastTradeDate.slice(0, 6), '', '', '', zone, '', '', '', ''];
  return [
    ...head,
    ...market,
    ...texts,
    0,
    1,
    '',
    '',
    '26',
    lastTradeDate,
    secType === 'STK' ? 'COMMON' : '',
    1,
    1,
    100,
  ];
}
