import type { PipelineMonitor, Stage } from 'sluice';

/** Where progress is told: a terminal gets one live line, anything else a plain line now and then. */
export interface Progress {
  stop(): void;
}

const LIVE_EVERY_MS = 200;
const PLAIN_EVERY_MS = 2_000;

/** Tells of a running pipeline until it is stopped: how far it is, how fast, how full its buffer, and its gate. */
export function showProgress(monitor: PipelineMonitor, output: NodeJS.WriteStream): Progress {
  const live = output.isTTY;
  const startedAt = performance.now();
  let lastAt = startedAt;
  let lastWritten = 0;

  const tell = () => {
    const now = performance.now();
    const { received, written } = monitor.account();
    if (received === 0) return;
    const perSecond = ((written - lastWritten) / (now - lastAt)) * 1_000;
    lastAt = now;
    lastWritten = written;
    const text =
      `${count(written)} of ${count(received)} bars written, ${count(Math.round(perSecond))}/s, ` +
      bufferOf(monitor.stages);
    output.write(live ? `\r\u001b[K${text}` : `${text}\n`);
  };

  const timer = setInterval(tell, live ? LIVE_EVERY_MS : PLAIN_EVERY_MS);
  // A pipeline that is over ends the program, whatever is still to be told.
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      tell();
      if (live) output.write('\n');
    },
  };
}

function bufferOf(stages: readonly Stage[]): string {
  const buffer = stages.find((stage) => stage.kind === 'boundedBuffer');
  if (!buffer) return 'no buffer yet';
  return `queue ${count(buffer.held)}, gate ${buffer.gate?.state ?? 'open'}`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
