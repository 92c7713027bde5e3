export type { RunObserver } from '../operators/running/runObserver.js';
export type { RunOutcome, RunReport, StageReport } from '../operators/running/runReport.js';
export { formatReport, isSettled } from './formatReport.js';
export type { RunLogger } from './log/runLog.js';
export { type MarketDataToStoreConfig, marketDataToStore } from './marketDataToStore.js';
export type { ProgressOutput } from './progress/liveLine.js';
export type { ProgressConfig } from './progress/runProgress.js';
export { type RunConfig, run, type SignalEmitter } from './run.js';
export { isRunError, RunError } from './runError.js';
