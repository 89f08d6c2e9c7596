/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: their parameters, found past quotes and comments as each database spells them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include "flow/sql/statement.h"

static const wf_sql_dialect_t sqlite3 = {
    .place = WF_PLACE_NUMBERED, .quote = '"', .brackets = 1, .own_places = 1};
static const wf_sql_dialect_t pgsql = {.place = WF_PLACE_DOLLAR, .quote = '"', .postgres = 1};
static const wf_sql_dialect_t mysql = {
    .place = WF_PLACE_QUESTION, .quote = '`', .backslash = 1, .hash = 1};
static const wf_sql_dialect_t odbc = {.place = WF_PLACE_FORMAT, .quote = '"', .brackets = 1};

static apr_pool_t *pool;

static int set_up(void **state)
{
    (void)state;
    return apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : -1;
}

static apr_status_t parse(wf_statement_t *statement, const char *text,
                          const wf_sql_dialect_t *dialect, wf_result_t *result)
{
    wf_check_t at = {.path = "/x", .result = result, .pool = pool};
    json_t *json = json_string(text);
    apr_status_t rv;

    wf_result_init(result, pool);
    memset(statement, 0, sizeof(*statement));
    rv = wf_statement_parse(statement, &at, "sql", json, dialect);
    json_decref(json);
    return rv;
}

/* The text, and the parameters of its places, with spaces. */
static const char *spell(const wf_statement_t *statement)
{
    const char *text = apr_pstrcat(pool, statement->text, " |", NULL);

    for (int i = 0; i < statement->place_count; i++) {
        text = apr_pstrcat(pool, text, " ", statement->params[statement->places[i]], NULL);
    }
    return text;
}

static void test_parameters(void **state)
{
    static const struct {
        const wf_sql_dialect_t *dialect;
        const char *text;
        const char *spelled;
    } rows[] = {
        {&sqlite3, "SELECT 1", "SELECT 1 |"},
        {&sqlite3, "UPDATE t SET a = :a, b=:b_2 WHERE a<>:a",
         "UPDATE t SET a = ?1, b=?2 WHERE a<>?1 | a b_2"},
        {&pgsql, "UPDATE t SET a = :a, b=:b WHERE a<>:a",
         "UPDATE t SET a = $1, b=$2 WHERE a<>$1 | a b"},
        {&mysql, "UPDATE t SET a = :a, b=:b WHERE a<>:a",
         "UPDATE t SET a = ?, b=? WHERE a<>? | a b a"},
        {&odbc, "SELECT '50%', :a % 2 FROM t WHERE a=:a",
         "SELECT '50%%', %s %% 2 FROM t WHERE a=%s | a a"},
        /* casts, slices, assignments and times of day */
        {&pgsql, "SELECT :a::int, x[1:2], ':no' || 'it''s :no'",
         "SELECT $1::int, x[1:2], ':no' || 'it''s :no' | a"},
        {&pgsql, "CALL f(a := :a)", "CALL f(a := $1) | a"},
        {&pgsql, "SELECT '12:30'::time, \"a:b\"", "SELECT '12:30'::time, \"a:b\" |"},
        /* quotes */
        {&pgsql, "SELECT E'\\':no', e'\\\\' || :a", "SELECT E'\\':no', e'\\\\' || $1 | a"},
        {&pgsql, "SELECT '\\' || :a", "SELECT '\\' || $1 | a"},
        {&pgsql, "SELECT type'\\' || :a", "SELECT type'\\' || $1 | a"},
        {&mysql, "SELECT '\\':no', \"\\\":no\", `:no`, :a",
         "SELECT '\\':no', \"\\\":no\", `:no`, ? | a"},
        {&sqlite3, "SELECT [a:no], `b:no`, \"c\"\":no\", :a",
         "SELECT [a:no], `b:no`, \"c\"\":no\", ?1 | a"},
        {&pgsql, "SELECT $$ :no $$, $t$ $$ :no $t$, :a, a$1$b FROM t",
         "SELECT $$ :no $$, $t$ $$ :no $t$, $1, a$1$b FROM t | a"},
        {&pgsql, "SELECT a ? 'k', a @> :a, @ -5", "SELECT a ? 'k', a @> $1, @ -5 | a"},
        {&mysql, "SELECT @v, @@version, :a", "SELECT @v, @@version, ? | a"},
        /* comments */
        {&pgsql, "SELECT 1 -- :no\n, :a", "SELECT 1 -- :no\n, $1 | a"},
        {&pgsql, "SELECT /* /* :no */ :no */ :a", "SELECT /* /* :no */ :no */ $1 | a"},
        {&sqlite3, "SELECT /* /* :no */ :a", "SELECT /* /* :no */ ?1 | a"},
        {&mysql, "SELECT 1 # :no\n, :a", "SELECT 1 # :no\n, ? | a"},
        {&pgsql, "SELECT 5 # :a", "SELECT 5 # $1 | a"},
        /* what is not closed reaches to the end; the database says so then */
        {&pgsql, "SELECT ':no", "SELECT ':no |"},
        {&sqlite3, "SELECT /* :no", "SELECT /* :no |"},
        {&pgsql, "SELECT $a$ :no", "SELECT $a$ :no |"},
        {&mysql, "SELECT ':no\\", "SELECT ':no\\ |"},
        {&sqlite3, "SELECT :", "SELECT : |"},
        {&sqlite3, "SELECT :\xC3\xA9", "SELECT :\xC3\xA9 |"},
    };
    wf_statement_t statement;
    wf_result_t result;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (parse(&statement, rows[i].text, rows[i].dialect, &result) != APR_SUCCESS) {
            fail_msg("%s: %s", rows[i].text, result.detail);
        }
        assert_string_equal(spell(&statement), rows[i].spelled);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const wf_sql_dialect_t *dialect;
        const char *text;
        const char *detail;
    } rows[] = {
        {&sqlite3, " \n", "/x/sql: must not be empty"},
        {&sqlite3, "SELECT '{{name}}'",
         "/x/sql: must not hold {{: write :name in the statement, and in \"params\" what its value "
         "is"},
        {&sqlite3, "SELECT ?",
         "/x/sql: \"?\" stands for no value here; write :name, and give it in \"params\""},
        {&sqlite3, "SELECT @a",
         "/x/sql: \"@\" stands for no value here; write :name, and give it in \"params\""},
        {&sqlite3, "SELECT $a",
         "/x/sql: \"$\" stands for no value here; write :name, and give it in \"params\""},
        {&pgsql, "SELECT $1",
         "/x/sql: \"$\" stands for no value here; write :name, and give it in \"params\""},
        {&mysql, "SELECT ?",
         "/x/sql: \"?\" stands for no value here; write :name, and give it in \"params\""},
    };
    wf_statement_t statement;
    wf_result_t result;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(parse(&statement, rows[i].text, rows[i].dialect, &result), WF_EINVALID);
        assert_string_equal(result.detail, rows[i].detail);
        assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
    }
}

static void test_names(void **state)
{
    wf_buf_t out = {0};

    (void)state;
    wf_sql_quote_name(&out, &pgsql, wf_slice("a\"; DROP TABLE b; --"));
    wf_buf_add_char(&out, ' ');
    wf_sql_quote_name(&out, &mysql, wf_slice("a`b\"c"));
    assert_true(wf_slice_is(wf_buf_slice(&out), "\"a\"\"; DROP TABLE b; --\" `a``b\"c`"));
    wf_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("SQL statements", tests, set_up, NULL);
}
