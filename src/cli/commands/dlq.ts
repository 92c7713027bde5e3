import { Command } from 'commander';
import type { Invocation } from '../invocation.js';
import { lsCommand } from './dlq/ls.js';
import { parkCommand, unparkCommand } from './dlq/park.js';
import { purgeCommand } from './dlq/purge.js';
import { replayCommand } from './dlq/replay.js';
import { showCommand } from './dlq/show.js';

/** `sluice dlq`: the items that pipelines had to give up. */
export function dlqCommand(invocation: Invocation): Command {
  const dlq = new Command('dlq')
    .summary('look at dead letters, replay them, or remove them')
    .description('Dead letters: the items that pipelines had to give up, in the folder MDS_DLQ_DIR.');
  for (const make of [lsCommand, showCommand, replayCommand, parkCommand, unparkCommand, purgeCommand])
    dlq.addCommand(make(invocation));
  return dlq;
}
