import { ReadableTap } from '../../flow/readableTap.js';
import { CsvParser, HeaderProblem } from './csvParser.js';
import { FileNotFoundError } from './fileNotFoundError.js';
import { type Line, LineSplitter } from './lineSplitter.js';
import { NdjsonParser } from './ndjsonParser.js';
import { openFile } from './openFile.js';
import type { RecordParser, Row } from './recordParser.js';
import type { ReplaySettings } from './replaySettings.js';
import { UnreadableFileError } from './unreadableFileError.js';

/** Reads the rows of a file on demand: the file is opened by the first {@link next}, and read no further than is asked. */
export class RowFile {
  readonly #settings: ReplaySettings<unknown>;
  readonly #onChange: () => void;
  readonly #splitter: LineSplitter;
  readonly #parser: RecordParser;
  #tap: ReadableTap<Buffer> | undefined;
  #rows: readonly Row[] = [];
  #next = 0;
  #lines = 0;
  #over = false;

  /** `onChange` is called when `next` may have an answer again. */
  constructor(settings: ReplaySettings<unknown>, onChange: () => void) {
    const { format, delimiter, header, maxRecordBytes } = settings;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#splitter = new LineSplitter(maxRecordBytes);
    this.#parser =
      format === 'csv' ? new CsvParser(delimiter, header, maxRecordBytes) : new NdjsonParser(maxRecordBytes);
  }

  /** The columns of the file, once a row is read. */
  get columns(): readonly string[] | undefined {
    return this.#parser.columns;
  }

  /** The next row, or that there is none now, or no more. Throws what a person can act on if the file cannot be read. */
  next(): Row | 'later' | 'end' {
    for (;;) {
      const row = this.#rows[this.#next];
      if (row) {
        this.#next += 1;
        return row;
      }
      const state = this.#refill();
      if (state !== 'more') return state;
    }
  }

  close(): void {
    this.#tap?.close();
  }

  #refill(): 'more' | 'later' | 'end' {
    if (this.#over) return 'end';
    const { file, gzip } = this.#settings;
    this.#tap ??= new ReadableTap<Buffer>(openFile(file, gzip), this.#onChange);
    const tap = this.#tap;
    const chunk = tap.read();
    if (chunk !== null) {
      this.#take(this.#splitter.push(chunk));
    } else if (tap.failure) {
      throw this.#failure(tap.failure.error);
    } else if (tap.ended) {
      this.#over = true;
      this.#take(this.#splitter.end());
    } else {
      return 'later';
    }
    return 'more';
  }

  #take(lines: readonly Line[]): void {
    try {
      this.#rows = this.#parser.parse(lines, this.#lines + 1);
    } catch (error) {
      throw error instanceof HeaderProblem ? this.#failure(error) : error;
    }
    this.#next = 0;
    this.#lines += lines.length;
  }

  #failure(cause: unknown): Error {
    const { file } = this.#settings;
    if ((cause as { code?: unknown } | undefined)?.code === 'ENOENT') return new FileNotFoundError(file, { cause });
    return new UnreadableFileError(file, this.#lines, { cause });
  }
}
