/* SPDX-License-Identifier: Apache-2.0 */
/* The functions and operators of the mapping language: what each gives, and how each fails. */
#include "mapping_util.h"

static const char payload[] =
    "{\"name\": \"Jane\", \"uni\": \"\\u00e9t\\u00e9 \\ud83d\\ude00\", \"n\": 12.50, \"t\": "
    "\"12.50\",\n"
    " \"zero\": 0.00, \"big\": 123456789012345678901234567890.10, \"yes\": true, \"no\": false,\n"
    " \"null\": null, \"empty\": \"\", \"arr\": [1, [2, 3], \"x,]\"], \"obj\": {\"k\": \"v\"},\n"
    " \"a-b\": 7, \"a\": 5, \"b\": 2, \"dirty\": \" \\tx\\u0000\\u0001y\\u0085\\u00a0\", \"100%\": "
    "1}";

static const wf_scope_t scope = {.payload = {payload, sizeof(payload) - 1},
                                 .now = APR_INT64_C(1795491865123456)};

/* clang-format off */
static const case_t logic[] = {
    {"IF(yes, 'a', 'b')", "\"a\""}, {"IF(no, 'a', 'b')", "\"b\""}, {"if(no, 'a')", "null"},
    {"IF(null, 1, 2)", "2"}, {"IF(missing, 1, 2)", "2"}, {"IF(zero, 1, 2)", "2"},
    {"IF(empty, 1, 2)", "2"}, {"IF(-0e5, 1, 2)", "2"}, {"IF('0', 1, 2)", "1"},
    {"IF('false', 1, 2)", "1"}, {"IF(arr, 1, 2)", "1"}, {"IF(obj, 1, 2)", "1"},
    {"IF(0e1, 1, 2)", "2"}, {"IF(0.001, 1, 2)", "1"},
    /* only the branch that is needed is evaluated */
    {"IF(yes, 1, 1 / 0)", "1"}, {"IF(no, 1 / 0, 2)", "2"}, {"AND(no, 1 / 0)", "false"},
    {"OR(yes, 1 / 0)", "true"}, {"COALESCE(1, 1 / 0)", "1"}, {"no AND 1 / 0", "false"},
    {"yes OR 1 / 0", "true"}, {"SWITCH(1, 1, 'a', 1 / 0, 'b')", "\"a\""},
    {"AND(yes)", "true"}, {"AND(yes, 'x', 1)", "true"}, {"AND(yes, null, 1)", "false"},
    {"OR(no, 0, '')", "false"}, {"OR(no, 'x')", "true"}, {"NOT(yes)", "false"},
    {"NOT(null)", "true"}, {"NOT yes", "false"}, {"NOT NOT yes", "true"}, {"not 1 = 2", "true"},
    {"NOT(1) = FALSE", "true"},
    {"yes and no", "false"}, {"yes AND yes AND 1", "true"}, {"no OR no OR yes", "true"},
    {"yes OR no AND no", "true"}, {"(yes OR no) AND no", "false"}, {"NOT no AND no", "false"},
    {"ISNULL(null)", "true"}, {"ISNULL(missing)", "true"}, {"ISNULL(empty)", "false"},
    {"ISBLANK(empty)", "true"}, {"ISBLANK(missing)", "true"}, {"ISBLANK(' ')", "false"},
    {"ISBLANK(0)", "false"},
    {"COALESCE(missing, null, empty, 1)", "\"\""}, {"COALESCE(missing)", "null"},
    {"VALUE('missing', 'd')", "\"d\""}, {"VALUE('null', 3)", "3"}, {"VALUE('name', 1 / 0)", "\"Jane\""},
    {"SWITCH(b, 1, 'one', 2, 'two', 'many')", "\"two\""}, {"SWITCH(3, 1, 'one', 'many')", "\"many\""},
    {"SWITCH(3, 1, 'one')", "null"}, {"SWITCH(null, null, 'none')", "\"none\""},
};

