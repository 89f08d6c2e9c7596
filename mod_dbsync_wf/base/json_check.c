/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text is JSON (RFC 8259), and where and why not. One pass without recursion: a bit for
 * each open array or object is all that is remembered. The position of an error is worked out only
 * when there is one.
 */
#include "base/json.h"
#include "base/result.h"
#include "base/utf8.h"

typedef enum {
    EXPECT_VALUE,
    EXPECT_NAME,
    EXPECT_COLON,
    EXPECT_COMMA_OR_BRACKET,
    EXPECT_COMMA_OR_BRACE,
    EXPECT_QUOTE,
    EXPECT_DIGIT,
    EXPECT_ESCAPE,
    EXPECT_HEX
} expected_e;

typedef struct expectation_t {
    const char *met;   /* the reason where something else is there */
    const char *ended; /* the reason where the text ends */
} expectation_t;

/* clang-format off */
#define EXPECTATION(what) {what " is expected", "the text ends where " what " is expected"}
static const expectation_t expectations[] = {
    [EXPECT_VALUE]            = EXPECTATION("a value"),
    [EXPECT_NAME]             = EXPECTATION("a member name in double quotes"),
    [EXPECT_COLON]            = EXPECTATION("a colon"),
    [EXPECT_COMMA_OR_BRACKET] = EXPECTATION("a comma or ]"),
    [EXPECT_COMMA_OR_BRACE]   = EXPECTATION("a comma or }"),
    [EXPECT_QUOTE]            = EXPECTATION("a closing double quote"),
    [EXPECT_DIGIT]            = EXPECTATION("a digit"),
    [EXPECT_ESCAPE]           = EXPECTATION("one of \"\\/bfnrtu"),
    [EXPECT_HEX]              = EXPECTATION("a hexadecimal digit"),
};
/* clang-format on */

typedef struct scan_t {
    const unsigned char *at;
    const unsigned char *end;
    const char *reason; /* set by what fails, with at left on the cause */
    unsigned depth;
    unsigned max_depth;
    apr_uint64_t objects[WF_JSON_DEPTH_LIMIT / 64]; /* a bit for each level: set for an object */
} scan_t;

/* What a byte means inside a string; P is the common case and 0. */
enum { P, QUOTE, ESCAPE, CONTROL, LEAD };

/* clang-format off */
#define ROW(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
static const unsigned char string_bytes[256] = {
    ROW(CONTROL), ROW(CONTROL),
    P, P, QUOTE, P, P, P, P, P, P, P, P, P, P, P, P, P,
    ROW(P), ROW(P),
    P, P, P, P, P, P, P, P, P, P, P, P, ESCAPE, P, P, P,
    ROW(P), ROW(P),
    ROW(LEAD), ROW(LEAD), ROW(LEAD), ROW(LEAD), ROW(LEAD), ROW(LEAD), ROW(LEAD), ROW(LEAD),
};
#undef ROW
/* clang-format on */

static int fail(scan_t *scan, const char *reason)
{
    scan->reason = reason;
    return 0;
}

static int fail_expecting(scan_t *scan, expected_e expected)
{
    const expectation_t *expectation = &expectations[expected];

    return fail(scan, scan->at < scan->end ? expectation->met : expectation->ended);
}

static void pass_white(scan_t *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t')) {
        scan->at++;
    }
}

static int is_digit(const scan_t *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static int is_hex(const scan_t *scan)
{
    unsigned char c = scan->at < scan->end ? *scan->at : 0;

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* From the byte behind the backslash. */
static int pass_escape(scan_t *scan)
{
    unsigned char c = scan->at < scan->end ? *scan->at : 0;

    if (c == 0 || !strchr("\"\\/bfnrtu", c)) {
        return fail_expecting(scan, EXPECT_ESCAPE);
    }
    scan->at++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        if (!is_hex(scan)) {
            return fail_expecting(scan, EXPECT_HEX);
        }
        scan->at++;
    }
    return 1;
}

static int pass_character(scan_t *scan)
{
    int valid;
    apr_size_t span = wf_utf8_span(&valid, scan->at, scan->end);

    if (!valid) {
        return fail(scan, "the text is not UTF-8");
    }
    scan->at += span;
    return 1;
}

/* The rest of a string, from the byte behind the opening quote. */
static int pass_string(scan_t *scan)
{
    for (;;) {
        const unsigned char *at = scan->at;

        while (at < scan->end && string_bytes[*at] == P) {
            at++;
        }
        scan->at = at;
        if (at == scan->end) {
            return fail_expecting(scan, EXPECT_QUOTE);
        }
        switch (string_bytes[*at]) {
        case QUOTE:
            scan->at++;
            return 1;
        case CONTROL:
            return fail(scan, "a control character in a string must be escaped");
        case ESCAPE:
            scan->at++;
            if (!pass_escape(scan)) {
                return 0;
            }
            break;
        default:
            if (!pass_character(scan)) {
                return 0;
            }
        }
    }
}

static int pass_digits(scan_t *scan)
{
    if (!is_digit(scan)) {
        return fail_expecting(scan, EXPECT_DIGIT);
    }
    while (is_digit(scan)) {
        scan->at++;
    }
    return 1;
}

static int pass_integer(scan_t *scan)
{
    if (scan->at < scan->end && *scan->at == '0') {
        scan->at++;
        return is_digit(scan) ? fail(scan, "a number must not begin with 0") : 1;
    }
    return pass_digits(scan);
}

static int pass_number(scan_t *scan)
{
    scan->at += *scan->at == '-';
    if (!pass_integer(scan)) {
        return 0;
    }
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!pass_digits(scan)) {
            return 0;
        }
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
        scan->at++;
        scan->at += scan->at < scan->end && (*scan->at == '+' || *scan->at == '-');
        return pass_digits(scan);
    }
    return 1;
}

