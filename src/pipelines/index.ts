export { type MarketDataToStoreConfig, marketDataToStore } from './marketDataToStore.js';
export { type RunConfig, run, type SignalEmitter } from './run.js';
export { isRunError, RunError } from './runError.js';
export { formatReport, type RunOutcome, type RunReport, type StageReport } from './runReport.js';