static const case_t comparisons[] = {
    {"1 = 1.0", "true"}, {"1.0 = 1.00", "true"}, {"10e-1=1", "true"}, {"0 = -0", "true"},
    {"n = 12.5", "true"}, {"t = 12.5", "true"}, {"12.5 = t", "true"}, {"n = t", "true"},
    {"t = '12.5'", "false"}, {"'007' = 7", "true"}, {"'007' = '7'", "false"},
    {"'+1' = 1", "true"}, {"' .5 ' = 0.5", "true"}, {"'1.' = 1", "true"}, {"'' = 0", "false"},
    {"'1e' = 1", "false"}, {"'0x1' = 1", "false"}, {"'1 2' = 12", "false"}, {"'.' = 0", "false"},
    {"10 > 9", "true"}, {"'10' > '9'", "false"}, {"'10' > 9", "true"}, {"-1 < 1", "true"},
    {"-2 < -1", "true"}, {"-1.5 > -1.25", "false"}, {"1 < 1", "false"}, {"1 <= 1", "true"},
    {"1 >= 1", "true"}, {"2 <= 1", "false"}, {"0.1 < 0.11", "true"}, {"0 < 1e-999999", "true"},
    {"1e999999999999999999999 > 1e308", "true"}, {"big = 123456789012345678901234567890.1", "true"},
    {"big < 123456789012345678901234567890.11", "true"},
    {"1 != 2", "true"}, {"1 <> 1.0", "false"}, {"'a' < 'b'", "true"}, {"'a' < 'aa'", "true"},
    {"'Z' < 'a'", "true"}, {"name = 'Jane'", "true"}, {"name = \"jane\"", "false"},
    {"yes = TRUE", "true"}, {"yes = 'true'", "true"}, {"yes = 1", "false"}, {"no != yes", "true"},
    {"null = NULL", "true"}, {"null = ''", "false"}, {"null = 0", "false"}, {"missing = null", "true"},
    {"null != 1", "true"}, {"null < 1", "false"}, {"null > 1", "false"}, {"null <= null", "false"},
    {"1 >= null", "false"}, {"obj = '{\"k\": \"v\"}'", "true"},
    {"a = 5 AND b = 2", "true"}, {"a = 1 OR b = 2", "true"}, {"a + b = 7", "true"},
    {"(a = 5) = yes", "true"},
    {"name LIKE 'J%'", "true"}, {"name LIKE 'j%'", "false"}, {"name LIKE '_ane'", "true"},
    {"name LIKE 'Jane'", "true"}, {"name LIKE 'Jan'", "false"}, {"name LIKE '%a%e'", "true"},
    {"name LIKE '%'", "true"}, {"name LIKE ''", "false"}, {"empty LIKE ''", "true"},
    {"empty LIKE '%%'", "true"}, {"empty LIKE '_'", "false"}, {"'aXbXc' LIKE '%X_'", "true"},
    {"'aaab' LIKE '%aab'", "true"}, {"'abab' LIKE 'a%ab_'", "false"}, {"uni LIKE '_t_ _'", "true"},
    {"uni LIKE '___ __'", "false"}, {"'50%' LIKE '50\\%'", "true"}, {"'50x' LIKE '50\\%'", "false"},
    {"'a_b' LIKE 'a\\_b'", "true"}, {"'axb' LIKE 'a\\_b'", "false"}, {"'a\\' LIKE 'a\\\\'", "true"},
    {"'a\\' LIKE 'a\\'", "true"}, {"null LIKE '%'", "false"}, {"name LIKE null", "false"},
    {"name NOT LIKE 'K%'", "true"}, {"name not like 'J%'", "false"}, {"n LIKE '12%'", "true"},
};

