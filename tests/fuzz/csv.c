// CSV files, with and without a heading.
#define _XOPEN_SOURCE 700
#include "file_input.h"
#include <cajal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const cj_table *table)
{
    const int64_t rows = cj_table_rows(table);
    for (int c = 0; c < cj_table_columns(table); c++) {
        const bool numbers = cj_table_kind(table, c) == CJ_COLUMN_NUMBER;
        if (!cj_table_name(table, c) || !cj_table_numbers(table, c) == numbers ||
            !cj_table_indices(table, c) != numbers)
            abort();
        for (int64_t i = 0; !numbers && i < rows; i++) {
            const int32_t at = cj_table_indices(table, c)[i];
            if (at < -1 || at >= cj_table_text_count(table, c) ||
                (at >= 0 && !cj_table_text(table, c, at)))
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = file_input(data, size);
    for (int header = -1; header < 2; header++) {
        cj_table *table = NULL;
        cj_error_clear();
        if (cj_load_csv(path, &table, .header = header, .skip_broken = header == 0) == CJ_OK)
            look(table);
        else if (table || !*cj_error())
            abort();
        cj_release(table);
    }
    return 0;
}
