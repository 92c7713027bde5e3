import { Command } from 'commander';
import type { CommandContext } from '../commandContext.js';
import { parkCommand, purgeCommand, unparkCommand } from './dlq/changeCommands.js';
import { lsCommand } from './dlq/ls.js';
import { replayCommand } from './dlq/replay.js';
import { showCommand } from './dlq/show.js';

/** `sluice dlq`: inspects and handles dead letters. */
export function dlqCommand(context: CommandContext): Command {
  const dlq = new Command('dlq')
    .summary('inspect, replay or remove dead letters')
    .description('Dead letters hold the items that a pipeline could not write. They are in the folder MDS_DLQ_DIR.');
  for (const make of [lsCommand, showCommand, replayCommand, parkCommand, unparkCommand, purgeCommand])
    dlq.addCommand(make(context));
  return dlq;
}
