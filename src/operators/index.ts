export type { DecodeProblem } from '../contracts/decodeProblems.js';
export type { DeadLetters, Diversion, DivertReason } from '../contracts/diversion.js';
export { isWriteOutcome, type Sink, type WriteOutcome, type WriteReceipt } from '../contracts/sink.js';
export { isSinkError, SinkError, type SinkErrorOptions } from '../contracts/sinkError.js';
export type { SinkTarget } from '../contracts/sinkTarget.js';
export { type BatchConfig, batch } from './batch.js';
export {
  type BoundedBuffer,
  type BoundedBufferConfig,
  boundedBuffer,
  type DropReason,
  type Overflow,
} from './boundedBuffer.js';
export { type BoundedMergeMapConfig, boundedMergeMap } from './boundedMergeMap.js';
export { type BroadcastConfig, broadcast } from './broadcast.js';
export { type CircuitBreakerOptions, circuitBreaker } from './circuitBreaker.js';
export { type ConflateConfig, conflate } from './conflate.js';
export { type Codec, type DecodeConfig, decode, type Rejected } from './decode.js';
export { type DedupeConfig, dedupe } from './dedupe.js';
export { type DetectGapsConfig, detectGaps, type GapSeries } from './detectGaps.js';
export { type DivertConfig, type DivertVerdict, divert } from './divert.js';
export { CircuitOpenError, isCircuitOpenError } from './errors/circuitOpenError.js';
export { DecodeError, isDecodeError } from './errors/decodeError.js';
export { isStaleStreamError, StaleStreamError } from './errors/staleStreamError.js';
export { isUnroutedError, UnroutedError } from './errors/unroutedError.js';
export { isWriteError, WriteError } from './errors/writeError.js';
export { isWriteTimeoutError, WriteTimeoutError } from './errors/writeTimeoutError.js';
export { type LanesConfig, lanes } from './lanes.js';
export { type PaceConfig, type PaceLimits, pace } from './pace.js';
export { type RetryWithJitterConfig, retryWithJitter } from './retryWithJitter.js';
export { type RouteBranches, route } from './route.js';
export { type UntilStoppedConfig, untilStopped } from './untilStopped.js';
export { type WatchdogConfig, watchdog } from './watchdog.js';
export { type CoordinatorPolicies, type WriteCoordinatorConfig, writeCoordinator } from './writeCoordinator.js';
export { writeTo } from './writeTo.js';
export type { RetryPolicy, WritePolicies } from './writing/writePolicies.js';
