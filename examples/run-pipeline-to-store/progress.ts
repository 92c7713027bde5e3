import type { PipelineMonitor, Stage } from 'sluice';

type Feed = PipelineMonitor['feeds'][number];

/** Where progress is told: a terminal gets one live line, anything else a plain line now and then. */
export interface Progress {
  /** A line of its own, above the live one. */
  say(text: string): void;
  /** The last state, and then no more. */
  stop(): void;
}

const LIVE_EVERY_MS = 200;
const PLAIN_EVERY_MS = 2_000;
const CLEAR_LINE = '\r\u001b[K';

/** Tells of a running pipeline until it is stopped: how far it is, how fast, how full its buffer, and its gate. */
export function showProgress(
  monitor: PipelineMonitor,
  output: NodeJS.WriteStream,
  openGaps: () => number | undefined = () => undefined,
): Progress {
  const live = output.isTTY;
  const startedAt = performance.now();
  let lastAt = startedAt;
  let lastWritten = 0;

  const tell = (sinceMs: number, before: number) => {
    const { received, written } = monitor.account();
    const feeds = feedsOf(monitor.feeds);
    if (received === 0 && feeds === '') return;
    const perSecond = (written - before) / (sinceMs / 1_000);
    const text = `${feeds}${count(written)} written, ${count(received)} received, ${count(perSecond)}/s, ${bufferOf(monitor.stages)}${gapsText(openGaps())}`;
    // A line that wraps cannot be cleared.
    output.write(live ? `${CLEAR_LINE}${text.slice(0, (output.columns || 80) - 1)}` : `${text}\n`);
    lastWritten = written;
  };

  const timer = setInterval(
    () => {
      const now = performance.now();
      tell(now - lastAt, lastWritten);
      lastAt = now;
    },
    live ? LIVE_EVERY_MS : PLAIN_EVERY_MS,
  );
  // A pipeline that is over ends the program, whatever is still to be told.
  timer.unref();
  return {
    say(text) {
      if (live) output.write(CLEAR_LINE);
      console.error(text);
    },
    stop() {
      clearInterval(timer);
      tell(performance.now() - startedAt, 0);
      if (live) output.write('\n');
    },
  };
}

/** Providers and their state: `coinbase live (3 of 3 series); `. */
function feedsOf(feeds: readonly Feed[]): string {
  return feeds.map(({ id, state, confirmed, asked }) => `${id} ${state} (${confirmed} of ${asked} series); `).join('');
}

/** There is a queue for each kind of record. */
function bufferOf(stages: readonly Stage[]): string {
  const buffers = stages.filter((stage) => stage.kind === 'boundedBuffer');
  if (buffers.length === 0) return 'no buffer yet';
  const held = buffers.reduce((sum, buffer) => sum + buffer.held, 0);
  const isOpen = buffers.every(({ gate }) => gate?.isOpen ?? true);
  return `queue ${count(held)}, gate ${isOpen ? 'open' : 'closed'}`;
}

/** Only if there are any. */
function gapsText(open: number | undefined): string {
  return open === undefined || open === 0 ? '' : `, ${count(open)} open ${open === 1 ? 'gap' : 'gaps'}`;
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}
