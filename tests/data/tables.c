// Tables from CSV files: fields as RFC 4180 has them, kinds found out, what is missing, what is
// broken by line, and files larger than a block.
#define _POSIX_C_SOURCE 200809L
#include "support.h"
#include <cajal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *write_text(const char *text)
{
    const char *path = support_path("table.csv");
    support_write(path, text, strlen(text));
    return path;
}

static cj_table *load(const char *text)
{
    cj_table *table;
    assert_int_equal(cj_load_csv(write_text(text), &table), CJ_OK);
    return table;
}

static const char *text_at(const cj_table *table, int column, int64_t row)
{
    return cj_table_text(table, column, cj_table_indices(table, column)[row]);
}

static void columns_have_names_and_kinds(void **state)
{
    (void)state;
    cj_table *t = load("\xef\xbb\xbfsize,town,\"price, $\"\r\n12.5,\"Ulm\",1e3\r\n\r\n-3,Jena,?\r\n"
                       " 7 ,Ulm, +.5\r\n");
    assert_int_equal(cj_table_rows(t), 3);
    assert_int_equal(cj_table_columns(t), 3);
    assert_string_equal(cj_table_name(t, 2), "price, $");
    assert_int_equal(cj_table_find(t, "town"), 1);
    assert_int_equal(cj_table_find(t, "none"), -1);
    assert_int_equal(cj_table_kind(t, 0), CJ_COLUMN_NUMBER);
    assert_int_equal(cj_table_kind(t, 1), CJ_COLUMN_CATEGORY);
    assert_true(cj_table_numbers(t, 0)[2] == 7);
    assert_true(cj_table_numbers(t, 2)[0] == 1000 && cj_table_numbers(t, 2)[2] == 0.5);
    assert_true(isnan(cj_table_numbers(t, 2)[1]));
    assert_int_equal(cj_table_missing(t, 2), 1);
    assert_string_equal(text_at(t, 1, 1), "Jena");
    assert_ptr_equal(text_at(t, 1, 0), text_at(t, 1, 2));
    assert_null(cj_table_text(t, 1, 2));
    assert_null(cj_table_numbers(t, 1));
    assert_null(cj_table_indices(t, 0));
    cj_release(t);
}

static void quotes_hold_anything(void **state)
{
    (void)state;
    cj_table *t = load("a,b\n\"x\n\"\"y\"\", z\r\n\",1\n\"\",\" \"\n\"\"\"\",\"2\"");
    assert_int_equal(cj_table_rows(t), 3);
    assert_string_equal(text_at(t, 0, 0), "x\n\"y\", z\r\n");
    assert_int_equal(cj_table_missing(t, 0), 1);
    assert_string_equal(text_at(t, 0, 2), "\"");
    assert_int_equal(cj_table_kind(t, 1), CJ_COLUMN_CATEGORY); // a space is a text
    cj_release(t);
}

static void separators_and_headings_are_found(void **state)
{
    (void)state;
    cj_table *t = load("1;2,5\n3;x");
    assert_int_equal(cj_table_columns(t), 2);
    assert_string_equal(cj_table_name(t, 1), "column 1");
    assert_string_equal(text_at(t, 1, 0), "2,5");
    cj_release(t);
    t = load("a\tb,c\td\n1\t2\t3");
    assert_int_equal(cj_table_columns(t), 3);
    cj_release(t);
    assert_int_equal(cj_load_csv(write_text("a,b\nc,d\n"), &t, .header = 0), CJ_OK);
    assert_int_equal(cj_table_rows(t), 2);
    cj_release(t);
    assert_int_equal(cj_load_csv(write_text("1,2\n3,4\n5,6\n"), &t, .header = 1, .max_rows = 1),
                     CJ_OK);
    assert_string_equal(cj_table_name(t, 0), "1");
    assert_int_equal(cj_table_rows(t), 1);
    cj_release(t);
}

static void keep_warning(const char *sentence, void *context)
{
    snprintf(context, 256, "%s", sentence);
}

static void numbers_may_have_a_decimal_comma(void **state)
{
    (void)state;
    static const char text[] = "a;b;c\n1,5;2;x\n-2,25e1;;1.5\n;-3;1,5\n";
    char warned[256] = "";
    cj_table *t;
    cj_set_warning_handler(keep_warning, warned);
    cj_release(load(text));
    cj_set_warning_handler(NULL, NULL);
    assert_non_null(strstr(warned, "column \"a\""));
    assert_non_null(strstr(warned, ".decimal = ','"));
    assert_int_equal(cj_load_csv(write_text(text), &t, .decimal = ','), CJ_OK);
    const double *a = cj_table_numbers(t, 0);
    assert_true(a[0] == 1.5 && a[1] == -22.5 && isnan(a[2]));
    assert_true(cj_table_numbers(t, 1)[2] == -3);
    assert_int_equal(cj_table_kind(t, 2), CJ_COLUMN_CATEGORY);
    cj_release(t);
    assert_int_equal(cj_load_csv(write_text(text), &t, .decimal = 'x'), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_csv(write_text(text), &t, .decimal = ',', .separator = ','),
                     CJ_INVALID_ARGUMENT);
}

