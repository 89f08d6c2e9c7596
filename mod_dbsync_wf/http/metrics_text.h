/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as text for Prometheus (its text-based format, 0.0.4). Knows nothing of httpd. */
#ifndef WF_HTTP_METRICS_TEXT_H
#define WF_HTTP_METRICS_TEXT_H

#include "base/slice.h"
#include "runner/settings.h"
#include "store/stats.h"

/* The media type of what is written. */
#define WF_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Appends the figures, each family with its HELP and TYPE; of a store that is not open only what is
 * known then. Sorts the rows of `stats` by project and task.
 */
void wf_metrics_text(wf_buf_t *out, wf_store_stats_t *stats, const wf_settings_t *settings);

#endif