static const case_t arithmetic[] = {
    {"1 + 2", "3"}, {"1+2", "3"}, {"1 - 2", "-1"}, {"a - b", "3"}, {"a-b", "7"}, {"a * b", "10"},
    {"a*b", "10"}, {"a / b", "2.5"}, {"0.1 + 0.2", "0.3"}, {"1.10 + 2.2", "3.3"},
    {"99.99 + 0.01", "100"}, {"5 - 5", "0"}, {"-5 - -5", "0"}, {"-1 * 0", "0"}, {"-2 * -3", "6"},
    {"-2 * 3.5", "-7"}, {"100 - 0.001", "99.999"}, {"1000 - 1", "999"}, {"1 - 1000", "-999"},
    {"big + 1", "123456789012345678901234567891.1"},
    {"9007199254740993 + 0", "9007199254740993"}, {"18446744073709551615 + 1", "18446744073709551616"},
    {"123456789 * 987654321", "121932631112635269"}, {"1e3 + 0", "1000"}, {"1.5E+1 + 0", "15"},
    {"1e-3 + 0", "0.001"}, {"t * 2", "25"}, {"2 + 3 * 4", "14"}, {"(2 + 3) * 4", "20"},
    {"10 - 3 - 2", "5"}, {"100 / 10 / 2", "5"}, {"-(a + b)", "-7"}, {"3 * -(b)", "-6"},
    {"-(0)", "0"}, {"a -(b)", "3"},
    {"1 / 3", "0.3333333333333333333333333333333333"},
    {"2 / 3", "0.6666666666666666666666666666666667"},
    {"-2 / 3", "-0.6666666666666666666666666666666667"},
    {"1 / 8", "0.125"}, {"0 / 5", "0"}, {"1e-40 / 4", "0.000000000000000000000000000000000000000025"},
    {"1e40 / 1e39", "10"}, {"99999999999999999999999999999999999999999 / 1",
     "99999999999999999999999999999999999999999"},
    {"9999999999999999999999999999999999 / 1e34 / 1", "0.9999999999999999999999999999999999"},
    {"99999999999999999999999999999999995 / 100000000000000000000000000000000000",
     "0.99999999999999999999999999999999995"},
    {"1 / 1e34 * 3", "0.0000000000000000000000000000000003"},
    {"200 / 7", "28.57142857142857142857142857142857"}, {"7 / 700", "0.01"}, {"10 / 5", "2"},
};

static const case_t numbers[] = {
    {"NUMBER(n)", "12.50"}, {"NUMBER(t)", "12.50"}, {"NUMBER('007')", "7"}, {"NUMBER(' +1.50 ')", "1.5"},
    {"NUMBER('.5')", "0.5"}, {"NUMBER('-.5e2')", "-50"}, {"NUMBER(null)", "0"}, {"NUMBER(empty)", "0"},
    {"NUMBER(yes)", "1"}, {"NUMBER(no)", "0"}, {"NUMBER('1e400')", "1e400"}, {"NUMBER(big)",
     "123456789012345678901234567890.10"},
    {"ASNUMBER('12 apples')", "0"}, {"ASNUMBER(name)", "0"}, {"ASNUMBER(t)", "12.50"},
    {"ASNUMBER(obj)", "0"}, {"ASNUMBER(null)", "0"}, {"ASNUMBER(yes)", "1"}, {"ASNUMBER(' 3')", "3"},
    {"ISNUMBER(t)", "true"}, {"ISNUMBER(n)", "true"}, {"ISNUMBER(name)", "false"},
    {"ISNUMBER(null)", "false"}, {"ISNUMBER(empty)", "false"}, {"ISNUMBER(yes)", "false"},
    {"ROUND(2.5)", "3"}, {"ROUND(-2.5)", "-3"}, {"ROUND(2.4)", "2"}, {"ROUND(2.345, 2)", "2.35"},
    {"ROUND(2.5, 2)", "2.5"}, {"ROUND(1234.5, -2)", "1200"}, {"ROUND(1250, -2)", "1300"},
    {"ROUND(49, -2)", "0"}, {"ROUND(50, -2)", "100"}, {"ROUND(4, -2)", "0"}, {"ROUND(99.99, 1)", "100"},
    {"ROUND(0.05, 1)", "0.1"}, {"ROUND(0.04, 1)", "0"}, {"ROUND(0)", "0"}, {"ROUND(0, -3)", "0"},
    {"ROUND(t, 1)", "12.5"}, {"ROUND(-0.4)", "0"},
    {"FLOOR(2.9)", "2"}, {"FLOOR(-2.1)", "-3"}, {"FLOOR(2)", "2"}, {"FLOOR(0.19, 1)", "0.1"},
    {"FLOOR(-0.5)", "-1"}, {"FLOOR(0.5)", "0"}, {"FLOOR(0, -2)", "0"},
    {"CEILING(2.1)", "3"}, {"CEILING(-2.9)", "-2"}, {"CEILING(0.11, 1)", "0.2"}, {"CEILING(1, -2)", "100"},
    {"CEILING(0, -2)", "0"}, {"CEILING(99.1)", "100"},
    {"FIXED(2.5, 2)", "\"2.50\""}, {"FIXED(2)", "\"2\""}, {"FIXED(1.005, 2)", "\"1.01\""},
    {"FIXED(0, 2)", "\"0.00\""}, {"FIXED(-0.001, 2)", "\"0.00\""}, {"FIXED(-1, 1)", "\"-1.0\""},
    {"FIXED(1e3, 1)", "\"1000.0\""}, {"FIXED(0.001, 5)", "\"0.00100\""},
    {"ABS(-5)", "5"}, {"ABS(5.10)", "5.1"}, {"ABS(0)", "0"}, {"MIN(3, 1.50, '2')", "1.50"},
    {"MAX(3, '10', null)", "10"}, {"MAX(null)", "null"}, {"MIN(-1, -2)", "-2"},
};

