// A history as a CSV file (RFC 4180). Numbers have a point in every locale, and come back as they are.
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include <cajal/train.h>
#include <math.h>
#include <string.h>

// A name, in quotes where it has what separates fields.
static void write_name(FILE *out, const char *name)
{
    if (!name[strcspn(name, ",\"\r\n")]) {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name; name++) {
        if (*name == '"')
            fputc('"', out);
        fputc(*name, out);
    }
    fputc('"', out);
}

static void write_rows(FILE *out, const cj_history *history)
{
    char number[CJ__NUMBER_TEXT];
    const int names = cj_history_names(history);
    fputs("epoch", out);
    for (int i = 0; i < names; i++) {
        fputc(',', out);
        write_name(out, cj_history_name(history, i));
    }
    fputc('\n', out);
    for (int epoch = 0; epoch < cj_history_epochs(history); epoch++) {
        fprintf(out, "%d", epoch);
        for (int i = 0; i < names; i++) {
            const double value = cj_history_value(history, cj_history_name(history, i), epoch);
            fputc(',', out);
            if (!isnan(value))
                fputs(cj__number_text(value, number), out);
        }
        fputc('\n', out);
    }
}

cj_status cj_history_save_csv(const cj_history *history, const char *path)
{
    cj__output output = {0};
    if (!history || !path)
        return cj__fail_null(history ? "cj_history_save_csv: the path" :
                                       "cj_history_save_csv: the history");
    CJ_TRY(cj__output_open(&output, path));
    write_rows(output.stream, history);
    return cj__output_commit(&output);
}
