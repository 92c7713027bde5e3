import type { RecordKind } from '../market/recordKinds.js';
import { messageOf } from '../primitives/messageOf.js';
import { nearestName } from '../primitives/nearestName.js';
import { printable } from '../primitives/printable.js';
import type { Provider } from './provider.js';
import type { ProviderStreamConfig } from './streamConfig.js';

/** A variable of the environment that a provider is configured by. */
export interface ProviderVariable {
  readonly name: string;
  /** Another name for it, which is read where it is not set. */
  readonly alias?: string;
  /** What it is, for humans. */
  readonly meaning: string;
  readonly isRequired: boolean;
  /** Whether it is a key, which no output shows. */
  readonly isSecret: boolean;
}

/** How a provider of the registry is made. */
export interface ProviderChoice {
  /** In place of the vendor's own address, such as that of a fake. */
  readonly url?: string;
  /** The values of its variables by their names. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Whether it plays a capture, for which it needs no key. */
  readonly isReplay?: boolean;
  /** What its stream is told. */
  readonly stream?: ProviderStreamConfig;
}

/** What the registry says of a provider before it is loaded. */
export interface ProviderEntry {
  readonly name: string;
  /** Other names for it. */
  readonly aliases: readonly string[];
  /** In a sentence without its end. */
  readonly summary: string;
  readonly kinds: readonly RecordKind[];
  /** The vendor's own address. */
  readonly url: string;
  /** A symbol as the vendor spells it. */
  readonly exampleSymbol: string;
  readonly variables: readonly ProviderVariable[];
  /** Loads and makes it. Rejects with a {@link ProviderChoiceError} that says what is missing. */
  create(choice?: ProviderChoice): Promise<Provider>;
}

