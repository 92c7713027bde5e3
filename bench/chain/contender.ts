/** Runs the formulation named by the argument, and prints how many items per second it moved. */
import { FORMULATIONS } from './contenders.js';
import { NullSink } from './work.js';

const formulation = FORMULATIONS[process.argv[2] ?? ''];
if (!formulation) throw new Error(`there is no formulation ${process.argv[2]}`);
const sink = new NullSink(formulation.items / 3, formulation.items);
await formulation.run(sink);
console.log(JSON.stringify({ itemsPerSec: sink.rate() }));