// Two members by Python's gzip.compress() of a byte-order mark and
// name;size;"no\nte"\r\n"a;b";1.5;"two\nlines"\r\nc;2;x\r\n
static const unsigned char packed[92] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x7b\xbf\x7b\x7f\x5e\x62\x6e\xaa\x75\x71\x66\x55"
    "\xaa\xb5\x52\x5e\x3e\x57\x49\xaa\x12\x2f\x97\x52\xa2\x75\x92\x92\xb5\xa1\x1e\x00\x9a\x3c"
    "\x1d\xc5\x1e\x00\x00\x00\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\xb5\x56\x2a\x29\xcf"
    "\xe7\xca\xc9\xcc\x4b\x2d\x56\xe2\xe5\x4a\xb6\x36\xb2\xae\xe0\xe5\x02\x00\x78\x3e\xfc\x62"
    "\x16\x00\x00";

static void packed_tables_are_read(void **state)
{
    (void)state;
    cj_table *t;
    const char *path = support_path("table.csv.gz");
    support_write(path, packed, sizeof packed);
    const cj_status status = cj_load_csv(path, &t);
    if (status == CJ_UNSUPPORTED)
        support_skip("this build reads no gzip");
    assert_int_equal(status, CJ_OK);
    assert_int_equal(cj_table_rows(t), 2);
    assert_string_equal(cj_table_name(t, 2), "no\nte");
    assert_string_equal(text_at(t, 0, 0), "a;b");
    assert_string_equal(text_at(t, 2, 0), "two\nlines");
    assert_near(cj_table_numbers(t, 1)[0], 1.5, 0, 0);
    cj_release(t);
    for (size_t cut = 2; cut < sizeof packed; cut++) {
        support_write(path, packed, cut);
        if (cut != 50) // the end of the first member, and of a file of its own
            assert_int_equal(cj_load_csv(path, &t), CJ_BAD_FILE);
    }
}

static void blanks_and_tabs_may_separate(void **state)
{
    (void)state;
    cj_table *t;
    assert_int_equal(
        cj_load_csv(write_text("  a b\t c \n1  2\t3\n\n   \n4 5 6  \n"), &t, .separator = ' '),
        CJ_OK);
    assert_int_equal(cj_table_rows(t), 2);
    assert_int_equal(cj_table_columns(t), 3);
    assert_string_equal(cj_table_name(t, 2), "c");
    assert_near(cj_table_numbers(t, 2)[1], 6, 0, 0);
    cj_release(t);
    const char *path = support_path("table.tsv"); // more commas than tabs
    const char *text = "last, first, middle\tage\nx, y, z\t3\n";
    support_write(path, text, strlen(text));
    assert_int_equal(cj_load_csv(path, &t), CJ_OK);
    assert_int_equal(cj_table_columns(t), 2);
    assert_string_equal(text_at(t, 0, 0), "x, y, z");
    cj_release(t);
}

static void what_is_no_plain_text_is_named(void **state)
{
    (void)state;
    cj_table *t;
    assert_int_equal(cj_load_csv(write_text("\x1f\x8b\x08\x01"), &t), CJ_BAD_FILE);
    assert_non_null(strstr(cj_error(), "gzip"));
    assert_int_equal(cj_load_csv(write_text("\xff\xfe"
                                            "a,b"),
                                 &t),
                     CJ_UNSUPPORTED);
    assert_non_null(strstr(cj_error(), "UTF-16"));
}

static void many_texts_are_no_categories(void **state)
{
    (void)state;
    cj_table *t;
    assert_int_equal(cj_load_csv(write_text("a,b\nx,p\ny,p\nz,q\n"), &t, .max_categories = 2),
                     CJ_OK);
    assert_int_equal(cj_table_kind(t, 0), CJ_COLUMN_TEXT);
    assert_int_equal(cj_table_kind(t, 1), CJ_COLUMN_CATEGORY);
    assert_int_equal(cj_table_text_count(t, 0), 3);
    cj_release(t);
}

static void numbers_are_the_nearest(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.1",
                                        "123456789012345678",
                                        "9007199254740993",
                                        "0.30000000000000004",
                                        "1.7976931348623157e308",
                                        "4.9e-324",
                                        "-1e-5",
                                        "00000000000000000000012.50",
                                        "3.14159265358979323846264338327950288",
                                        "inf"};
    char file[1024] = "h\n";
    for (int i = 0; i < 10; i++) {
        strcat(file, texts[i]);
        strcat(file, "\n");
    }
    cj_table *t = load(file);
    assert_int_equal(cj_table_kind(t, 0), CJ_COLUMN_NUMBER);
    for (int i = 0; i < 10; i++)
        assert_true(cj_table_numbers(t, 0)[i] == strtod(texts[i], NULL));
    cj_release(t);
    t = load("h\n0x10\n1e\n1.2.3\n-\n.\n1 2\n");
    assert_int_equal(cj_table_text_count(t, 0), 6);
    cj_release(t);
}

