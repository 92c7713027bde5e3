import { fileURLToPath } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Decoder } from 'io-ts';
import type { SchedulerLike } from 'rxjs';
import type { Bar } from '../../model/bar.js';
import { decodeProblems } from '../../model/decodeProblems.js';
import { EPOCH_UNITS, type EpochUnit } from '../../model/parseInstant.js';
import {
  requireDuration,
  requireFunction,
  requireInteger,
  requireKnownOptions,
  requireNumber,
  requireOneOf,
} from '../../policies/validate.js';
import { eventLoopScheduler } from '../eventLoopScheduler.js';
import { BAR_FIELDS, type BarDefaults, type BarField, BarReader, type BarReaderSettings } from './barReader.js';
import { type BadRow, type FileRecord, type RecordPlace, RowProblem } from './fileRecord.js';

interface FileConfig {
  /** Default: by the name, `.csv` and `.ndjson` or `.jsonl`, each also with `.gz`. */
  readonly format?: 'csv' | 'ndjson';
  /** Whether the file is compressed with gzip. Default: whether its name ends in `.gz`. */
  readonly gzip?: boolean;
  /** What stands between the fields of a CSV row: one character, default `,`. */
  readonly delimiter?: string;
  /** The columns of a CSV file that has no header line. */
  readonly header?: readonly string[];
  /** A longer record is a bad row, and never held in memory. In bytes, at least 1, default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** Told of each record that could not be read. What it throws is an error downstream. */
  readonly onBadRow?: (row: BadRow) => void;
  /** The clock of `speed`, and where the source resumes after it has yielded. Default: the event loop. */
  readonly scheduler?: SchedulerLike;
  /** How long the source may run before it yields, in milliseconds of the scheduler's clock. From 0, default 20. */
  readonly yieldAfterMs?: number;
  /** The name in topology, metrics and the report. Default `replayFile`. */
  readonly name?: string;
}

export interface ReplayBarsConfig extends FileConfig {
  /** The column of each field, where it is not the field's own name: `{ ts: 'date' }`. */
  readonly columns?: Readonly<Partial<Record<BarField, string>>>;
  /** The fields for which the file has no column: `{ vendor: 'acme', timeframe: '1d' }`. */
  readonly defaults?: Readonly<BarDefaults>;
  /** What a number in the column of `ts` counts. Default `'ms'`. */
  readonly timeUnit?: EpochUnit;
  /**
   * Where the file has no `seq`, a bar's is this and the number of its line, so that reading the file again gives the same.
   * A file that is to win over an earlier one with the same bars needs a higher one, by at least the lines of the earlier.
   * A safe integer of at least 0, default 0.
   */
  readonly seqFrom?: number;
  /** `'max'`, or real time times this factor: with 60 an hour of `ts` takes a minute. Above 0; default `'max'`. */
  readonly speed?: 'max' | number;
}

export interface ReplayItemsConfig<T> extends FileConfig {
  /**
   * Makes an item of a record: a CSV row as strings by column, or a JSON object. What it throws makes the record a bad
   * row, with the message as its reason.
   */
  readonly toItem?: (record: FileRecord, place: RecordPlace) => T;
  /** Or a codec of io-ts that does so. Exactly one of the two is needed. */
  readonly codec?: Decoder<unknown, T>;
  /** As for bars; needs `timeOf`. */
  readonly speed?: 'max' | number;
  /** The time of an item in milliseconds. */
  readonly timeOf?: (item: T) => number;
}

/** The name in messages, and of the stage. */
const OWNER = 'replayFile';
const FILE_OPTIONS = [
  'format',
  'gzip',
  'delimiter',
  'header',
  'maxRecordBytes',
  'onBadRow',
  'speed',
  'scheduler',
  'yieldAfterMs',
  'name',
];
const BAR_OPTIONS = ['columns', 'defaults', 'timeUnit', 'seqFrom'];
const ITEM_OPTIONS = ['toItem', 'codec', 'timeOf'];

/** Makes items of the records of one file. */
export interface ItemReader<T> {
  /** Throws where a record is no item. */
  read(record: FileRecord, place: RecordPlace): T;
  /** The time of an item in milliseconds. */
  timeOf(item: T): number;
}

export interface ReplaySettings<T> {
  readonly file: string;
  readonly format: 'csv' | 'ndjson';
  readonly gzip: boolean;
  readonly delimiter: string;
  readonly header: readonly string[] | undefined;
  readonly maxRecordBytes: number;
  readonly onBadRow: ((row: BadRow) => void) | undefined;
  readonly speed: 'max' | number;
  readonly scheduler: SchedulerLike;
  readonly yieldAfterMs: number;
  readonly name: string;
  /** For a file with these columns; throws if one is missing. */
  readerFor(columns: readonly string[]): ItemReader<T>;
}

