// SPDX-License-Identifier: Apache-2.0
// pg-boss for scripts/bench peers: `pgboss.js front PORT` or `pgboss.js worker`.
'use strict';
const PgBoss = require('pg-boss');
const serve = require('./front.js');
const run = require('./program.js');

const NAME = 'runs';
const WORKERS = 2; // one fetches and completes while the other's programs run
const BATCH = Number(process.env.BENCH_AT_ONCE);

async function begin(options) {
    const boss = new PgBoss({ host: process.env.BENCH_POSTGRES, user: 'wf', database: 'postgres',
        schedule: false, ...options });
    boss.on('error', (error) => console.error(error.message));
    await boss.start();
    return boss;
}

async function front(port) {
    const boss = await begin({ supervise: false });
    await boss.createQueue(NAME, { expireInSeconds: 5, retryLimit: 2 });
    serve(port, {
        add: (body) => boss.send(NAME, body),
        state: async (id) => (await boss.getJobById(NAME, id, { includeArchive: true }))?.state,
        ended: async () => {
            const { rows } = await boss.getDb().executeSql(
                `SELECT count(*)::int AS ended FROM pgboss.job WHERE name = '${NAME}'
                    AND state IN ('completed', 'failed')`);
            return rows[0].ended;
        },
    });
}

// A worker that has had a full batch asks for the next at once, rather than after its interval.
async function work() {
    const boss = await begin({ maintenanceIntervalSeconds: 5 });
    for (let i = 0; i < WORKERS; i++) {
        const worker = await boss.work(NAME, { batchSize: BATCH, pollingIntervalSeconds: 0.5 },
            async (jobs) => {
                await Promise.all(jobs.map((job) => run(job.id, job.data)));
                if (jobs.length === BATCH) {
                    boss.notifyWorker(worker);
                }
            });
    }
}

// Where the database is not there yet the process ends, and is started again.
(process.argv[2] === 'front' ? front(Number(process.argv[3])) : work()).catch((error) => {
    console.error(error.message);
    process.exit(1);
});
