/* SPDX-License-Identifier: Apache-2.0 */
/* Dates: the moment, and between texts and moments. Whoever gives none (null, "") gets null. */
#include "flow/mapping_function.h"

#include <strings.h>
#include <apr_strings.h>
#include "base/utf8.h"
#include "flow/calendar.h"
#include "flow/datetime.h"

static int is_blank(wf_value_t value)
{
    return value.kind == WF_VALUE_NULL || (value.kind == WF_VALUE_TEXT && value.text.len == 0);
}

static apr_status_t take_date(apr_time_t *when, wf_eval_t *eval, wf_value_t value)
{
    if (value.kind != WF_VALUE_TEXT || wf_datetime_parse(when, value.text) != APR_SUCCESS) {
        return wf_eval_refuse(eval, "a date such as 2026-11-24 or 2026-11-24T03:44:25Z", value);
    }
    return APR_SUCCESS;
}

/* ---- patterns ---- */

/* What is wrong with a pattern, in pool, or NULL. */
static const char *find_mistake(wf_slice_t pattern, int reading, apr_pool_t *pool)
{
    const char *mistake = wf_datetime_find_mistake(pattern, reading);
    apr_size_t span = 0;
    wf_slice_t letter;

    if (!mistake) {
        return NULL;
    }
    letter = wf_slice_of(mistake + 1, (apr_size_t)(pattern.data + pattern.len - mistake - 1));
    if (letter.len) {
        wf_utf8_get(&span, letter);
    }
    return apr_psprintf(pool, "%s in a date's pattern is none of %s",
                        apr_pstrmemdup(pool, mistake, 1 + span),
                        reading ? "%Y %y %m %d %e %H %I %M %S %L %f %p %a %A %b %B %z %:z %s %Q "
                                  "%F %T %%"
                                : "%Y %y %m %d %e %j %H %I %M %S %L %f %p %a %A %u %b %B %z %:z "
                                  "%s %Q %F %T %%");
}

static apr_status_t take_pattern(wf_slice_t *pattern, wf_eval_t *eval, wf_value_t value,
                                 int reading)
{
    apr_status_t rv = wf_eval_text(pattern, eval, value);
    const char *mistake;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    mistake = find_mistake(*pattern, reading, eval->pool);
    return mistake ? wf_eval_fail(eval, "%s", mistake) : APR_SUCCESS;
}

/* What is wrong with the argument at a place, where it is a constant pattern. */
static const char *check_pattern(const wf_node_t *const *arguments, int count, int place,
                                 int reading, apr_pool_t *pool)
{
    if (place >= count || arguments[place]->kind != WF_NODE_CONSTANT) {
        return NULL;
    }
    return find_mistake(arguments[place]->value.text, reading, pool);
}

static const char *check_now(const wf_node_t *const *arguments, int count, apr_pool_t *pool)
{
    return check_pattern(arguments, count, 0, 0, pool);
}

static const char *check_formatdate(const wf_node_t *const *arguments, int count, apr_pool_t *pool)
{
    return check_pattern(arguments, count, 1, 0, pool);
}

static const char *check_todate(const wf_node_t *const *arguments, int count, apr_pool_t *pool)
{
    return check_pattern(arguments, count, 1, 1, pool);
}

/* ---- the functions ---- */

static apr_status_t print(wf_value_t *value, wf_eval_t *eval, apr_time_t when, wf_slice_t pattern,
                          int zone)
{
    wf_buf_t text = {NULL, 0, 0};

    if (wf_datetime_print(&text, when, pattern, zone) != APR_SUCCESS) {
        return wf_eval_fail(eval, "%s gives a date that is not of the years 1 to 9999",
                            eval->function->name);
    }
    return wf_eval_keep(value, eval, WF_VALUE_TEXT, &text);
}

static apr_status_t call_now(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    wf_slice_t pattern = wf_slice(WF_DATETIME_ISO);
    apr_status_t rv = APR_SUCCESS;

    if (count > 0) {
        rv = take_pattern(&pattern, eval, arguments[0], 0);
    }
    return rv == APR_SUCCESS ? print(value, eval, eval->scope->now, pattern, 0) : rv;
}

static apr_status_t take_zone(int *zone, wf_eval_t *eval, wf_value_t value)
{
    if (value.kind != WF_VALUE_TEXT || wf_datetime_parse_zone(zone, value.text) != APR_SUCCESS) {
        return wf_eval_refuse(eval, "a zone such as \"+02:00\" or \"Z\"", value);
    }
    return APR_SUCCESS;
}

