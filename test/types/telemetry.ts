import { of } from 'rxjs';
import type { DeadLetterQueue } from '../../src/dead-letters/index.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { run } from '../../src/pipelines/index.js';
import { createLogger, logPipeline, pipelineTelemetry } from '../../src/telemetry/index.js';

declare const deadLetters: DeadLetterQueue<number>;

// A queue of dead letters, and the report of a run, are taken as they are.
pipelineTelemetry().bind(new PipelineMonitor(), { deadLetters });
logPipeline(createLogger()).finished(await run(of(1)));

// There is no such level.
// @ts-expect-error
createLogger({ level: 'loud' });