/** The provider cannot be made as it was asked for; nothing was connected. */
export class ProviderChoiceError extends Error {
  override readonly name = 'ProviderChoiceError';
  readonly code = 'SLUICE_PROVIDER_CHOICE';

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

export function isProviderChoiceError(error: unknown): error is ProviderChoiceError {
  const code: ProviderChoiceError['code'] = 'SLUICE_PROVIDER_CHOICE';
  return error instanceof Error && (error as { code?: unknown }).code === code;
}

type Values = Readonly<Record<string, string>>;
type About = Omit<ProviderEntry, 'create'>;
type Make = (values: Values, config: ProviderStreamConfig & { readonly url?: string }) => Promise<Provider>;

/** All that providers require are keys. */
const required = (name: string, meaning: string, alias?: string): ProviderVariable => {
  return { name, meaning, isRequired: true, isSecret: true, ...(alias !== undefined && { alias }) };
};
const optional = (name: string, meaning: string): ProviderVariable => ({
  ...{ name, meaning, isRequired: false, isSecret: false },
});

/**
 * The providers that come with the package, by name. What one of them needs, its code and its packages, is loaded when it is made.
 *
 * @example
 * ```ts
 * import { findProvider } from 'sluice/providers';
 *
 * const provider = await findProvider('coinbase').entry.create();
 * provider.stream({ kinds: ['trade'], symbols: ['BTC-USD'] }).subscribe((record) => console.log(record));
 * ```
 */
export const PROVIDERS: readonly ProviderEntry[] = [
  entry(
    {
      name: 'massive',
      aliases: ['polygon'],
      summary: 'US stocks, options, indices, forex and crypto of Massive (formerly Polygon.io)',
      kinds: ['bar', 'trade', 'quote'],
      url: 'wss://socket.massive.com',
      exampleSymbol: 'AAPL',
      variables: [
        required('MASSIVE_API_KEY', 'the key of the account', 'POLYGON_API_KEY'),
        optional(
          'MASSIVE_MARKET',
          'stocks, options, indices, forex, crypto or futures (that of the address, else stocks)',
        ),
        optional('MASSIVE_DELAYED', 'true for the stream that is 15 minutes late (false)'),
      ],
    },
    async (values, config) => {
      const { massive } = await import('./massive/index.js');
      const { MARKET_NAMES } = await import('./massive/markets.js');
      const { MASSIVE_API_KEY: key = '' } = values;
      const market = oneOfVariable(values, 'MASSIVE_MARKET', 'market', MARKET_NAMES);
      return massive({ ...config, key, ...market, ...booleanOf(values, 'MASSIVE_DELAYED', 'delayed') });
    },
  ),
  entry(
    {
      name: 'ibkr',
      aliases: [],
      summary: 'Interactive Brokers, by way of TWS or IB Gateway on this machine',
      kinds: ['bar', 'trade', 'quote', 'option', 'news', 'fundamental'],
      url: 'tcp://127.0.0.1:7497',
      exampleSymbol: 'AAPL',
      variables: [
        optional('IBKR_HOST', 'where TWS or IB Gateway listens (127.0.0.1)'),
        optional('IBKR_PORT', 'its port (7497)'),
        optional('IBKR_CLIENT_ID', 'a number that no other program uses there (1)'),
        optional('IBKR_MARKET_DATA_TYPE', 'live, frozen, delayed or delayed-frozen (live)'),
      ],
    },
    async (values, config) => {
      const { ibkr } = await import('./ibkr/index.js');
      const { MARKET_DATA_TYPES } = await import('./ibkr/config.js');
      return ibkr({
        ...config,
        ...(values.IBKR_HOST !== undefined && { host: values.IBKR_HOST }),
        ...integerOf(values, 'IBKR_PORT', 'port'),
        ...integerOf(values, 'IBKR_CLIENT_ID', 'clientId'),
        ...oneOfVariable(values, 'IBKR_MARKET_DATA_TYPE', 'marketDataType', MARKET_DATA_TYPES),
      });
    },
  ),
  entry(
    {
      name: 'binance',
      aliases: [],
      summary: 'spot markets of Binance, without a key',
      kinds: ['bar', 'trade', 'quote'],
      url: 'wss://data-stream.binance.vision',
      exampleSymbol: 'BTCUSDT',
      variables: [],
    },
    async (_, config) => (await import('./binance/index.js')).binance(config),
  ),
  entry(
    {
      name: 'coinbase',
      aliases: [],
      summary: 'markets of Coinbase Advanced Trade, without a key',
      kinds: ['bar', 'trade', 'quote'],
      url: 'wss://advanced-trade-ws.coinbase.com',
      exampleSymbol: 'BTC-USD',
      variables: [],
    },
    async (_, config) => (await import('./coinbase/index.js')).coinbase(config),
  ),
  entry(
    {
      name: 'alpaca',
      aliases: [],
      summary: 'US stocks and crypto of Alpaca',
      kinds: ['bar', 'trade', 'quote'],
      url: 'wss://stream.data.alpaca.markets',
      exampleSymbol: 'AAPL',
      variables: [
        required('ALPACA_KEY_ID', 'the key of the account', 'APCA_API_KEY_ID'),
        required('ALPACA_SECRET_KEY', 'its secret', 'APCA_API_SECRET_KEY'),
        optional('ALPACA_FEED', 'iex, sip, delayed_sip, boats, overnight, crypto or test (iex)'),
      ],
    },
    async (values, config) => {
      const { alpaca } = await import('./alpaca/index.js');
      const { FEEDS } = await import('./alpaca/channels.js');
      const { ALPACA_KEY_ID: key = '', ALPACA_SECRET_KEY: secret = '' } = values;
      return alpaca({ ...config, key, secret, ...oneOfVariable(values, 'ALPACA_FEED', 'feed', FEEDS) });
    },
  ),
];

/** The provider of a name. Throws a {@link ProviderChoiceError}; `notice` says of an alias what it stands for. */
export function findProvider(name: string): { readonly entry: ProviderEntry; readonly notice?: string } {
  const exact = PROVIDERS.find((one) => one.name === name);
  if (exact) return { entry: exact };
  const aliased = PROVIDERS.find(({ aliases }) => aliases.includes(name));
  if (aliased) return { entry: aliased, notice: `${name} is another name for the provider ${aliased.name}` };
  const names = PROVIDERS.flatMap((one) => [one.name, ...one.aliases]);
  const near = nearestName(name.slice(0, 60), names);
  const remedy = near === undefined ? '' : `did you mean ${near}? `;
  throw new ProviderChoiceError(
    `there is no provider ${JSON.stringify(name.slice(0, 60))} (${remedy}expected one of: ${names.join(', ')})`,
  );
}

function entry(about: About, make: Make): ProviderEntry {
  return {
    ...about,
    async create({ url, variables = {}, isReplay = false, stream = {} } = {}) {
      const values: Record<string, string> = {};
      const missing: string[] = [];
      for (const { name, isRequired, meaning } of about.variables) {
        const value = variables[name] || (isReplay && isRequired ? 'replay' : undefined);
        if (value !== undefined) values[name] = value;
        else if (isRequired) missing.push(`${name} (${meaning})`);
      }
      if (missing.length > 0) {
        const words = missing.join(' and ');
        throw new ProviderChoiceError(`${about.name} needs ${words}: set it in the environment or in .env`);
      }
      try {
        return await make(values, { ...stream, ...(url !== undefined && { url }) });
      } catch (error) {
        if (!isMissingPackage(error) && !(error instanceof RangeError)) throw error;
        throw new ProviderChoiceError(messageOf(error), { cause: error });
      }
    },
  };
}

function isMissingPackage(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
}

function integerOf(values: Values, variable: string, option: string): Readonly<Record<string, number>> {
  const text = values[variable];
  if (text === undefined) return {};
  const value = Number(text);
  if (/^\d{1,10}$/.test(text)) return { [option]: value };
  throw new ProviderChoiceError(`${variable} must be an integer, got ${JSON.stringify(text.slice(0, 40))}`);
}

function oneOfVariable<K extends string, V extends string>(
  values: Values,
  variable: string,
  option: K,
  known: readonly V[],
): { readonly [_ in K]?: V } {
  const text = values[variable];
  if (text === undefined) return {};
  const value = known.find((one) => one === text);
  if (value !== undefined) return { [option]: value } as { readonly [_ in K]?: V };
  const got = JSON.stringify(text.slice(0, 40));
  throw new ProviderChoiceError(`${variable} must be one of ${known.join(', ')}, got ${got}`);
}

function booleanOf(values: Values, variable: string, option: string): Readonly<Record<string, boolean>> {
  const read = oneOfVariable(values, variable, 'text', ['true', 'false']);
  return read.text === undefined ? {} : { [option]: read.text === 'true' };
}
