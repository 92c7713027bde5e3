import { ConnectionLost, type ProviderError, UnknownInstrument } from '../providerErrors.js';
import { contractOf, describeContract, type IbkrContract, type KnownContract, SYMBOL_SYNTAX } from './contracts.js';
import { NAME } from './gatewayErrors.js';
import { calendarDateOf } from './times.js';

/** What is known of a symbol. */
export type Entry =
  | { readonly is: 'known'; readonly contract: KnownContract }
  | { readonly is: 'refused'; readonly error: ProviderError }
  | { readonly is: 'asked'; readonly id: number; readonly contract: IbkrContract; readonly found: KnownContract[] };

/** More candidates are not named in a message. */
const MAX_NAMED = 5;
/** More are not kept: an option chain has thousands. */
const MAX_CANDIDATES = 50;

/**
 * The contracts of a connection: what users write, what TWS knows of it, and which lookups are under way. Each symbol is looked up
 * once.
 */
export class ContractBook {
  readonly #given: Readonly<Record<string, IbkrContract>>;
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Map<number, string>();

  constructor(given: Readonly<Record<string, IbkrContract>> = {}) {
    this.#given = given;
  }

  get(symbol: string): Entry | undefined {
    return this.#entries.get(symbol);
  }

  /** What to ask for, in the names of IBKR; `undefined` for a symbol that cannot be one. */
  contractOf(symbol: string): IbkrContract | undefined {
    return Object.hasOwn(this.#given, symbol) ? this.#given[symbol] : contractOf(symbol);
  }

  /** A symbol that cannot be one is refused at once. */
  refuse(symbol: string): ProviderError {
    const error = new UnknownInstrument(
      NAME,
      `${JSON.stringify(symbol)} is no symbol; expected one such as ${SYMBOL_SYNTAX}`,
    );
    this.#entries.set(symbol, { is: 'refused', error });
    return error;
  }

  ask(symbol: string, contract: IbkrContract, id: number): void {
    this.#entries.set(symbol, { is: 'asked', id, contract, found: [] });
    this.#asked.set(id, symbol);
  }

  /** Which symbol a lookup is for. */
  symbolOf(id: number): string | undefined {
    return this.#asked.get(id);
  }

  /** Lookups under way: the ids. */
  get asked(): readonly number[] {
    return [...this.#asked.keys()];
  }

  /** An answer. Returns false if it makes no sense. */
  found(id: number, details: unknown): boolean {
    const entry = this.#entries.get(this.#asked.get(id) ?? '');
    if (entry?.is !== 'asked') return true;
    const known = knownContractOf(details, entry.contract);
    if (!known) return false;
    // One contract may come once for each of its exchanges.
    const isNew = entry.found.length < MAX_CANDIDATES && !entry.found.some(({ conId }) => conId === known.conId);
    if (isNew) entry.found.push(known);
    return true;
  }

  /** All answers are there: the contract, or why there is not just one. */
  settle(id: number): { readonly symbol: string; readonly entry: Entry } | undefined {
    const symbol = this.#asked.get(id);
    const asked = symbol === undefined ? undefined : this.#entries.get(symbol);
    if (symbol === undefined || asked?.is !== 'asked') return undefined;
    const [only, ...others] = asked.found;
    const entry: Entry =
      only && others.length === 0
        ? { is: 'known', contract: only }
        : { is: 'refused', error: only ? ambiguous(symbol, asked.found) : missing(symbol, asked.contract) };
    this.#asked.delete(id);
    this.#entries.set(symbol, entry);
    return { symbol, entry };
  }

  /** The lookup failed: the symbol is asked again when it is wanted again, unless the error is final. */
  fail(id: number, error: ProviderError): string | undefined {
    const symbol = this.#asked.get(id);
    if (symbol === undefined) return undefined;
    this.#asked.delete(id);
    if (error.retryable) this.#entries.delete(symbol);
    else this.#entries.set(symbol, { is: 'refused', error });
    return symbol;
  }
}

function ambiguous(symbol: string, found: readonly KnownContract[]): ProviderError {
  const named = found.slice(0, MAX_NAMED).map(({ request }) => describeContract(request));
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : '';
  const count = found.length === MAX_CANDIDATES ? `${MAX_CANDIDATES} or more` : found.length;
  return new UnknownInstrument(
    NAME,
    `${symbol} is ${count} contracts: ${named.join(', ')}${more}; name one by its id, such as #${found[0]!.conId}`,
  );
}

/** TWS says 200 where there is no such contract: an answer without one is an answer that was damaged. */
function missing(symbol: string, contract: IbkrContract): ProviderError {
  return new ConnectionLost(
    NAME,
    `TWS answered the lookup of ${symbol} without a contract (${describeContract(contract)})`,
  );
}

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What TWS says of a contract; `undefined` if it makes no sense. `asked` has the exchange at which data are wanted. */
export function knownContractOf(details: unknown, asked: IbkrContract): KnownContract | undefined {
  if (!isObject(details) || !isObject(details.contract)) return undefined;
  const { conId, symbol, secType, exchange, currency, strike, right, primaryExch, localSymbol, ...rest } =
    details.contract;
  if (!Number.isSafeInteger(conId) || (conId as number) <= 0 || text(symbol) === '') return undefined;
  const lastDay = text(rest.lastTradeDateOrContractMonth) || text(rest.lastTradeDate);
  const isOption = right === 'C' || right === 'P';
  const expiry = isOption ? calendarDateOf(lastDay) : undefined;
  if (isOption && (expiry === undefined || !(typeof strike === 'number' && strike > 0))) return undefined;
  const primary = text(primaryExch);
  const request = {
    conId: conId as number,
    symbol: symbol as string,
    secType: text(secType) as NonNullable<IbkrContract['secType']>,
    exchange: asked.exchange || text(exchange) || 'SMART',
    ...(primary !== '' && { primaryExch: primary }),
    currency: text(currency),
    ...(text(localSymbol) !== '' && { localSymbol: localSymbol as string }),
    ...(lastDay !== '' && { lastTradeDateOrContractMonth: lastDay }),
    ...(isOption && { strike: strike as number, right: right as 'C' | 'P' }),
    ...(asked.includeExpired && { includeExpired: true }),
  };
  return {
    request,
    conId: request.conId,
    symbol: request.symbol,
    secType: request.secType,
    currency: request.currency,
    option: isOption ? { expiry: expiry!, optionType: right, strike: strike as number } : undefined,
    zone: text(details.timeZoneId),
    tradingHours: text(details.tradingHours),
  };
}
