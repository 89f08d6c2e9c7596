/* SPDX-License-Identifier: Apache-2.0 */
/* The runner's pulse. */
#include "runner/pulse.h"

#include <errno.h>
#include <sys/mman.h>
#include "base/clock.h"

apr_status_t wf_pulse_create(wf_pulse_t **pulse)
{
    void *memory =
        mmap(NULL, sizeof(**pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    *pulse = memory;
    atomic_init(&(*pulse)->last, 0);
    return APR_SUCCESS;
}

void wf_pulse_stamp(wf_pulse_t *pulse)
{
    atomic_store(&pulse->last, wf_clock());
}

void wf_pulse_reset(wf_pulse_t *pulse)
{
    atomic_store(&pulse->last, 0);
}

apr_time_t wf_pulse_deadline(wf_pulse_t *pulse)
{
    apr_time_t last = atomic_load(&pulse->last);

    return last ? last + WF_PULSE_PATIENCE : 0;
}
