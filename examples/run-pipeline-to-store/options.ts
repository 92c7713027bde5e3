import { Command, InvalidArgumentError, Option } from 'commander';
import type { RouterStrategy } from 'sluice/providers';
import { addFileOptions, type FileOptions, OF_FILES } from './fileOptions.js';

/** What a provider of the outside world is asked for. */
export interface LiveOptions {
  /** One, or several with commas between them, the preferred one first. */
  readonly provider: string;
  readonly url?: string;
  readonly strategy?: RouterStrategy;
  readonly as?: string;
  readonly failBackAfter?: number;
  /** Whether gaps are repaired from the history of the providers. */
  readonly backfill: boolean;
  readonly symbols?: readonly string[];
  readonly kinds?: readonly string[];
  readonly timeframe?: string;
  readonly staleAfter?: number;
  readonly capture?: string;
  readonly replay?: string;
  readonly speed: number | 'max';
}

export interface Options extends Omit<LiveOptions, 'symbols'>, FileOptions {
  readonly count: number;
  /** How many the generated bars are of, or the names that a provider is asked for. */
  readonly symbols?: number | readonly string[];
  readonly for?: number;
  readonly seed: number;
  readonly revisions: number;
  readonly duplicates: number;
  readonly rate: number;
  readonly workers?: number;
  readonly batchSize?: number;
  readonly capacity?: number;
  readonly databaseUrl?: string;
  readonly folder: string;
  readonly deadLetters?: string;
  readonly metrics: boolean;
  readonly verbose: boolean;
}

function integer(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`It must be an integer ${range}.`);
    }
    return value;
  };
}

function names(text: string): readonly string[] {
  const all = text.split(',').map((name) => name.trim());
  if (all.includes('')) throw new InvalidArgumentError('It must be names with commas between them.');
  return all;
}

/** A number for generated bars, names for a provider: what it is, the provider decides. */
function symbols(text: string): number | readonly string[] {
  return /^\d+$/.test(text) ? integer(1)(text) : names(text);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const MAX_TIMER_MS = 2 ** 31 - 1;

function span(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS_MS[unit] ?? Number.NaN);
  if (!(ms > 0 && ms <= MAX_TIMER_MS)) {
    throw new InvalidArgumentError('It must be a time with its unit, such as 60s, 15m or 2h.');
  }
  return ms;
}

