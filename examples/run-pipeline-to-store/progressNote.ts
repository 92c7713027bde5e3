import type { PipelineMonitor } from 'sluice';
import { count } from './drawTable.js';

/** What npm start shows beside the progress of the run: its providers with their state, and the gaps that are open. */
export function progressNote(feeds: PipelineMonitor['feeds'], openGaps: number | undefined): string {
  const states = feeds.map(({ id, state, confirmed, asked }) => `${id} ${state} (${confirmed} of ${asked} series)`);
  const gaps = openGaps ? [`${count(openGaps)} open ${openGaps === 1 ? 'gap' : 'gaps'}`] : [];
  return [...states, ...gaps].join(', ');
}
