import { ReadableTap } from '../../flow/readableTap.js';
import { CsvParser } from './csvParser.js';
import { FileNotFoundError } from './fileNotFoundError.js';
import type { FileRecord, RowProblem } from './fileRecord.js';
import { type Line, LineSplitter, OverlongLine } from './lineSplitter.js';
import { NdjsonParser } from './ndjsonParser.js';
import { openBytes } from './openBytes.js';
import type { FileSettings, RecordParser } from './recordParser.js';
import { UnreadableFileError } from './unreadableFileError.js';

/** Reads the records of a file on demand: the first {@link next} opens it, and no more is read than is asked for. */
export class RowFile {
  readonly #settings: FileSettings;
  readonly #onChange: () => void;
  readonly #splitter: LineSplitter;
  readonly #parser: RecordParser;
  #tap: ReadableTap<Buffer> | undefined;
  #lines: readonly Line[] = [];
  #next = 0;
  #line = 0;
  #ended = false;

  /** `onChange` is called when `next` may have an answer again. */
  constructor(settings: FileSettings, onChange: () => void) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#splitter = new LineSplitter(settings.maxRecordBytes);
    this.#parser = settings.format === 'csv' ? new CsvParser(settings) : new NdjsonParser();
  }

  /** The columns of the file, once a record was read. */
  get columns(): readonly string[] | undefined {
    return this.#parser.columns;
  }

  /** The number of the line that was read last. */
  get line(): number {
    return this.#line;
  }

  /** The line that was read last; if it is too long, its beginning. */
  get raw(): string {
    const line = this.#lines[this.#next - 1] ?? '';
    return line instanceof OverlongLine ? line.start : line;
  }

  /** The next record, what is wrong with it, or that there is none yet, or no more. Throws if the file cannot be read. */
  next(): FileRecord | RowProblem | 'later' | 'end' {
    for (;;) {
      const line = this.#lines[this.#next];
      if (line !== undefined) {
        this.#next += 1;
        this.#line += 1;
        const record = isBlank(line) ? undefined : this.#parser.parse(line, this.#line);
        if (record) return record;
      } else {
        const state = this.#refill();
        if (state !== 'more') return state;
      }
    }
  }

  close(): void {
    this.#tap?.close();
  }

  #refill(): 'more' | 'later' | 'end' {
    if (this.#ended) return 'end';
    this.#tap ??= new ReadableTap<Buffer>(openBytes(this.#settings.file, this.#settings), this.#onChange);
    const tap = this.#tap;
    const chunk = tap.read();
    if (chunk === null) {
      if (tap.failure) throw this.#failure(tap.failure.error);
      if (!tap.ended) return 'later';
      this.#ended = true;
    }
    this.#lines = chunk ? this.#splitter.push(chunk) : this.#splitter.end();
    this.#next = 0;
    this.#parser.prepare?.(this.#lines);
    return 'more';
  }

  #failure(cause: unknown): Error {
    const { file } = this.#settings;
    if ((cause as { code?: unknown } | undefined)?.code === 'ENOENT') return new FileNotFoundError(file, { cause });
    return new UnreadableFileError(file, this.#line, { cause });
  }
}

const SPACE = 0x20;

function isBlank(line: Line): boolean {
  return typeof line === 'string' && (line === '' || (line.charCodeAt(0) <= SPACE && line.trim() === ''));
}