static int pass_literal(scan_t *scan, const char *literal, apr_size_t len)
{
    if ((apr_size_t)(scan->end - scan->at) < len || memcmp(scan->at, literal, len) != 0) {
        return fail(scan, expectations[EXPECT_VALUE].met);
    }
    scan->at += len;
    return 1;
}

static int pass_scalar(scan_t *scan)
{
    switch (scan->at < scan->end ? *scan->at : 0) {
    case '"':
        scan->at++;
        return pass_string(scan);
    case 'n':
        return pass_literal(scan, "null", 4);
    case 't':
        return pass_literal(scan, "true", 4);
    case 'f':
        return pass_literal(scan, "false", 5);
    default:
        if (is_digit(scan) || (scan->at < scan->end && *scan->at == '-')) {
            return pass_number(scan);
        }
        return fail_expecting(scan, EXPECT_VALUE);
    }
}

static int is_in_object(const scan_t *scan)
{
    unsigned level = scan->depth - 1;

    return (int)(scan->objects[level / 64] >> (level % 64) & 1);
}

/* A member's name and colon. */
static int pass_name(scan_t *scan)
{
    pass_white(scan);
    if (scan->at == scan->end || *scan->at != '"') {
        return fail_expecting(scan, EXPECT_NAME);
    }
    scan->at++;
    if (!pass_string(scan)) {
        return 0;
    }
    pass_white(scan);
    if (scan->at == scan->end || *scan->at != ':') {
        return fail_expecting(scan, EXPECT_COLON);
    }
    scan->at++;
    return 1;
}

typedef enum { FAILED, VALUE_NEXT, VALUE_ENDED } step_e;

/* Enters an array or object, up to where its first value is due, or leaves an empty one. */
static step_e open_container(scan_t *scan)
{
    int object = *scan->at == '{';
    apr_uint64_t bit = (apr_uint64_t)1 << (scan->depth % 64);

    if (scan->depth == scan->max_depth) {
        fail(scan, "arrays and objects are nested too deeply");
        return FAILED;
    }
    if (object) {
        scan->objects[scan->depth / 64] |= bit;
    } else {
        scan->objects[scan->depth / 64] &= ~bit;
    }
    scan->at++;
    pass_white(scan);
    if (scan->at < scan->end && *scan->at == (object ? '}' : ']')) {
        scan->at++;
        return VALUE_ENDED;
    }
    scan->depth++;
    return !object || pass_name(scan) ? VALUE_NEXT : FAILED;
}

static step_e begin_value(scan_t *scan)
{
    pass_white(scan);
    if (scan->at < scan->end && (*scan->at == '{' || *scan->at == '[')) {
        return open_container(scan);
    }
    return pass_scalar(scan) ? VALUE_ENDED : FAILED;
}

/* Behind a value: leaves what closes here, until another value is due or all is closed. */
static step_e end_value(scan_t *scan)
{
    while (scan->depth > 0) {
        int object = is_in_object(scan);
        unsigned char c;

        pass_white(scan);
        c = scan->at < scan->end ? *scan->at : 0;
        if (c == ',') {
            scan->at++;
            return !object || pass_name(scan) ? VALUE_NEXT : FAILED;
        }
        if (c != (object ? '}' : ']')) {
            fail_expecting(scan, object ? EXPECT_COMMA_OR_BRACE : EXPECT_COMMA_OR_BRACKET);
            return FAILED;
        }
        scan->at++;
        scan->depth--;
    }
    return VALUE_ENDED;
}

static int check_beginning(scan_t *scan)
{
    if ((apr_size_t)(scan->end - scan->at) >= 3 && memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0) {
        return fail(scan, "a byte order mark is not allowed");
    }
    pass_white(scan);
    return scan->at < scan->end ? 1 : fail(scan, "the text is empty");
}

static int check_text(scan_t *scan)
{
    step_e step;

    if (!check_beginning(scan)) {
        return 0;
    }
    do {
        step = begin_value(scan);
        if (step == VALUE_ENDED) {
            step = end_value(scan);
        }
    } while (step == VALUE_NEXT);
    if (step == FAILED) {
        return 0;
    }
    pass_white(scan);
    return scan->at == scan->end ? 1 : fail(scan, "nothing may follow the value");
}

/* All text before the cause has passed as UTF-8, so characters can be counted by lead bytes. */
static void locate(wf_json_error_t *error, wf_slice_t text, const scan_t *scan)
{
    const char *cause = (const char *)scan->at;
    const char *line = text.data;

    error->line = 1;
    for (const char *at = text.data; at < cause; at++) {
        if (*at == '\n') {
            error->line++;
            line = at + 1;
        }
    }
    error->column = 1 + wf_utf8_count(wf_slice_of(line, (apr_size_t)(cause - line)));
    error->reason = scan->reason;
}

apr_status_t wf_json_check(wf_slice_t text, unsigned max_depth, wf_json_error_t *error)
{
    scan_t scan;

    text = text.len ? text : wf_slice("");
    scan.at = (const unsigned char *)text.data;
    scan.end = scan.at + text.len;
    scan.reason = NULL;
    scan.depth = 0;
    scan.max_depth = max_depth < WF_JSON_DEPTH_LIMIT ? max_depth : WF_JSON_DEPTH_LIMIT;
    if (check_text(&scan)) {
        return APR_SUCCESS;
    }
    if (error) {
        locate(error, text, &scan);
    }
    return WF_EINVALID;
}
