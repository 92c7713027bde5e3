import type { Decoder } from 'io-ts';
import type { SchedulerLike } from 'rxjs';
import type { SourceConfig } from '../../flow/sourceOptions.js';
import type { EpochUnit } from '../../market/parseInstant.js';
import type { BarDefaults, BarField } from './barReader.js';
import type { BadRow, FileRecord, RecordPlace } from './fileRecord.js';

interface FileConfig extends SourceConfig {
  /** The format. Default: by the file name, which ends in `.csv`, `.ndjson` or `.jsonl`, or any of them and `.gz`. */
  readonly format?: 'csv' | 'ndjson';
  /**
   * `true`: the file must be compressed with gzip. `false`: its bytes are taken as they are. Default: its first bytes decide,
   * whatever its name.
   */
  readonly gzip?: boolean;
  /** The character between the fields of a CSV row. Default `,`. */
  readonly delimiter?: string;
  /** The columns of a CSV file that has no header line. */
  readonly header?: readonly string[];
  /** A longer record is a bad row and is never held in memory. In bytes, 1 to 256 MiB, default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** Receives each record that could not be read. An error that it throws goes downstream. */
  readonly onBadRow?: (row: BadRow) => void;
  /** The clock of `speed`, and where the source resumes after it has yielded. Default: the event loop. */
  readonly scheduler?: SchedulerLike;
}

export interface ReplayBarsConfig extends FileConfig {
  /** The column of each field whose column is not named after it: `{ ts: 'date' }`. */
  readonly columns?: Readonly<Partial<Record<BarField, string>>>;
  /** The fields that records may lack: `{ vendor: 'acme', timeframe: '1d' }`. */
  readonly defaults?: BarDefaults;
  /** The unit of a number in the column of `ts`. Default `'ms'`. */
  readonly timeUnit?: EpochUnit;
  /**
   * If the file has no `seq`, the `seq` of a bar is this number plus its line number, so that reading the file again gives the
   * same. For a file to win over an earlier one with the same bars, make it higher by at least the number of lines in the
   * earlier file. A safe integer of at least 0, default 0.
   */
  readonly seqFrom?: number;
  /** `'max'`, or this multiple of real time: with 60, an hour of `ts` takes a minute. Above 0, default `'max'`. */
  readonly speed?: 'max' | number;
}

interface ItemsConfig<T> extends FileConfig {
  /** `'max'`, or this multiple of the time that `timeOf` gives. Above 0, default `'max'`. */
  readonly speed?: 'max' | number;
  /** The time of an item in milliseconds; required with a `speed`. */
  readonly timeOf?: (item: T) => number;
}

export interface ReplayItemsConfig<T> extends ItemsConfig<T> {
  /**
   * Makes an item of a record: a CSV row as strings by column, or a JSON object. If it throws, the record is a bad row with
   * the error's message as the reason.
   */
  readonly toItem: (record: FileRecord, place: RecordPlace) => T;
}

export interface ReplayDecodedConfig<T> extends ItemsConfig<T> {
  /** An io-ts decoder that makes an item of a record. A record that it refuses is a bad row. */
  readonly codec: Decoder<unknown, T>;
}

/** Whatever {@link replayFile} takes. */
export type ReplayFileConfig<T> = ReplayBarsConfig | ReplayItemsConfig<T> | ReplayDecodedConfig<T>;
