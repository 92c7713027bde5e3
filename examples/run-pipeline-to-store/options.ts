import { Command, InvalidArgumentError, Option } from 'commander';
import type { Settings } from 'sluice/settings';

export interface Options {
  readonly provider: 'sp500' | 'synthetic';
  readonly file?: string;
  readonly count: number;
  readonly symbols: number;
  readonly seed: number;
  readonly revisions: number;
  readonly duplicates: number;
  readonly rate: number;
  readonly workers: number;
  readonly batchSize: number;
  readonly capacity: number;
  readonly databaseUrl?: string;
  readonly folder: string;
  readonly deadLetters: string;
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

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be from 0 to 1.');
  return value;
}

/**
 * Reads the options of the program; what is not given is as the settings have it. Prints help, or what is wrong with an
 * option, and ends the process then: with 2 for what is wrong, as for wrong settings.
 */
export function readOptions(argv: readonly string[], settings: Settings): Options {
  const { workers, batchSize, capacity } = settings.coordinator;
  const command = new Command('run-pipeline-to-store')
    .description(
      'Streams bars through pacing, bounded buffer, lanes and batches into the store, and shows the account. ' +
        'Settings come from the environment and .env (docs/settings.md); what is given here goes before.',
    )
    .addOption(
      new Option('--provider <name>', 'where bars come from: real daily bars of the S&P 500, or generated ones')
        .choices(['sp500', 'synthetic'])
        .default('sp500'),
    )
    .option('--file <path>', 'a CSV of daily bars in place of the one that comes with it (provider sp500)')
    .option('--count <n>', 'how many bars to generate', integer(1), 100_000)
    .option('--symbols <n>', 'for how many symbols', integer(1), 100)
    .option('--seed <n>', 'the same seed gives the same bars', integer(0), 7)
    .option('--revisions <fraction>', 'how many of them are revised later', fraction, 0.01)
    .option('--duplicates <fraction>', 'how many of them come twice', fraction, 0.01)
    .option('--rate <n>', 'the most bars per second; 0 for as fast as the store takes them', integer(0), 0)
    .option('--workers <n>', 'writers side by side', integer(1, 64), workers)
    .option('--batch-size <n>', 'the most bars in a write', integer(1), batchSize)
    .option('--capacity <n>', 'the most bars in the buffer', integer(1), capacity)
    .option('--database-url <url>', 'a Postgres server; without it that of DATABASE_URL, and else embedded PGlite')
    .option('--folder <path>', 'where the embedded store is', '.sluice/pglite')
    .option('--dead-letters <path>', 'the folder for what cannot be written', settings.deadLetterFolder)
    .option('--metrics', `metrics and health on port ${settings.metricsPort} of this machine while it runs`, false)
    .option('--verbose', 'errors with their stack and causes', false)
    // What is wrong is quoted, and may be an address with its password.
    .configureOutput({ writeErr: (text) => process.stderr.write(text.replaceAll(/:\/\/\S*@/g, '://***@')) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse([...argv]);
  const options = command.opts<Options>();
  const foreign = options.provider === 'synthetic' ? ['file'] : ['count', 'symbols', 'seed', 'revisions', 'duplicates'];
  for (const option of foreign) {
    // Without a word it would be ignored.
    if (command.getOptionValueSource(option) === 'cli') {
      command.error(`error: option '--${option}' does not go with --provider ${options.provider}`);
    }
  }
  return options;
}

/** Whether an address of a database holds a password: between the user and the @, as a parameter, or as `password=` of a DSN. */
export function holdsPassword(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#:@]*:[^@]+@/i.test(address) || /(^|[\s?&])password\s*=\s*[^\s&]/i.test(address);
}
