import type { Account } from '../../flow/account.js';
import type { PipelineMonitor } from '../../flow/monitor.js';
import type { RunObserver } from '../../operators/running/runObserver.js';
import { count } from '../../primitives/count.js';
import { func, having, type OptionsOf, readOptions } from '../../primitives/options.js';
import { printable } from '../../primitives/printable.js';
import { LiveLine, type ProgressOutput } from './liveLine.js';
import { Meter } from './meter.js';
import { barLine, plainLine, rateText, spanText } from './progressText.js';
import { shareOf } from './shareOf.js';

/** Where the progress of a run is shown, and with what beside it. */
export interface ProgressConfig {
  /** Where it is shown. Default: standard error. */
  readonly output?: ProgressOutput;
  /** What else to show, a few words that are asked for at each frame; an empty text for nothing. Default: nothing. */
  readonly note?: () => string;
}

const OPTIONS = {
  output: having('write').default(process.stderr),
  note: func(),
} satisfies OptionsOf<ProgressConfig>;

/** What shows a run while it is under way. */
export interface RunProgress extends RunObserver {
  /** Writes a line above what is shown. */
  say(text: string): void;
}

/** Shows how far a run is: see `progress` of `run()`. */
export function runProgress(owner: string, config: ProgressConfig = {}, now = () => performance.now()): RunProgress {
  const { output, note = () => '' } = readOptions(owner, config, OPTIONS);
  const settled = new Meter();
  const shares = new Meter();
  let monitor: PipelineMonitor | undefined;
  let line: LiveLine | undefined;
  let isDraining = false;

  const parts = ():
    | { readonly share: number | undefined; readonly facts: string[]; readonly account: Account }
    | undefined => {
    const account = monitor?.account();
    if (!monitor || !account) return undefined;
    const share = shareOf(monitor.stages, account);
    const at = now();
    settled.note(at, account.received - account.held);
    if (share !== undefined) shares.note(at, share);
    const speed = shares.perSecond;
    const isKnown = share !== undefined && share < 1 && speed > 0 && !isDraining;
    const left = isKnown ? `${spanText(((1 - share) / speed) * 1_000)} left` : '';
    const rest = [...lossesOf(account), isDraining ? 'stopping' : '', said(note)];
    const facts = [doneText(account), rateText(settled.perSecond), left, ...rest];
    return { share, facts, account };
  };

  return {
    attach(attached) {
      monitor = attached;
      const { received, held } = attached.account();
      settled.note(now(), received - held);
      line = new LiveLine(
        output,
        {
          line(width) {
            const shown = parts();
            if (!shown) return '';
            const { share, facts, account } = shown;
            return share === undefined
              ? plainLine([...facts, ...waitingOf(account)], width)
              : barLine(share, facts, width);
          },
          plain() {
            const shown = parts();
            if (!shown) return '';
            const { share, facts, account } = shown;
            return plainLine([
              share === undefined ? '' : `${Math.floor(share * 100)}%`,
              ...facts,
              ...waitingOf(account),
            ]);
          },
        },
        { now },
      );
      const refresh = () => line?.refresh();
      return { settled: refresh, writeFailed: refresh, retrying: refresh };
    },
    draining() {
      isDraining = true;
    },
    finished() {
      line?.stop();
    },
    say(text) {
      if (line) line.say(text);
      else output.write(`${text}\n`);
    },
  };
}

/** What is done, in a pipeline with a writer or without. */
function doneText({ written, delivered, received }: Account): string {
  if (written > 0 || delivered === 0) return received === 0 ? 'nothing received yet' : `${count(written)} written`;
  return `${count(delivered)} delivered`;
}

function lossesOf({ diverted, dropped }: Account): string[] {
  const lost = Object.values(dropped).reduce((sum, items) => sum + items, 0);
  return [diverted > 0 ? `${count(diverted)} diverted` : '', lost > 0 ? `${count(lost)} dropped` : ''];
}

function waitingOf({ received, held }: Account): string[] {
  return received === 0 ? [] : [`${count(received)} received`, `${count(held)} held`];
}

/** It must not end the run. */
function said(note: () => string): string {
  try {
    return printable(note());
  } catch {
    return '';
  }
}
