/* SPDX-License-Identifier: Apache-2.0 */
/* Trouble, from its beginning to its end. */
#include "store/embedded/trouble.h"

#include "base/clock.h"
#include "base/log.h"

#define RETRY_PAUSE apr_time_from_sec(1)
#define SAY_PERIOD  apr_time_from_sec(60)

int wf_trouble_waits(const wf_trouble_t *trouble)
{
    return trouble->status != APR_SUCCESS && wf_clock() < trouble->retry;
}

apr_time_t wf_trouble_next(const wf_trouble_t *trouble, apr_time_t next)
{
    return trouble->status != APR_SUCCESS && trouble->retry < next ? trouble->retry : next;
}

/* Begins it. One that is over for less than the period goes on: a single large body may fail again
 * and again where smaller ones do not. */
static void begin(wf_trouble_t *trouble)
{
    trouble->since = apr_time_now();
    trouble->began = wf_clock();
    trouble->attempts = 0;
    trouble->is_said = 0;
}

static void say(wf_trouble_t *trouble, apr_status_t status)
{
    char since[WF_TIME_TEXT_LEN + 1];

    if (trouble->attempts == 1) {
        wf_log_error(status, "WF0146", "%s %s: %s", trouble->of, trouble->what, trouble->advice);
    } else {
        wf_time_format(since, trouble->since);
        wf_log_error(status, "WF0147", "%s %s, since %s (%" APR_UINT64_T_FMT " attempts): %s",
                     trouble->of, trouble->what, since, trouble->attempts, trouble->advice);
    }
    trouble->is_said = 1;
    trouble->say = wf_clock() + SAY_PERIOD;
}

void wf_trouble_note(wf_trouble_t *trouble, apr_status_t status)
{
    apr_time_t now = wf_clock();

    if (trouble->status == APR_SUCCESS) {
        begin(trouble);
    }
    trouble->attempts++;
    trouble->retry = now + RETRY_PAUSE;
    if (now >= trouble->say) {
        say(trouble, status);
    }
    trouble->status = status;
}

void wf_trouble_over(wf_trouble_t *trouble)
{
    if (trouble->status == APR_SUCCESS) {
        return;
    }
    trouble->status = APR_SUCCESS;
    if (trouble->is_said) {
        wf_log_info(0, "WF0148",
                    "%s %s, after %" APR_TIME_T_FMT " s and %" APR_UINT64_T_FMT
                    " attempts that failed",
                    trouble->of, trouble->again, apr_time_sec(wf_clock() - trouble->began),
                    trouble->attempts);
    }
}
