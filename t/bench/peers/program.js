// SPDX-License-Identifier: Apache-2.0
// Runs the program of scripts/bench peers for a job, with the body on its standard input.
'use strict';
const { spawn } = require('node:child_process');

module.exports = function run(id, body) {
    return new Promise((resolve, reject) => {
        const child = spawn(process.env.BENCH_PROGRAM, [process.env.BENCH_STAMPS, id],
            { stdio: ['pipe', 'ignore', 'inherit'] });
        child.on('error', reject);
        child.on('exit', (status) =>
            status === 0 ? resolve() : reject(new Error(`the program ended with ${status}`)));
        child.stdin.on('error', () => {}); // it need not read
        child.stdin.end(JSON.stringify(body));
    });
};