static const case_t texts[] = {
    {"CONCATENATE(name, ' ', n, null, yes)", "\"Jane 12.50true\""}, {"CONCAT('a')", "\"a\""},
    {"CONCATENATE(null)", "\"\""}, {"CONCATENATE(arr)", "\"[1, [2, 3], \\\"x,]\\\"]\""},
    {"TEXT(n)", "\"12.50\""}, {"TEXT(null)", "\"\""}, {"TEXT(obj)", "\"{\\\"k\\\": \\\"v\\\"}\""},
    {"UPPER(uni)", "\"\xC3\x89T\xC3\x89 \xF0\x9F\x98\x80\""},
    {"LOWER('\xC3\x89T\xC3\x89 \xCE\xA3 \xD0\x96 \xC5\x81')", "\"\xC3\xA9t\xC3\xA9 \xCF\x83 \xD0\xB6 \xC5\x82\""},
    {"UPPER('\xCF\x83 \xD0\xB6 \xC5\x82 \xC3\xBF \xC3\x9F')", "\"\xCE\xA3 \xD0\x96 \xC5\x81 \xC5\xB8 \xC3\x9F\""},
    {"UPPER('\xC9\x90')", "\"\xE2\xB1\xAF\""}, {"UPPER(null)", "null"}, {"LOWER(yes)", "\"true\""},
    {"UPPER('')", "\"\""},
    {"TRIM('  a b\t')", "\"a b\""}, {"TRIM('\xC2\xA0\xE3\x80\x80x\xEF\xBB\xBF')", "\"x\""}, {"TRIM('  ')", "\"\""},
    {"TRIM(null)", "null"}, {"CLEAN(dirty)", "\"xy\""}, {"CLEAN('a\nb')", "\"ab\""}, {"CLEAN(null)", "null"},
    {"CLEAN(uni)", "\"\xC3\xA9t\xC3\xA9 \xF0\x9F\x98\x80\""},
    {"SUBSTRING(uni, 2)", "\"t\xC3\xA9 \xF0\x9F\x98\x80\""}, {"SUBSTRING(uni, 5, 1)", "\"\xF0\x9F\x98\x80\""},
    {"SUBSTRING('abc', 2, 1)", "\"b\""}, {"MID('abc', 1, 2)", "\"ab\""}, {"SUBSTRING('abc', 4)", "\"\""},
    {"SUBSTRING('abc', 99, 5)", "\"\""}, {"SUBSTRING('abc', 2, 0)", "\"\""}, {"SUBSTRING(null, 1)", "null"},
    {"SUBSTRING('abc', '2')", "\"bc\""}, {"SUBSTRING('abc', 2.0)", "\"bc\""}, {"SUBSTRING(12345, 2, 3)", "\"234\""},
    {"LEFT(uni, 1)", "\"\xC3\xA9\""}, {"LEFT('abc', 0)", "\"\""}, {"LEFT('abc', 9)", "\"abc\""},
    {"LEFT(null, 1)", "null"}, {"RIGHT(uni, 3)", "\"\xC3\xA9 \xF0\x9F\x98\x80\""}, {"RIGHT('abc', 9)", "\"abc\""},
    {"RIGHT('abc', 0)", "\"\""}, {"RIGHT(null, 1)", "null"},
    {"LENGTH(uni)", "5"}, {"LEN('abc')", "3"}, {"LENGTH(null)", "0"}, {"LENGTH(n)", "5"},
    {"REPLACE('a-b-c', '-', '+')", "\"a+b+c\""}, {"REPLACE('aaa', 'aa', 'b')", "\"ba\""},
    {"REPLACE('abc', 'b', null)", "\"ac\""}, {"REPLACE('abc', '', 'x')", "\"abc\""},
    {"REPLACE('abc', 'x', 'y')", "\"abc\""}, {"REPLACE(null, 'a', 'b')", "null"},
    {"REPLACE('abc', null, 'x')", "\"abc\""}, {"REPLACE('', 'a', 'b')", "\"\""},
    {"REPLACE('a', 'a', '\xC3\xA9\xC3\xA9')", "\"\xC3\xA9\xC3\xA9\""},
    {"CONTAINS(name, 'an')", "true"}, {"CONTAINS(name, 'AN')", "false"}, {"CONTAINS(name, '')", "true"},
    {"CONTAINS(null, 'a')", "false"}, {"CONTAINS(name, null)", "false"}, {"STARTSWITH(name, 'Ja')", "true"},
    {"STARTSWITH(name, 'an')", "false"}, {"ENDSWITH(name, 'ne')", "true"}, {"ENDSWITH('abab', 'ab')", "true"},
    {"ENDSWITH(name, 'an')", "false"}, {"ENDSWITH(null, '')", "false"}, {"ENDSWITH(empty, '')", "true"},
    {"FIND(' ', uni)", "4"}, {"FIND('x', uni)", "0"}, {"FIND('', 'a')", "1"}, {"FIND('a', null)", "0"},
    {"SPLIT('a,b,,d', ',', 1)", "\"a\""}, {"SPLIT('a,b,,d', ',', 3)", "\"\""}, {"SPLIT('a,b,,d', ',', 4)", "\"d\""},
    {"SPLIT('a,b', ',', 3)", "null"}, {"SPLIT('', ',', 1)", "\"\""}, {"SPLIT(null, ',', 1)", "null"},
    {"SPLIT('a--b', '--', 2)", "\"b\""},
    {"LPAD(7, 3, 0)", "\"007\""}, {"LPAD('abc', 2)", "\"abc\""}, {"LPAD('a', 3)", "\"  a\""},
    {"LPAD('', 2, '\xC3\xA9')", "\"\xC3\xA9\xC3\xA9\""}, {"LPAD(null, 2)", "null"},
    {"URLENCODE('a b/\xC3\xA9~-._&=')", "\"a%20b%2F%C3%A9~-._%26%3D\""}, {"URLENCODE(null)", "null"},
    {"URLENCODE('')", "\"\""},
};

