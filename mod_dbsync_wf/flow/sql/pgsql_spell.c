/* SPDX-License-Identifier: Apache-2.0 */
/* The statements that put copied rows into a table of PostgreSQL. */
#include "flow/sql/pgsql.h"

#include <apr_hash.h>
#include <apr_strings.h>

static const char *keep(wf_buf_t *text, const wf_target_t *target)
{
    const char *kept = apr_pstrmemdup(target->pool, text->data, text->len);

    wf_buf_free(text);
    return kept;
}

static const char *spell_copy(const wf_target_t *target, const char *table)
{
    wf_buf_t text = {0};

    wf_buf_add_text(&text, "COPY ");
    wf_buf_add_text(&text, table);
    wf_buf_add_text(&text, " (");
    wf_target_columns(&text, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(&text, ") FROM STDIN");
    return keep(&text, target);
}

/*
 * A table of the same columns without constraints, so that a row only fails where it is merged. Its
 * name follows from what it is for, so that an action in a loop finds it again.
 */
static const char *spell_stage(const wf_target_t *target)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    wf_buf_t text = {0};
    const char *columns;

    wf_target_columns(&text, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(&text, " FROM ");
    wf_buf_add_text(&text, target->table);
    columns = keep(&text, target);
    return apr_psprintf(target->pool, "wf_stage_%08x", apr_hashfunc_default(columns, &len));
}

static const char *spell_make_stage(const wf_target_t *target, const char *stage)
{
    wf_buf_t text = {0};

    wf_buf_add_text(&text, "CREATE TEMPORARY TABLE IF NOT EXISTS ");
    wf_buf_add_text(&text, stage);
    wf_buf_add_text(&text, " ON COMMIT DELETE ROWS AS SELECT ");
    wf_target_columns(&text, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(&text, " FROM ");
    wf_buf_add_text(&text, target->table);
    /* The rows are few beside the table: it is to be looked up in, not read. */
    wf_buf_add_text(&text, " WITH NO DATA; SET LOCAL random_page_cost TO 1");
    return keep(&text, target);
}

/* What rows with one key have in common; of those whose key has a null each is one of its own. */
static void add_twins(wf_buf_t *text, const wf_target_t *target)
{
    wf_target_columns(text, target, WF_COLUMNS_KEY, "");
    wf_buf_add_text(text, ", CASE WHEN (");
    wf_target_columns(text, target, WF_COLUMNS_KEY, "");
    wf_buf_add_text(text, ") IS NOT NULL THEN NULL ELSE ctid END");
}

/* The staged rows; `last`: of those with one key the one that was copied last. */
static void add_staged(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    if (!last) {
        wf_buf_add_text(text, "pg_temp.");
        wf_buf_add_text(text, stage);
        return;
    }
    wf_buf_add_text(text, "(SELECT DISTINCT ON (");
    add_twins(text, target);
    wf_buf_add_text(text, ") * FROM pg_temp.");
    wf_buf_add_text(text, stage);
    wf_buf_add_text(text, " ORDER BY ");
    add_twins(text, target);
    wf_buf_add_text(text, ", ctid DESC)");
}

static void spell_insert(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    wf_buf_add_text(text, "INSERT INTO ");
    wf_buf_add_text(text, target->table);
    wf_buf_add_text(text, " (");
    wf_target_columns(text, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(text, ") SELECT ");
    wf_target_columns(text, target, WF_COLUMNS_ALL, "s.");
    wf_buf_add_text(text, " FROM ");
    add_staged(text, target, stage, last);
    wf_buf_add_text(text, " s");
}

static void spell_upsert(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    spell_insert(text, target, stage, last);
    wf_target_upsert(text, target);
}

/*
 * The same for rows that are new, or that differ from what is there in any bit (*= compares images
 * of records). A row that is already so costs a look at the index, and no new version of it.
 */
static void spell_some(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    spell_insert(text, target, stage, last);
    wf_buf_add_text(text, " WHERE (SELECT ROW(");
    wf_target_columns(text, target, WF_COLUMNS_OTHER, "t.");
    wf_buf_add_text(text, ")::record OPERATOR(pg_catalog.*=) ROW(");
    wf_target_columns(text, target, WF_COLUMNS_OTHER, "s.");
    wf_buf_add_text(text, ")::record FROM ");
    wf_buf_add_text(text, target->table);
    wf_buf_add_text(text, " t WHERE ");
    wf_target_pairs(text, target, WF_COLUMNS_KEY, " AND ", "t.", "s.", "");
    wf_buf_add_text(text, " LIMIT 1) IS NOT TRUE");
    wf_target_upsert(text, target);
}

static void spell_update(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    wf_buf_add_text(text, "UPDATE ");
    wf_buf_add_text(text, target->table);
    wf_buf_add_text(text, " t SET ");
    wf_target_pairs(text, target, WF_COLUMNS_OTHER, ", ", "", "s.", "");
    wf_buf_add_text(text, " FROM ");
    add_staged(text, target, stage, last);
    wf_buf_add_text(text, " s WHERE ");
    wf_target_pairs(text, target, WF_COLUMNS_KEY, " AND ", "t.", "s.", "");
}

static void spell_delete(wf_buf_t *text, const wf_target_t *target, const char *stage, int last)
{
    wf_buf_add_text(text, "DELETE FROM ");
    wf_buf_add_text(text, target->table);
    wf_buf_add_text(text, " t USING ");
    add_staged(text, target, stage, last);
    wf_buf_add_text(text, " s WHERE ");
    wf_target_pairs(text, target, WF_COLUMNS_KEY, " AND ", "t.", "s.", "");
}

static const char *spell(void (*speller)(wf_buf_t *, const wf_target_t *, const char *, int),
                         const wf_target_t *target, const char *stage, int last)
{
    wf_buf_t text = {0};

    speller(&text, target, stage, last);
    return keep(&text, target);
}

void wf_pgsql_spell(wf_pgsql_statements_t *out, const wf_target_t *target)
{
    const char *stage = spell_stage(target);

    memset(out, 0, sizeof(*out));
    out->make_stage = spell_make_stage(target, stage);
    out->empty_stage = apr_pstrcat(target->pool, "TRUNCATE pg_temp.", stage, NULL);
    out->copy_stage = spell_copy(target, apr_pstrcat(target->pool, "pg_temp.", stage, NULL));
    switch (target->operation) {
    case WF_WRITE_INSERT:
        out->copy_direct = spell_copy(target, target->table);
        out->merge = spell(spell_insert, target, stage, 0);
        break;
    case WF_WRITE_UPSERT:
        out->copy_direct = spell_copy(target, target->table);
        /* Two rows with one key are an error of ON CONFLICT, and rare. */
        out->merge = spell(spell_upsert, target, stage, 0);
        out->merge_last = spell(spell_upsert, target, stage, 1);
        /* The last of several must not be left out for what is there, and another one taken. */
        out->merge_some_last = spell(spell_some, target, stage, 1);
        out->merge_some = spell(spell_some, target, stage, 0);
        break;
    case WF_WRITE_UPDATE:
        /* They are no error here, and either might win. */
        out->merge = spell(spell_update, target, stage, 1);
        break;
    default:
        out->merge = spell(spell_delete, target, stage, 0);
    }
}
