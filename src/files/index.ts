/** Files that are replayed and written. */
export type { Disk, DiskFile } from '../disk/disk.js';
export { isNdjsonError, NdjsonError, type NdjsonErrorCode } from './ndjsonError.js';
export { type NdjsonSinkConfig, ndjsonSink } from './ndjsonSink.js';
export { FileNotFoundError, isFileNotFoundError } from './read/fileNotFoundError.js';
export { isMissingColumnError, MissingColumnError } from './read/missingColumnError.js';
export { isNoGoodRowError, NoGoodRowError } from './read/noGoodRowError.js';
export { isUnreadableFileError, UnreadableFileError } from './read/unreadableFileError.js';
export {
  type BadRow,
  type BarDefaults,
  type BarField,
  type BarFieldColumns,
  type FileRecord,
  type RecordField,
  type RecordPlace,
  type ReplayBarsConfig,
  type ReplayDecodedConfig,
  type ReplayItemsConfig,
  type ReplayRecordsConfig,
  replayFile,
} from './replayFile.js';