/** Checks the configuration, and puts the defaults in. */
export function requireReplay<T>(
  path: string | URL,
  config: ReplayBarsConfig & ReplayItemsConfig<T>,
): ReplaySettings<T | Bar> {
  if (!(path instanceof URL) && (typeof path !== 'string' || path === '')) {
    throw new RangeError(`${OWNER}: path must be a path or a file URL, got ${JSON.stringify(path)}`);
  }
  const isCustom = config?.toItem !== undefined || config?.codec !== undefined;
  requireKnownOptions(OWNER, config, [...FILE_OPTIONS, ...(isCustom ? ITEM_OPTIONS : BAR_OPTIONS)]);
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const speed =
    config.speed === undefined || config.speed === 'max'
      ? 'max'
      : requireNumber(OWNER, "speed (if not 'max')", config.speed, Number.MIN_VALUE, Number.MAX_VALUE);
  const { delimiter = ',' } = config;
  if (typeof delimiter !== 'string' || !/^[^"\r\n]$/.test(delimiter)) {
    throw new RangeError(`${OWNER}: delimiter must be one character, got ${JSON.stringify(delimiter)}`);
  }
  return {
    file,
    format: formatOf(file, config.format),
    gzip: config.gzip ?? /\.gz$/i.test(file),
    delimiter,
    header: config.header && [...config.header],
    maxRecordBytes: requireInteger(OWNER, 'maxRecordBytes', config.maxRecordBytes ?? 1024 * 1024, 1, 256 * 1024 * 1024),
    onBadRow: config.onBadRow && requireFunction(OWNER, 'onBadRow', config.onBadRow),
    speed,
    name: config.name ?? OWNER,
    scheduler: config.scheduler ?? eventLoopScheduler,
    yieldAfterMs: requireDuration(OWNER, 'yieldAfterMs', config.yieldAfterMs ?? 20),
    ...(isCustom ? requireItems(config, speed) : requireBars(file, config)),
  };
}

function formatOf(file: string, format: unknown): 'csv' | 'ndjson' {
  if (format !== undefined) return requireOneOf(OWNER, 'format', format, ['csv', 'ndjson']);
  if (/\.csv(\.gz)?$/i.test(file)) return 'csv';
  if (/\.(ndjson|jsonl)(\.gz)?$/i.test(file)) return 'ndjson';
  throw new RangeError(
    `${OWNER}: format must be given where the name ends neither in .csv nor in .ndjson or .jsonl, got ${JSON.stringify(file)}`,
  );
}

function requireItems<T>({ toItem, codec, timeOf }: ReplayItemsConfig<T>, speed: 'max' | number) {
  if (toItem !== undefined && codec !== undefined) {
    throw new RangeError(`${OWNER}: give toItem or codec, got both`);
  }
  if (speed !== 'max') requireFunction(OWNER, 'timeOf (with speed)', timeOf);
  const read = toItem ? requireFunction(OWNER, 'toItem', toItem) : decoding<T>(codec!);
  const reader: ItemReader<T> = { read, timeOf: timeOf ?? (() => 0) };
  return { readerFor: () => reader };
}

function decoding<T>(codec: Decoder<unknown, T>): (record: FileRecord) => T {
  requireFunction(OWNER, 'the decode of codec', codec.decode);
  return (record) => {
    const decoded = codec.decode(record);
    if (!isLeft(decoded)) return decoded.right;
    const [problem] = decodeProblems(decoded.left);
    throw new RowProblem(`expected ${problem?.expected}, got ${problem?.got}`, problem?.path || undefined);
  };
}

function requireBars(file: string, config: ReplayBarsConfig) {
  const { columns = {}, defaults = {} } = config;
  requireKnownOptions(`${OWNER}: columns`, columns, BAR_FIELDS);
  requireKnownOptions(`${OWNER}: defaults`, defaults, ['vendor', 'symbol', 'timeframe', 'volume']);
  const settings: BarReaderSettings = {
    columns: { ...columns },
    defaults: { ...defaults },
    timeUnit: requireOneOf(OWNER, 'timeUnit', config.timeUnit ?? 'ms', EPOCH_UNITS),
    seqFrom: requireInteger(OWNER, 'seqFrom', config.seqFrom ?? 0, 0),
  };
  return {
    readerFor(present: readonly string[]): ItemReader<Bar> {
      const reader = new BarReader(file, present, settings);
      return { read: (record, place) => reader.read(record, place), timeOf: (bar) => bar.ts };
    },
  };
}
