/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver: values in and out, failures, transactions, and an end within a second. */
#include "sql_util.h"

static const char slow[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                           " SELECT count(*) FROM n";

static void test_values(void **state)
{
    const wf_value_t values[] = {
        value_of(WF_VALUE_NUMBER, "9223372036854775807"),
        value_of(WF_VALUE_NUMBER, "-9223372036854775808"),
        value_of(WF_VALUE_NUMBER, "9223372036854775808"),
        value_of(WF_VALUE_NUMBER, "12345678901234567890.0123456789"),
        {WF_VALUE_TEXT, wf_slice_of("it's \"\0\" \xF0\x9F\x98\x80", 13)},
        {WF_VALUE_BYTES, wf_slice_of("\0\xFF\x7F", 3)},
        value_of(WF_VALUE_BOOL, "true"),
        value_of(WF_VALUE_NULL, ""),
        value_of(WF_VALUE_TEXT, ""),
        value_of(WF_VALUE_BYTES, NULL),
        value_of(WF_VALUE_JSON, "{\"a\":[1]}"),
    };

    (void)state;
    execute_text("CREATE TABLE t (a, b, c TEXT, d TEXT, e, f, g, h, i, j, k)", NULL, 0);
    assert_int_equal(
        execute_text("INSERT INTO t VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)", values, 11), 1);
    assert_string_equal(
        query_text("SELECT * FROM t"),
        "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":\"9223372036854775808\","
        "\"d\":\"12345678901234567890.0123456789\",\"e\":\"it's \\\"\\u0000\\\" \xF0\x9F\x98\x80\","
        "\"f\":\"AP9/\",\"g\":1,\"h\":null,\"i\":\"\",\"j\":\"\",\"k\":\"{\\\"a\\\":[1]}\"}\n");
    assert_string_equal(query_text("SELECT typeof(a) a, typeof(b) b, typeof(e) e, typeof(f) f,"
                                   " typeof(i) i, typeof(j) j, length(f) l FROM t"),
                        "{\"a\":\"integer\",\"b\":\"integer\",\"e\":\"text\",\"f\":\"blob\","
                        "\"i\":\"text\",\"j\":\"blob\",\"l\":3}\n");
    assert_string_equal(query_text("SELECT 0.1 a, 1e300*1e300 b, 1.0/3 c, -0.5 d, 1e15 e, 5.0 f"),
                        "{\"a\":0.1,\"b\":\"inf\",\"c\":0.3333333333333333,\"d\":-0.5,\"e\":1e+15,"
                        "\"f\":5}\n");
}

static void test_affected(void **state)
{
    (void)state;
    assert_int_equal(execute_text("CREATE TABLE t (a)", NULL, 0), 0);
    assert_int_equal(execute_text("INSERT INTO t VALUES (1), (2), (3)", NULL, 0), 3);
    assert_int_equal(execute_text("CREATE TABLE u (a)", NULL, 0), 0);
    assert_int_equal(execute_text("SELECT * FROM t", NULL, 0), 0);
    assert_int_equal(execute_text("UPDATE t SET a = 0 WHERE a > 1", NULL, 0), 2);
    assert_int_equal(execute_text("UPDATE t SET a = 0 WHERE a > 1", NULL, 0), 0);
}

static void assert_refused(const char *text, const char *detail, int row_fault)
{
    wf_sql_prepared_t *prepared;
    apr_status_t rv = wf_sql_prepare(&prepared, sql, text, 0, &result, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_sql_execute(NULL, prepared, NULL, &result);
        wf_sql_finish(prepared);
    }
    assert_int_equal(rv, APR_EGENERAL);
    assert_int_equal(result.problem, WF_PROBLEM_SQL);
    assert_string_equal(result.detail, detail);
    assert_int_equal(wf_sql_is_row_fault(sql), row_fault);
    wf_result_init(&result, pool);
}

static void test_failures(void **state)
{
    (void)state;
    execute_text("CREATE TABLE t (a INTEGER PRIMARY KEY, b NOT NULL CHECK (b <> 'x'))", NULL, 0);
    assert_refused("SELECT", "connector \"crm\": incomplete input", 0);
    assert_refused("SELECT * FROM u", "connector \"crm\": no such table: u", 0);
    assert_refused("DELETE FROM t; DELETE FROM t",
                   "connector \"crm\": there is more than one statement", 0);
    assert_refused("-- nothing", "connector \"crm\": there is no statement", 0);
    assert_refused("INSERT INTO t VALUES (1, NULL)",
                   "connector \"crm\": NOT NULL constraint failed: t.b", 1);
    assert_refused("INSERT INTO t VALUES ('one', 1)", "connector \"crm\": datatype mismatch", 1);
    assert_refused("INSERT INTO t VALUES (1, 'x')",
                   "connector \"crm\": CHECK constraint failed: b <> 'x'", 1);
    /* What ends a statement is no second one. */
    execute_text("DELETE FROM t; -- gone;\n /* ; */", NULL, 0);
}

static void test_transactions(void **state)
{
    (void)state;
    execute_text("CREATE TABLE t (a PRIMARY KEY)", NULL, 0);
    assert_int_equal(wf_sql_begin(sql, &result), APR_SUCCESS);
    execute_text("INSERT INTO t VALUES (1)", NULL, 0);
    wf_sql_rollback(sql);
    assert_string_equal(query_text("SELECT * FROM t"), "");
    assert_int_equal(wf_sql_begin(sql, &result), APR_SUCCESS);
    execute_text("INSERT INTO t VALUES (1)", NULL, 0);
    /* A statement that failed leaves the rest of its transaction. */
    assert_refused("INSERT INTO t VALUES (2), (1)",
                   "connector \"crm\": UNIQUE constraint failed: t.a", 1);
    assert_int_equal(wf_sql_commit(sql, &result), APR_SUCCESS);
    assert_string_equal(query_text("SELECT * FROM t"), "{\"a\":1}\n");
    /* Of no effect, where there is none. */
    wf_sql_rollback(sql);
    assert_false(wf_sql_is_broken(sql));
}

/* In the middle of a statement: its first row has come, and its second one never would. */
static void test_interrupt(void **state)
{
    const char *text = apr_pstrcat(pool, "SELECT 1 UNION ALL SELECT * FROM (", slow, ")", NULL);
    wf_sql_prepared_t *prepared;
    const wf_row_t *row;
    apr_time_t begun;

    (void)state;
    execute_text("CREATE TABLE t (a)", NULL, 0);
    assert_int_equal(wf_sql_begin(sql, &result), APR_SUCCESS);
    execute_text("INSERT INTO t VALUES (1)", NULL, 0);
    assert_int_equal(wf_sql_prepare(&prepared, sql, text, 0, &result, pool), APR_SUCCESS);
    assert_int_equal(wf_sql_query(prepared, NULL, &result), APR_SUCCESS);
    assert_int_equal(wf_sql_next(&row, prepared, &result), APR_SUCCESS);
    wf_cancel_request(cancel, WF_CANCEL_INTERRUPT);
    begun = wf_clock();
    assert_int_equal(wf_sql_next(&row, prepared, &result), WF_ECANCELLED);
    assert_in_range(wf_clock() - begun, 0, apr_time_from_sec(1));
    wf_sql_end(prepared);
    wf_sql_finish(prepared);
    /* The open transaction can be ended in spite of it. */
    wf_sql_rollback(sql);
    assert_false(wf_sql_is_broken(sql));
    assert_int_equal(wf_sql_begin(sql, &result), WF_ECANCELLED);
}

static void test_deadline(void **state)
{
    wf_sql_prepared_t *prepared;
    const wf_row_t *row;
    apr_time_t begun = wf_clock();

    (void)state;
    assert_int_equal(
        wf_sql_open(&sql, "crm", &config, cancel, begun + apr_time_from_msec(100), &result, pool),
        APR_SUCCESS);
    assert_int_equal(wf_sql_prepare(&prepared, sql, slow, 0, &result, pool), APR_SUCCESS);
    assert_int_equal(wf_sql_query(prepared, NULL, &result), APR_SUCCESS);
    assert_int_equal(wf_sql_next(&row, prepared, &result), WF_ECANCELLED);
    assert_in_range(wf_clock() - begun, apr_time_from_msec(100), apr_time_from_sec(1));
    assert_int_equal(wf_cancel_reason(cancel), WF_CANCEL_TIMEOUT);
    wf_sql_finish(prepared);
}

/* Another connection's lock: waited for, but no longer than the run. */
static void test_lock(void **state)
{
    apr_time_t begun = wf_clock();
    wf_sql_t *other;

    (void)state;
    assert_int_equal(wf_sql_begin(sql, &result), APR_SUCCESS);
    assert_int_equal(
        wf_sql_open(&other, "crm", &config, cancel, begun + apr_time_from_msec(200), &result, pool),
        APR_SUCCESS);
    assert_int_equal(wf_sql_begin(other, &result), WF_ECANCELLED);
    assert_in_range(wf_clock() - begun, apr_time_from_msec(200), apr_time_from_sec(1));
    wf_sql_rollback(sql);
}

static void test_cannot_open(void **state)
{
    static const struct {
        const char *params;
        const char *detail;
    } rows[] = {
        {"/no/such/folder/secret.db",
         "connector \"crm\" cannot be opened: unable to open database file"},
    };
    wf_sql_config_t wrong = config;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_sql_t *other = NULL;

        wrong.params = rows[i].params;
        assert_int_equal(wf_sql_open(&other, "crm", &wrong, cancel, 0, &result, pool),
                         APR_EGENERAL);
        assert_int_equal(result.problem, WF_PROBLEM_CONNECTOR);
        assert_string_equal(result.detail, rows[i].detail);
        wf_result_init(&result, pool);
    }
}

#define DATABASE_TEST(test) cmocka_unit_test_setup_teardown(test, open_database, close_database)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DATABASE_TEST(test_values),    DATABASE_TEST(test_affected),
        DATABASE_TEST(test_failures),  DATABASE_TEST(test_transactions),
        DATABASE_TEST(test_interrupt), DATABASE_TEST(test_deadline),
        DATABASE_TEST(test_lock),      DATABASE_TEST(test_cannot_open),
    };

    return cmocka_run_group_tests_name("SQLite", tests, set_up_scratch, tear_down_scratch);
}