static apr_status_t call_formatdate(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                    int count)
{
    wf_slice_t pattern;
    apr_time_t when;
    int zone = 0;
    apr_status_t rv = take_pattern(&pattern, eval, arguments[1], 0);

    if (rv == APR_SUCCESS && count > 2) {
        rv = take_zone(&zone, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (is_blank(arguments[0])) {
        *value = wf_value_null();
        return APR_SUCCESS;
    }
    rv = take_date(&when, eval, arguments[0]);
    return rv == APR_SUCCESS ? print(value, eval, when, pattern, zone) : rv;
}

static apr_status_t call_todate(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                int count)
{
    wf_slice_t text, pattern;
    apr_time_t when;
    apr_status_t rv = take_pattern(&pattern, eval, arguments[1], 1);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (is_blank(arguments[0])) {
        *value = wf_value_null();
        return APR_SUCCESS;
    }
    rv = wf_eval_text(&text, eval, arguments[0]);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (wf_datetime_scan(&when, text, pattern) != APR_SUCCESS) {
        const char *what = apr_psprintf(eval->pool, "a date of the form %s",
                                        wf_show_expression(pattern, eval->pool));

        return wf_eval_refuse(eval, what, arguments[0]);
    }
    return print(value, eval, when, wf_slice(WF_DATETIME_ISO), 0);
}

/* ---- steps in time ---- */

typedef struct unit_t {
    const char *name;
    int months;
    int seconds;
} unit_t;

static const unit_t units[] = {
    {"year", 12, 0},   {"month", 1, 0},   {"week", 0, 604800}, {"day", 0, 86400},
    {"hour", 0, 3600}, {"minute", 0, 60}, {"second", 0, 1},
};

/* A unit by its name, in the singular or the plural; NULL where there is none. */
static const unit_t *find_unit(wf_slice_t name)
{
    for (apr_size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        apr_size_t len = strlen(units[i].name);

        if ((name.len == len || (name.len == len + 1 && (name.data[len] | 0x20) == 's')) &&
            strncasecmp(name.data, units[i].name, len) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

#define UNIT_NAMES                                                                                 \
    "one of \"years\", \"months\", \"weeks\", \"days\", \"hours\", \"minutes\", \"seconds\""

static const char *check_dateadd(const wf_node_t *const *arguments, int count, apr_pool_t *pool)
{
    (void)count;
    (void)pool;
    return arguments[2]->kind == WF_NODE_CONSTANT && !find_unit(arguments[2]->value.text)
               ? "DATEADD's unit is " UNIT_NAMES
               : NULL;
}

/* A month has the same day, or its last one. */
static apr_status_t add_months(apr_time_t *when, apr_int64_t months)
{
    wf_fields_t fields;
    apr_int64_t left, year;
    apr_status_t rv = wf_fields_of_time(&fields, *when, 0);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    year = wf_divide_floor(&left, (apr_int64_t)fields.year * 12 + fields.month - 1 + months, 12);
    if (year < 1 || year > 9999) {
        return WF_EINVALID;
    }
    fields.year = (int)year;
    fields.month = (int)left + 1;
    if (fields.day > wf_days_of_month(fields.year, fields.month)) {
        fields.day = wf_days_of_month(fields.year, fields.month);
    }
    return wf_fields_to_time(when, &fields);
}

/* Numbers up to this many of any unit stay within what an apr_time_t can count. */
#define STEPS_MOST APR_INT64_C(10000000)

static apr_status_t call_dateadd(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count)
{
    const unit_t *unit;
    wf_slice_t name;
    apr_time_t when;
    apr_int64_t number;
    apr_status_t rv = wf_eval_text(&name, eval, arguments[2]);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    unit = find_unit(name);
    if (!unit) {
        return wf_eval_refuse(eval, UNIT_NAMES, arguments[2]);
    }
    rv = wf_eval_integer(&number, eval, arguments[1], -STEPS_MOST, STEPS_MOST,
                         "a whole number from -10000000 to 10000000");
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (is_blank(arguments[0])) {
        *value = wf_value_null();
        return APR_SUCCESS;
    }
    rv = take_date(&when, eval, arguments[0]);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    when += number * unit->seconds * APR_USEC_PER_SEC;
    if (unit->months && add_months(&when, number * unit->months) != APR_SUCCESS) {
        return wf_eval_fail(eval, "DATEADD gives a date that is not of the years 1 to 9999");
    }
    return print(value, eval, when, wf_slice(WF_DATETIME_ISO), 0);
}

/* clang-format off */
const wf_function_t wf_date_functions[] = {
    {"NOW", "NOW([\"pattern\"])", 0, 1, call_now, NULL, check_now},
    {"FORMATDATE", "FORMATDATE(date, \"pattern\"[, \"+02:00\"])", 2, 3, call_formatdate, NULL,
     check_formatdate},
    {"TODATE", "TODATE(text, \"pattern\")", 2, 2, call_todate, NULL, check_todate},
    {"DATEADD", "DATEADD(date, number, \"days\")", 3, 3, call_dateadd, NULL, check_dateadd},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */
