/* SPDX-License-Identifier: Apache-2.0 */
/* What a write is made of: which value is the later one, rows that failed, names, numbers. */
#include "sql_util.h"

#include "flow/sql/driver.h"
#include "flow/sql/table.h"
#include "flow/sql/write.h"

static void test_markers(void **state)
{
    static const struct {
        wf_value_kind_e kind;
        const char *greater;
        const char *less;
    } rows[] = {
        {WF_VALUE_NUMBER, "10", "9"},
        {WF_VALUE_NUMBER, "-9", "-10"},
        {WF_VALUE_NUMBER, "9223372036854775807", "9223372036854775806"},
        {WF_VALUE_NUMBER, "1e3", "999.5"},
        {WF_VALUE_TEXT, "2026-01-02", "2026-01-01"},
        {WF_VALUE_TEXT, "2026-01-01 00:00:00.1", "2026-01-01 00:00:00"},
        {WF_VALUE_TEXT, "2026-10-25 02:30:00+01", "2026-10-25 02:45:00+02"},
        {WF_VALUE_TEXT, "2026-10-25T02:30:00.000001Z", "2026-10-25T02:30:00Z"},
        {WF_VALUE_TEXT, "2026-10-25 02:30:00-03:30", "2026-10-25 05:59:59+00"},
        {WF_VALUE_TEXT, "b", "a9"},
        {WF_VALUE_TEXT, "a9", "a"},
    };
    const wf_value_t none = {WF_VALUE_NULL, {"", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_value_t greater = value_of(rows[i].kind, rows[i].greater);
        wf_value_t less = value_of(rows[i].kind, rows[i].less);

        if (!wf_marker_is_greater(&greater, &less) || wf_marker_is_greater(&less, &greater)) {
            fail_msg("%s and %s", rows[i].greater, rows[i].less);
        }
        assert_false(wf_marker_is_greater(&greater, &greater));
        assert_true(wf_marker_is_greater(&less, &none));
        assert_false(wf_marker_is_greater(&none, &less));
    }
    assert_false(wf_marker_is_greater(&none, &none));
}

static void test_failed_rows(void **state)
{
    wf_failed_t failed = {0};
    wf_buf_t out = {0};
    wf_json_writer_t writer;
    char big[40000];
    json_t *json;

    (void)state;
    memset(big, 'x', sizeof(big));
    big[0] = big[sizeof(big) - 1] = '"';
    /* What has no room is counted; a smaller one still finds some. */
    wf_failed_add(&failed, wf_slice_of(big, sizeof(big)), "first");
    wf_failed_add(&failed, wf_slice_of(big, sizeof(big)), "second");
    for (int i = 0; i < 200; i++) {
        wf_failed_add(&failed, wf_slice("{\"a\":1}"), "small \"one\"");
    }
    wf_json_writer_init(&writer, &out);
    wf_json_open(&writer, NULL, '{');
    wf_failed_put(&failed, &writer);
    wf_json_close(&writer, '}');
    json = json_loadb(out.data, out.len, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(json, "failedRows")), 100);
    assert_int_equal(json_integer_value(json_object_get(json, "failedRowsLeftOut")), 102);
    assert_in_range(out.len, 1, WF_FAILED_BYTES_SHOWN + 16384);
    json_decref(json);
    wf_buf_free(&out);
    wf_buf_free(&failed.json);
}

static void test_integers(void **state)
{
    static const struct {
        const char *text;
        int fits;
        apr_int64_t number;
    } rows[] = {
        {"0", 1, 0},
        {"-0", 1, 0},
        {"9223372036854775807", 1, APR_INT64_MAX},
        {"-9223372036854775808", 1, APR_INT64_MIN},
        {"9223372036854775808", 0, 0},
        {"-9223372036854775809", 0, 0},
        {"99999999999999999999", 0, 0},
        {"1.0", 0, 0},
        {"1e2", 0, 0},
        {"", 0, 0},
        {"-", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_int64_t number = 0;

        assert_int_equal(wf_sql_integer(&number, wf_slice(rows[i].text)), rows[i].fits);
        assert_true(number == rows[i].number);
    }
    assert_int_equal(wf_sql_number_kind(wf_slice("NaN")), WF_VALUE_TEXT);
    assert_int_equal(wf_sql_number_kind(wf_slice("-1.5e-07")), WF_VALUE_NUMBER);
}

static void test_tables(void **state)
{
    wf_table_t table;

    (void)state;
    execute_text("CREATE TABLE \"The \"\"t\" (\"Id\" INTEGER PRIMARY KEY, name TEXT, NAME2 TEXT)",
                 NULL, 0);
    execute_text("CREATE TABLE other (a)", NULL, 0);
    assert_int_equal(wf_table_find(&table, sql, "the \"T", &result, pool), APR_SUCCESS);
    /* SQLite itself takes names in any case. */
    assert_string_equal(table.quoted, "\"the \"\"T\"");
    assert_int_equal(wf_table_column(&table, "id"), 0);
    assert_int_equal(wf_table_column(&table, "Name"), 1);
    assert_int_equal(wf_table_column(&table, "nam"), -1);
    assert_string_equal(wf_table_list(&table, pool), "Id, name, NAME2");
    assert_int_equal(wf_table_find(&table, sql, "main.other", &result, pool), APR_SUCCESS);
    assert_string_equal(table.quoted, "\"main\".\"other\"");
    assert_int_equal(wf_table_find(&table, sql, "nowhere", &result, pool), APR_EGENERAL);
    assert_string_equal(result.detail, "connector \"crm\" has no table \"nowhere\"; there are: "
                                       "The \"t, other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_failed_rows),
        cmocka_unit_test(test_integers),
        cmocka_unit_test_setup_teardown(test_tables, open_database, close_database),
    };

    return cmocka_run_group_tests_name("writes", tests, set_up_scratch, tear_down_scratch);
}
