#!/usr/bin/env node
import { sluice } from './program.js';
import { processTerminal } from './terminal.js';

// `process.exit()` would truncate what is still being written to a pipe.
process.exitCode = await sluice(process.argv.slice(2), processTerminal());
