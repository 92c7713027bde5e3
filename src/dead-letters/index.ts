export type { DeadLetter, LetterCount, LetterFilter, LetterState } from './deadLetter.js';
export { DeadLetterError, type DeadLetterErrorCode, isDeadLetterError } from './deadLetterError.js';
export type { DeadLetterHold, DeadLetterQueue, DeadLetterStats } from './deadLetterQueue.js';
export type { ErrorRecord } from './errorRecord.js';
export type { LetterProblem } from './letterLog.js';
export { type OpenDeadLettersConfig, openDeadLetters } from './openDeadLetters.js';
export {
  countDeadLetters,
  type DeadLetterCount,
  type ReadDeadLettersConfig,
  readDeadLetters,
  type StoredLetter,
  type UnreadLine,
} from './readDeadLetters.js';
export type { ReplayDeadLettersConfig, ReplayProgress } from './replayConfig.js';
export { replayDeadLetters } from './replayDeadLetters.js';
