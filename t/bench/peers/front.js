// SPDX-License-Identifier: Apache-2.0
// What queues for node.js have in front of them in scripts/bench peers: express, Basic credentials, a
// POST that is answered when the queue has the job, and the job's state.
//
// A queue is {add(body), which resolves to an id; state(id, seconds), which may wait for so long for the
// end of the job, and resolves to undefined where there is none; ended(), the number of jobs that have}.
'use strict';
const express = require('express');

module.exports = function serve(port, queue) {
    const app = express();
    app.use((request, response, next) => {
        if (request.get('Authorization') === process.env.BENCH_AUTHORIZATION) {
            return next();
        }
        response.set('WWW-Authenticate', 'Basic realm="bench"');
        return response.sendStatus(401);
    });
    app.use(express.json());
    app.post('/jobs', async (request, response) => {
        response.status(202).json({ id: String(await queue.add(request.body)) });
    });
    app.get('/jobs/:id', async (request, response) => {
        const state = await queue.state(request.params.id, Number(request.query.wait) || 0);
        return state ? response.json({ state }) : response.sendStatus(404);
    });
    app.get('/ended', async (request, response) => response.json({ ended: await queue.ended() }));
    app.listen(port, '127.0.0.1');
};