static void what_is_broken_is_named_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"a,b\n1,2\n3\n", "line 3: 1 fields, the first record has 2"},
        {"a,b\n1,2,3\n", "line 2: 3 fields"},
        {"a,b\n\"1\n\n\",2\n3\n", "line 5: 1 fields"},
        {"a\n\"b", "line 2: a quote is never closed"},
        {"a\n\"b\"c\n", "line 2: there is text after a closing quote"},
        {"a,a\n1,2\n", "two columns have the name \"a\""},
        {"", "no columns"},
        {"\n\n", "no columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cj_table *t;
        assert_int_equal(cj_load_csv(write_text(cases[i].text), &t), CJ_BAD_FILE);
        assert_error_contains(cases[i].part);
        assert_null(t);
    }
    cj_table *t;
    support_write(support_path("zero.csv"), "a\n1\0", 4);
    assert_int_equal(cj_load_csv(support_path("zero.csv"), &t), CJ_BAD_FILE);
    assert_error_contains("byte 0");
    assert_int_equal(cj_load_csv(support_path("none.csv"), &t), CJ_NOT_FOUND);
    assert_int_equal(cj_load_csv(write_text("a\n"), &t, .separator = '"'), CJ_INVALID_ARGUMENT);
    assert_int_equal(cj_load_csv(write_text("a,b\n1,2\n3\n4,5\n"), &t, .skip_broken = true), CJ_OK);
    assert_int_equal(cj_table_rows(t), 2);
    cj_release(t);
}

// Three megabytes, with quotes, CR and CRLF wherever blocks end, and a column that turns out to be
// of texts near the end.
static void blocks_do_not_show(void **state)
{
    (void)state;
    enum { ROWS = 90001 };
    FILE *file = fopen(support_path("large.csv"), "wb");
    assert_non_null(file);
    fputs("number,text,late\r\n", file);
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,\"a\"\"%d\r\n%*s,\",%s%s", i, i % 50, i % 37, "", i == 89000 ? "x" : "7",
                i % 3 == 0 ? "\r\n" :
                i % 3 == 1 ? "\n" :
                             "\r");
    fclose(file);
    cj_table *t;
    assert_int_equal(cj_load_csv(support_path("large.csv"), &t, .max_categories = 5000), CJ_OK);
    assert_int_equal(cj_table_rows(t), ROWS);
    for (int i = 0; i < ROWS; i++) {
        char text[64];
        snprintf(text, sizeof text, "a\"%d\r\n%*s,", i % 50, i % 37, "");
        assert_true(cj_table_numbers(t, 0)[i] == i);
        assert_string_equal(text_at(t, 1, i), text);
        assert_string_equal(text_at(t, 2, i), i == 89000 ? "x" : "7");
    }
    assert_int_equal(cj_table_text_count(t, 1), 50 * 37);
    cj_release(t);
}

static const char small[] = "a,\"b \"\"\",c\r\n1,\"x\ny\",NA\n2.5e3,z,\"\"\r-7,,w";

static void every_truncation_and_byte_is_survived(void **state)
{
    (void)state;
    static const char others[] = "\"\n\r,0\xff";
    char bytes[sizeof small];
    cj_table *t;
    for (size_t i = 0; i < sizeof small; i++) {
        support_write(support_path("small.csv"), small, i);
        if (cj_load_csv(support_path("small.csv"), &t) == CJ_OK)
            cj_release(t);
        for (size_t k = 0; i + 1 < sizeof small && k < sizeof others; k++) {
            memcpy(bytes, small, sizeof small);
            bytes[i] = others[k];
            support_write(support_path("small.csv"), bytes, sizeof small - 1);
            if (cj_load_csv(support_path("small.csv"), &t) == CJ_OK)
                cj_release(t);
        }
    }
}

static cj_status load_small(void *context)
{
    (void)context;
    cj_table *t;
    const cj_status status = cj_load_csv(support_path("small.csv"), &t);
    cj_release(t);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    support_write(support_path("small.csv"), small, sizeof small - 1);
    support_fail_each_allocation(load_small, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_have_names_and_kinds),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(separators_and_headings_are_found),
        cmocka_unit_test(many_texts_are_no_categories),
        cmocka_unit_test(numbers_may_have_a_decimal_comma),
        cmocka_unit_test(packed_tables_are_read),
        cmocka_unit_test(blanks_and_tabs_may_separate),
        cmocka_unit_test(what_is_no_plain_text_is_named),
        cmocka_unit_test(numbers_are_the_nearest),
        cmocka_unit_test(what_is_broken_is_named_by_line),
        cmocka_unit_test(blocks_do_not_show),
        cmocka_unit_test(every_truncation_and_byte_is_survived),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
