// SPDX-License-Identifier: Apache-2.0
// BullMQ for scripts/bench peers: `bullmq.js front PORT` or `bullmq.js worker`.
'use strict';
const { Job, Queue, QueueEvents, Worker } = require('bullmq');
const serve = require('./front.js');
const run = require('./program.js');

const NAME = 'runs';

// A worker never gives up a command, as BullMQ's manual has it; a queue's fails soon.
function connection(more) {
    return { path: process.env.BENCH_REDIS, ...more };
}

function front(port) {
    const queue = new Queue(NAME, { connection: connection() });
    const events = new QueueEvents(NAME, { connection: connection({ maxRetriesPerRequest: null }) });
    for (const each of [queue, events]) {
        each.on('error', (error) => console.error(error.message));
    }
    serve(port, {
        add: async (body) => (await queue.add('run', body)).id,
        state: async (id, seconds) => {
            const job = await Job.fromId(queue, id);
            if (job && seconds > 0) {
                // Failed, or not ended in time: the state tells.
                await job.waitUntilFinished(events, seconds * 1000).catch(() => {});
            }
            return job && job.getState();
        },
        ended: async () => {
            const counts = await queue.getJobCounts('completed', 'failed');
            return counts.completed + counts.failed;
        },
    });
}

function work() {
    const worker = new Worker(NAME, (job) => run(job.id, job.data), {
        connection: connection({ maxRetriesPerRequest: null }),
        concurrency: Number(process.env.BENCH_AT_ONCE),
        lockDuration: 5000,
        stalledInterval: 5000,
    });
    worker.on('error', (error) => console.error(error.message));
}

if (process.argv[2] === 'front') {
    front(Number(process.argv[3]));
} else {
    work();
}