static const case_t dates[] = {
    {"NOW()", "\"2026-11-24T03:44:25.123Z\""}, {"NOW('%d.%m.%y %H:%M')", "\"24.11.26 03:44\""},
    {"NOW('%s')", "\"1795491865\""},
    {"FORMATDATE('2026-11-24', '%A %e %B %Y, day %j')", "\"Tuesday 24 November 2026, day 328\""},
    {"FORMATDATE('2026-11-24T23:30:00Z', '%F %T %z', '+02:00')", "\"2026-11-25 01:30:00 +0200\""},
    {"FORMATDATE('2026-01-01T00:30:00+01:00', '%F %I:%M %p %:z', '-05:30')",
     "\"2025-12-31 06:00 PM -05:30\""},
    {"FORMATDATE('2026-11-24 03:44', '%H:%M:%S.%L')", "\"03:44:00.000\""},
    {"FORMATDATE('1960-02-29', '%a %u %d/%m/%Y')", "\"Mon 1 29/02/1960\""},
    {"FORMATDATE(null, '%Y')", "null"}, {"FORMATDATE(empty, '%Y')", "null"},
    {"TODATE('24/11/2026', '%d/%m/%Y')", "\"2026-11-24T00:00:00.000Z\""},
    {"TODATE('1/2/2026 3:04 pm', '%d/%m/%Y %I:%M %p')", "\"2026-02-01T15:04:00.000Z\""},
    {"TODATE(1795491865, '%s')", "\"2026-11-24T03:44:25.000Z\""}, {"TODATE(null, '%s')", "null"},
    {"TODATE('', '%s')", "null"},
    {"DATEADD('2026-01-31', 1, 'month')", "\"2026-02-28T00:00:00.000Z\""},
    {"DATEADD('2024-02-29', -1, 'years')", "\"2023-02-28T00:00:00.000Z\""},
    {"DATEADD('2026-03-01', -1, 'DAYS')", "\"2026-02-28T00:00:00.000Z\""},
    {"DATEADD('2026-11-24T03:44:25.123Z', 2, 'hours')", "\"2026-11-24T05:44:25.123Z\""},
    {"DATEADD('2026-01-15', -13, 'months')", "\"2024-12-15T00:00:00.000Z\""},
    {"DATEADD(null, 1, 'weeks')", "null"},
};

