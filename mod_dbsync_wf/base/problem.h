/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way in which a request or a run can fail, once.
 *
 * The list gives each problem its stable slug (the `type` of a run's error, and behind
 * WF_PROBLEM_URN the `type` of a problem document, RFC 9457), the HTTP status that a request
 * meets it with (0: it only ever ends a run), and a title for people. Slugs never change and are
 * never used again for something else.
 */
#ifndef WF_BASE_PROBLEM_H
#define WF_BASE_PROBLEM_H

#define WF_PROBLEM_URN "urn:dbsync-wf:problem:"

/* clang-format off */
#define WF_PROBLEMS(X)                                                                                \
    X(NONE,             "none",              0,   "No problem")                                       \
    X(BAD_REQUEST,      "bad-request",       400, "The request is malformed")                         \
    X(INVALID_JSON,     "invalid-json",      400, "The body is not valid JSON")                       \
    X(INVALID_TRIGGER,  "invalid-trigger",   400, "The trigger is missing or unknown")                \
    X(INVALID_BODY,     "invalid-body",      400, "The body does not satisfy the task's schema")      \
    X(INVALID_CONFIGURATION, "invalid-configuration", 400, "The configuration breaks a rule")         \
    X(UNAUTHORIZED,     "unauthorized",      401, "Credentials are missing or wrong")                 \
    X(FORBIDDEN,        "forbidden",         403, "Access is refused")                                \
    X(NO_AUTHENTICATION, "authentication-not-configured", 403,                                        \
                                                  "The server does not authenticate its users")       \
    X(CROSS_SITE,       "cross-site",        403, "The request came from another site")               \
    X(DISABLED,         "disabled",          403, "The task may not be run through the API")          \
    X(NOT_FOUND,        "not-found",         404, "There is nothing at this path")                    \
    X(UNKNOWN_PROJECT,  "unknown-project",   404, "The project is unknown")                           \
    X(UNKNOWN_TASK,     "unknown-task",      404, "The task is unknown")                              \
    X(UNKNOWN_RUN,      "unknown-run",       404, "The run is unknown")                               \
    X(REMOVED,          "removed",           404, "The task's API configuration was removed")         \
    X(OVERLAP,          "already-running",   409, "The task is running already")                      \
    X(METHOD,           "method-not-allowed", 405, "The method is not allowed here")                  \
    X(ALREADY_ENDED,    "already-ended",     409, "The run has ended already")                        \
    X(LENGTH_REQUIRED,  "length-required",   411, "The body's length is missing")                     \
    X(PRECONDITION,     "precondition-failed", 412, "It is not as the request says that it is")       \
    X(BODY_TOO_LARGE,   "body-too-large",    413, "The body is too large")                            \
    X(MEDIA_TYPE,       "unsupported-media-type", 415, "The content type is not JSON")                \
    X(RANGE,            "range-not-satisfiable", 416, "Nothing of the range is there")                \
    X(KEY_REUSED,       "idempotency-key-reused", 422,                                                \
                                                  "The idempotency key belongs to another request")   \
    X(QUEUE_FULL,       "queue-full",        429, "Too many runs are waiting")                        \
    X(RATE_LIMIT,       "rate-limited",      429, "The task is run too often")                        \
    X(INTERNAL,         "internal-error",    500, "The server failed")                                \
    X(NOT_CONFIGURED,   "not-configured",    500, "The server's configuration is incomplete")         \
    X(INVALID_PROJECT,  "invalid-project",   500, "The project's file is broken")                     \
    X(UNAVAILABLE,      "store-unavailable", 503, "The run store is not available at the moment")     \
    X(PROCESS_LOST,     "process-lost",      0,   "The process that executed the run was lost")       \
    X(SERVER_STOPPED,   "server-stopped",    0,   "The server was stopped while the run executed")    \
    X(TIMEOUT,          "timeout",           0,   "The task ran longer than its timeout allows")      \
    X(EXIT_CODE,        "exit-code",         0,   "A program ended with a failure code")              \
    X(SIGNAL,           "signal",            0,   "A program was ended by a signal")                  \
    X(SPAWN,            "spawn-failed",      0,   "A program could not be started")                   \
    X(MAPPING,          "mapping-failed",    0,   "An expression could not be evaluated")             \
    X(CONNECTOR,        "connector-failed",  0,   "A connector could not be used")                    \
    X(SQL,              "sql-failed",        0,   "A database refused a statement")                   \
    X(ROWS,             "rows-failed",       0,   "Rows could not be written")                        \
    X(NESTING,          "nesting-too-deep",  0,   "Flows call each other too deep")                   \
    X(REST,             "rest-failed",       0,   "A service did not do what it was asked")
/* clang-format on */

typedef enum {
#define WF_PROBLEM_ENUM(name, slug, http_status, title) WF_PROBLEM_##name,
    WF_PROBLEMS(WF_PROBLEM_ENUM)
#undef WF_PROBLEM_ENUM
        WF_PROBLEM_COUNT
} wf_problem_e;

typedef struct wf_problem_info_t {
    const char *slug;
    int http_status;
    const char *title;
} wf_problem_info_t;

/* What the list says of a problem; a value out of range gives INTERNAL's row. Never NULL. */
const wf_problem_info_t *wf_problem_info(wf_problem_e problem);

#endif
