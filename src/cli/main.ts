#!/usr/bin/env node
import { sluice } from './program.js';
import { processTerminal } from './terminal.js';

// Not `process.exit()`: what is written to a pipe would be cut off.
process.exitCode = await sluice(process.argv.slice(2), processTerminal());
