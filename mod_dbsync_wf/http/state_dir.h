/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory: made, checked, and said in full what is wrong with it. */
#ifndef WF_HTTP_STATE_DIR_H
#define WF_HTTP_STATE_DIR_H

#include <httpd.h>

/*
 * Makes the directory where it is missing, mode 0700 and owned by the user that httpd's children
 * run as, and checks one that is there for the same: nobody else may read bodies or speak to
 * the keeper. APR_SUCCESS, or an error that has been logged with what to do.
 */
apr_status_t wf_state_dir_prepare(const char *path, server_rec *main_server);

/* Warns where it lies in memory, which a reboot empties. */
void wf_state_dir_warn_of_memory(const char *path, server_rec *main_server);

#endif