static const case_t data[] = {
    {"JSON(name)", "\"\\\"Jane\\\"\""}, {"JSON(n)", "\"12.50\""}, {"JSON(null)", "\"null\""},
    {"JSON(obj)", "\"{\\\"k\\\": \\\"v\\\"}\""},
    {"FROMJSON('{\"a\": [1, 2]}')", "{\"a\": [1, 2]}"}, {"FROMJSON(' 1.0 ')", "1.0"},
    {"FROMJSON(null)", "null"}, {"FROMJSON(JSON(uni)) = uni", "true"}, {"FROMJSON('\"\\u00e9\"')", "\"\xC3\xA9\""},
    {"COUNT(arr)", "3"}, {"COUNT(null)", "0"}, {"COUNT(FROMJSON('[]'))", "0"}, {"COUNT(VALUE('arr/1'))", "2"},
    {"value of k", "\"v\""}, {"VALUE OF 'k'", "\"v\""}, {"value of \"100%\"", "1"}, {"value of nothing", "null"},
    {"value of arr/1/0", "2"}, {"value of @payload/k", "\"v\""}, {"UPPER(value of k)", "\"V\""},
    {"VALUE(\"name\") = value of name", "true"},
};

static const failure_t failures[] = {
    {"NUMBER(name)", "NUMBER needs a number, not the text \"Jane\""},
    {"NUMBER(arr)", "NUMBER needs a number, not an array"},
    {"NUMBER(obj)", "NUMBER needs a number, not an object"},
    {"a + null", "+ needs a number, not null"}, {"yes * 2", "* needs a number, not true"},
    {"1 - dirty", "- needs a number, not the text \"  x  y\xC2\x85\xC2\xA0\""}, {"-(name)", "- needs a number, not the text \"Jane\""},
    {"1 / 'a long text that is shown in part'", "/ needs a number, not the text \"a long text that is …\""},
    {"1 / 0", "nothing can be divided by 0"}, {"a / (b - 2)", "nothing can be divided by 0"},
    {"1e1000 + 0", "+ would take a number of more than 1000 digits"},
    {"1e-1000 + 1", "+ would take a number of more than 1000 digits"},
    {"1e600 * 1e600", "* would take a number of more than 1000 digits"},
    {"NUMBER('+1e1000')", "NUMBER would take a number of more than 1000 digits"},
    {"ABS(1e5000)", "ABS would take a number of more than 1000 digits"},
    {"ROUND('x')", "ROUND needs a number, not the text \"x\""},
    {"ROUND(1, 0.5)", "ROUND needs a whole number of digits from -100 to 100, not 0.5"},
    {"ROUND(1, 101)", "ROUND needs a whole number of digits from -100 to 100, not 101"},
    {"FIXED(1, -1)", "FIXED needs a whole number of digits from 0 to 100, not -1"},
    {"FIXED(1, 1e99)", "FIXED needs a whole number of digits from 0 to 100, not 1e99"},
    {"FIXED(1e950, 51)", "FIXED would take a number of more than 1000 digits"},
    {"MAX(1, name)", "MAX needs a number, not the text \"Jane\""},
    {"SUBSTRING(name, 0)", "SUBSTRING needs a whole number from 1 on, not 0"},
    {"MID(name, 1, -1)", "MID needs a whole number from 0 on, not -1"},
    {"LEFT(name, null)", "LEFT needs a whole number from 0 on, not null"},
    {"RIGHT(name, 'x')", "RIGHT needs a whole number from 0 on, not the text \"x\""},
    {"SPLIT(name, '', 1)", "SPLIT needs a separator that is not empty"},
    {"SPLIT(name, ',', 0)", "SPLIT needs a whole number from 1 on, not 0"},
    {"LPAD(name, 9, 'ab')", "LPAD fills with exactly one character"},
    {"LPAD(name, 9, '')", "LPAD fills with exactly one character"},
    {"LPAD(name, 999999999)", "more than 64 MiB would be built"},
    {"FORMATDATE('yesterday', '%Y')",
     "FORMATDATE needs a date such as 2026-11-24 or 2026-11-24T03:44:25Z, not the text \"yesterday\""},
    {"FORMATDATE(5, '%Y')", "FORMATDATE needs a date such as 2026-11-24 or 2026-11-24T03:44:25Z, not 5"},
    {"FORMATDATE('2026-11-24', name, 'x')", "FORMATDATE needs a zone such as \"+02:00\" or \"Z\", not the text \"x\""},
    {"FORMATDATE('2026-11-24', CONCAT('%', 'q'))", "%q in a date's pattern is none of %Y %y %m %d %e %j %H %I "
     "%M %S %L %f %p %a %A %u %b %B %z %:z %s %Q %F %T %%"},
    {"TODATE('2026-02-30', '%F')", "TODATE needs a date of the form %F, not the text \"2026-02-30\""},
    {"TODATE('1', TEXT('%j'))", "%j in a date's pattern is none of %Y %y %m %d %e %H %I %M %S %L %f %p "
     "%a %A %b %B %z %:z %s %Q %F %T %%"},
    {"DATEADD('2026-11-24', 1.5, 'days')", "DATEADD needs a whole number from -10000000 to 10000000, not 1.5"},
    {"DATEADD('2026-11-24', 1, name)", "DATEADD needs one of \"years\", \"months\", \"weeks\", \"days\", "
     "\"hours\", \"minutes\", \"seconds\", not the text \"Jane\""},
    {"DATEADD('2026-11-24', 9999, 'years')", "DATEADD gives a date that is not of the years 1 to 9999"},
    {"DATEADD('2026-11-24', -9999999, 'days')", "DATEADD gives a date that is not of the years 1 to 9999"},
    {"FROMJSON('{a}')", "FROMJSON needs JSON; line 1, column 2: a member name in double quotes is expected"},
    {"FROMJSON('')", "FROMJSON needs JSON; line 1, column 1: the text is empty"},
    {"COUNT(name)", "COUNT needs an array, not the text \"Jane\""}, {"COUNT(obj)", "COUNT needs an array, not an object"},
};
/* clang-format on */

static void gives_truths(void **state)
{
    (void)state;
    check_cases(logic, &scope);
    check_cases(comparisons, &scope);
}

static void computes(void **state)
{
    (void)state;
    check_cases(arithmetic, &scope);
    check_cases(numbers, &scope);
}

static void works_on_texts(void **state)
{
    (void)state;
    check_cases(texts, &scope);
}

static void works_on_dates(void **state)
{
    (void)state;
    check_cases(dates, &scope);
}

static void works_on_data(void **state)
{
    (void)state;
    check_cases(data, &scope);
}

static void says_why_it_fails(void **state)
{
    (void)state;
    check_failures(failures, &scope);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_truths),   cmocka_unit_test(computes),
        cmocka_unit_test(works_on_texts), cmocka_unit_test(works_on_dates),
        cmocka_unit_test(works_on_data),  cmocka_unit_test(says_why_it_fails),
    };

    return cmocka_run_group_tests_name("mapping functions", tests, set_up, tear_down);
}
