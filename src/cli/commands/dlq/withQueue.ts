import type { DeadLetterHold, DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import type { LetterProblem } from '../../../dead-letters/letterLog.js';
import { openDeadLetters, unsyncedText } from '../../../dead-letters/openDeadLetters.js';
import { errnoText } from '../../../failures/errno.js';
import { redactText } from '../../../primitives/redact.js';
import type { CommandContext } from '../../commandContext.js';
import { tallyText } from './letterText.js';

/** Opens a dead-letter folder, which locks out other processes, and closes it after the work. */
export async function withQueue<R>(
  context: CommandContext,
  folder: string,
  work: (queue: DeadLetterQueue<unknown>) => Promise<R>,
): Promise<R> {
  const report = (text: string) => void context.report(text).catch(() => {});
  const open = () =>
    openDeadLetters<unknown>(folder, {
      pipeline: 'sluice dlq',
      onProblem: (problem) => report(`warning: ${problemText(problem)}`),
      onHold: (hold) => report(holdText(hold)),
    });
  const queue = await context.telling(() => `opening ${folder}`, open);
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/** Changes of letters are written too, so the disk may block while no letter waits. */
export function holdText({ error, letters, items }: DeadLetterHold): string {
  const what = letters === 0 ? '' : `, ${tallyText({ letters, items })} pending`;
  const reason = redactText(errnoText(error));
  return `waiting for disk${what}: ${reason}; writing resumes when the disk accepts data`;
}

function problemText(problem: LetterProblem): string {
  switch (problem.kind) {
    case 'quarantined':
      return `${problem.segment} is damaged at byte ${problem.offset}: its ${problem.length} bytes were moved to ${problem.path}`;
    case 'unknownVersion':
      return `${problem.segment} has ${problem.letters} letters of an unknown version, which are kept as they are`;
    case 'passedOver':
      return `${problem.path} is ${problem.is} rather than a file, and is passed over`;
    case 'unsyncedFolder':
      return unsyncedText(problem.folder, problem.code);
  }
}
