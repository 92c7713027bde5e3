import { closeSync, openSync, readSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ReplayBarsConfig } from 'sluice/files';

/** What a file of bars is like. */
export interface FileOptions {
  readonly file?: string;
  readonly columns?: NonNullable<ReplayBarsConfig['columns']>;
  readonly symbol?: string;
  readonly vendor?: string;
  readonly timeframe?: string;
  readonly timeUnit?: NonNullable<ReplayBarsConfig['timeUnit']>;
  readonly timeZone?: string;
  readonly dateOrder?: NonNullable<ReplayBarsConfig['dateOrder']>;
  readonly decimal?: NonNullable<ReplayBarsConfig['decimal']>;
  readonly delimiter?: string;
  readonly skipLines?: number;
  readonly badRows?: 'skip' | 'dead-letters';
}

/** What says nothing without `--file`. */
export const OF_FILES = [
  ...['columns', 'symbol', 'vendor', 'timeUnit', 'timeZone', 'dateOrder'],
  ...['decimal', 'delimiter', 'skipLines', 'badRows'],
];

const FIELDS = [
  'ts',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'vendor',
  'symbol',
  'timeframe',
  'seq',
  'trades',
  'vwap',
];

/** `ts=Date,open=Open`, or `ts=Date+Time` for a date and a time of day in two columns. */
function columns(text: string): FileOptions['columns'] {
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    const [field, column] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at < 1 || column === '') throw new InvalidArgumentError('It must be such as ts=Date,open=Open.');
    if (!FIELDS.includes(field)) {
      throw new InvalidArgumentError(`A bar has no ${JSON.stringify(field)}: it has ${FIELDS.join(', ')}.`);
    }
    return [field, field === 'ts' && column.includes('+') ? column.split('+').map((part) => part.trim()) : column];
  });
  return Object.fromEntries(pairs);
}

function delimiter(text: string): string {
  const character = text === 'tab' || text === '\\t' ? '\t' : text;
  if (character.length !== 1) throw new InvalidArgumentError('It must be one character, or tab.');
  return character;
}

function lines(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be an integer of at least 0.');
  return Number(text);
}

export function addFileOptions(command: Command): Command {
  return command
    .option('--file <path>', 'a CSV or NDJSON file of bars of your own, in place of the one that comes with it')
    .option(
      '--columns <list>',
      "where the file's columns have other names: ts=Date,open=Open; ts=Date+Time for two",
      columns,
    )
    .option('--symbol <name>', 'of the bars of a file that does not say')
    .option('--vendor <name>', 'of the bars of a file that does not say (file)')
    .addOption(new Option('--time-unit <unit>', 'of times that are numbers (ms)').choices(['s', 'ms', 'us', 'ns']))
    .option('--time-zone <name>', 'of dates and times that name none, such as America/New_York (UTC)')
    .addOption(
      new Option('--date-order <order>', 'of dates that do not begin with the year').choices(['MDY', 'DMY', 'YMD']),
    )
    .addOption(new Option('--decimal <mark>', 'before the decimals (.)').choices(['.', ',']))
    .option('--skip-lines <n>', 'lines before the header (0)', lines)
    .option('--delimiter <char>', 'between the fields of a CSV file, or tab', delimiter)
    .addOption(
      new Option('--bad-rows <what>', 'what becomes of rows that cannot be read (skip)').choices([
        'skip',
        'dead-letters',
      ]),
    );
}

const HEAD_BYTES = 4_096;
const TIME_COLUMNS = ['ts', 'timestamp', 'datetime', 'date', 'time'];

/** The options of `replayFile()` for such a file. */
export function readerOptions(options: FileOptions & { readonly file: string }): ReplayBarsConfig {
  const { file, symbol, vendor = 'file', timeframe } = options;
  const asGiven = ['timeUnit', 'timeZone', 'dateOrder', 'decimal', 'delimiter', 'skipLines'] as const;
  return {
    ...Object.fromEntries(asGiven.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))),
    columns: { ts: timeColumnOf(file), ...options.columns },
    defaults: { vendor, ...(symbol !== undefined && { symbol }), ...(timeframe !== undefined && { timeframe }) },
  };
}

/** The first of the usual names that is there, for a file that is text. */
function timeColumnOf(file: string): string {
  const head = headOf(file)
    .toLowerCase()
    .split(/[^a-z]+/);
  return TIME_COLUMNS.find((name) => head.includes(name)) ?? 'ts';
}

function headOf(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.subarray(0, readSync(descriptor, bytes)).toString('latin1');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // What is wrong with the file, its reader says.
    return '';
  }
}

/** The words of the reader, with the options of the command line in place of those of the function. */
export function inOptions(message: string): string {
  return message
    .replaceAll(/columns: \{ (\w+): '…' \}/g, '--columns $1=…')
    .replaceAll(/defaults: \{ (\w+): … \}/g, '--$1 …');
}
