import type { Decoder } from 'io-ts';
import type { SchedulerLike } from 'rxjs';
import type { EpochUnit } from '../../market/parseInstant.js';
import type { BarDefaults, BarField } from './barReader.js';
import type { BadRow, FileRecord, RecordPlace } from './fileRecord.js';

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

interface ItemsConfig<T> extends FileConfig {
  /** `'max'`, or the time that `timeOf` gives times this factor. Above 0; default `'max'`. */
  readonly speed?: 'max' | number;
  /** The time of an item in milliseconds; needed with a `speed`. */
  readonly timeOf?: (item: T) => number;
}

export interface ReplayItemsConfig<T> extends ItemsConfig<T> {
  /**
   * Makes an item of a record: a CSV row as strings by column, or a JSON object. What it throws makes the record a bad
   * row, with the message as its reason.
   */
  readonly toItem: (record: FileRecord, place: RecordPlace) => T;
}

export interface ReplayDecodedConfig<T> extends ItemsConfig<T> {
  /** Makes an item of a record, as io-ts does: what it refuses is a bad row. */
  readonly codec: Decoder<unknown, T>;
}

/** Whatever {@link replayFile} takes. */
export type ReplayFileConfig<T> = ReplayBarsConfig | ReplayItemsConfig<T> | ReplayDecodedConfig<T>;