function speed(text: string): number | 'max' {
  const value = text === 'max' ? text : Number(text);
  if (value !== 'max' && !(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError('It must be a number above 0, or max.');
  }
  return value;
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be from 0 to 1.');
  return value;
}

/**
 * Reads the options of the program. Prints help, or what is wrong with an option, and ends the process then: with 2 for what
 * is wrong, as for wrong settings. It answers at once, because it loads nothing else of the program.
 */
export function readOptions(argv: readonly string[]): Options {
  const command = new Command('npm start --')
    .description(
      'Streams records through pacing, bounded buffer, lanes and batches into the store, and shows the account. ' +
        'Settings come from the environment and .env (docs/settings.md); what is given here goes before.',
    )
    .option(
      '--provider <name>',
      `where records come from: ${INSIDE.join(', ')} (real daily bars of the S&P 500, generated ones), ${OUTSIDE.join(', ')}, ` +
        'or the path of a module that exports (config) => Provider; several of the latter with commas between them, the preferred first',
      provider,
      'sp500',
    );
  addFileOptions(command)
    .option('--count <n>', 'how many bars to generate', integer(1), 100_000)
    .option(
      '--symbols <n or list>',
      'for how many symbols (synthetic: 100), or which, such as BTC-USD,ETH-USD',
      symbols,
    )
    .option('--seed <n>', 'the same seed gives the same bars', integer(0), 7)
    .option('--revisions <fraction>', 'how many of them are revised later', fraction, 0.01)
    .option('--duplicates <fraction>', 'how many of them come twice', fraction, 0.01)
    .option('--kinds <list>', 'which records, such as trade,quote,bar', names)
    .option('--timeframe <name>', 'of bars, such as 1m')
    .option(
      '--url <address>',
      "another address than the vendor's own, such as one of `sluice sim`; of several providers, as many with commas",
    )
    .addOption(
      new Option('--strategy <name>', 'how several providers are used (default: failover)').choices(STRATEGIES),
    )
    .option('--as <name>', 'the vendor of the one series that several providers make')
    .option(
      '--fail-back-after <time>',
      'how long the preferred provider must be well before it is used again (60s)',
      span,
    )
    .option('--no-backfill', 'leave gaps open: do not ask the history of the providers for what is missing')
    .option('--for <time>', 'how long to stream, such as 60s; without it until Ctrl-C', span)
    .option(
      '--stale-after <time>',
      'how long no data may come before it connects again (default: by provider and number of symbols)',
      span,
    )
    .option('--capture <folder>', 'record the frames of the provider, for a replay')
    .option('--replay <folder>', 'play a capture in place of the provider')
    .addOption(new Option('--speed <n>', 'how many times faster to play it, or max').argParser(speed).default(1))
    .option('--rate <n>', 'the most bars per second; 0 for as fast as the store takes them', integer(0), 0)
    .option('--workers <n>', 'writers side by side (MDS_COORDINATOR_WORKERS, else 4)', integer(1, 64))
    .option('--batch-size <n>', 'the most bars in a write (MDS_COORDINATOR_BATCH_SIZE, else 500)', integer(1))
    .option('--capacity <n>', 'the most bars in the buffer (MDS_COORDINATOR_CAPACITY, else 10000)', integer(1))
    .option('--database-url <url>', 'a Postgres server; without it that of DATABASE_URL, and else embedded PGlite')
    .option('--folder <path>', 'where the embedded store is', '.sluice/pglite')
    .option('--dead-letters <path>', 'the folder for what cannot be written (MDS_DLQ_DIR, else .dlq)')
    .option('--metrics', 'metrics and health on port MDS_METRICS_PORT (9000) of this machine while it runs', false)
    .option('--verbose', 'errors with their stack and causes', false)
    // What is wrong is quoted, and may be an address with its password.
    .configureOutput({ writeErr: (text) => process.stderr.write(text.replaceAll(/:\/\/\S*@/g, '://***@')) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse([...argv]);
  const options = command.opts<Options>();
  const isGiven = (option: string) => command.getOptionValueSource(option) === 'cli';
  for (const option of foreignOf(options)) {
    // Without a word it would be ignored.
    if (isGiven(option))
      command.error(`error: option '--${flagOf(option)}' does not go with --provider ${options.provider}`);
  }
  for (const option of options.provider === 'sp500' && options.file === undefined ? [...OF_FILES, 'timeframe'] : []) {
    if (isGiven(option)) command.error(`error: option '--${flagOf(option)}' needs --file`);
  }
  for (const option of ['url', 'capture', 'staleAfter']) {
    if (options.replay !== undefined && isGiven(option)) {
      command.error(`error: option '--${flagOf(option)}' does not go with --replay`);
    }
  }
  const count = options.provider.split(',').length;
  for (const option of count > 1 ? ['capture', 'replay'] : ['strategy', 'as', 'failBackAfter']) {
    const instead = count > 1 ? 'takes one provider' : 'needs several providers: --provider ibkr,massive';
    if (isGiven(option)) command.error(`error: option '--${flagOf(option)}' ${instead}`);
  }
  if (count > 1 && options.url !== undefined && options.url.split(',').length !== count) {
    command.error(
      `error: option '--url' must have ${count} addresses with commas between them; an empty one is the vendor's own`,
    );
  }
  if (options.replay === undefined && isGiven('speed')) command.error("error: option '--speed' needs --replay");
  const { provider: name, symbols: asked } = options;
  if (name === 'synthetic' && typeof asked === 'object') {
    command.error("error: option '--symbols' must be a number with --provider synthetic");
  }
  // A symbol may look like a number.
  return isLive(options) && typeof asked === 'number' ? { ...options, symbols: [String(asked)] } : options;
}

const INSIDE = ['sp500', 'synthetic'];
/** Those of the registry, which a test holds against it: loading that takes longer than an answer may. */
export const OUTSIDE = ['massive', 'polygon', 'ibkr', 'alpaca', 'binance', 'coinbase'];
const GENERATED = ['count', 'seed', 'revisions', 'duplicates'];
const STRATEGIES: readonly RouterStrategy[] = ['failover', 'merge', 'partition'];
const LIVE = [
  'strategy',
  'as',
  'failBackAfter',
  'backfill',
  'url',
  'kinds',
  'for',
  'staleAfter',
  'capture',
  'replay',
  'speed',
];

/** An option as it is written: `stale-after`. */
function flagOf(option: string): string {
  if (option === 'backfill') return 'no-backfill';
  return option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function provider(text: string): string {
  if (INSIDE.includes(text)) return text;
  const all = names(text);
  if (new Set(all).size < all.length) throw new InvalidArgumentError('It must name each provider once.');
  if (all.every((name) => OUTSIDE.includes(name) || isModule(name))) return all.join(',');
  throw new InvalidArgumentError(`It must be one of ${[...INSIDE, ...OUTSIDE].join(', ')}, or the path of a module.`);
}

/** Whether it is the path of a module rather than the name of a provider. */
export function isModule(name: string): boolean {
  return /[\\/]|\.[cm]?js$/.test(name);
}

/** Whether the provider is of the outside world, or plays a capture of it. */
export function isLive({ provider: name }: Pick<Options, 'provider'>): boolean {
  return !INSIDE.includes(name);
}

function foreignOf(options: Options): readonly string[] {
  if (isLive(options)) return ['file', ...OF_FILES, ...GENERATED];
  if (options.provider === 'synthetic') return ['file', ...OF_FILES, 'timeframe', ...LIVE];
  return [...GENERATED, 'symbols', ...LIVE];
}

/** Whether an address of a database holds a password: between the user and the @, as a parameter, or as `password=` of a DSN. */
export function holdsPassword(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#:@]*:[^@]+@/i.test(address) || /(^|[\s?&])password\s*=\s*[^\s&]/i.test(address);
}
