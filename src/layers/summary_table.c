#include "layers/summary_table.h"

#include <math.h>
#include <string.h>

// Keras asks for columns of width (int)(end * width) minus what came before; rich then takes the
// room of borders and paddings from all columns alike, by shares rounded half to even.
bool cj__table_share(cj__table *table, int width, const double *ends)
{
    int taken = 0, excess = 3 * table->count + 1;
    for (int c = 0; c < table->count; c++) {
        const int asked = (int)(ends[c] * width) - taken;
        const int less = (int)nearbyint((double)excess / (table->count - c));
        table->columns[c].width = asked - less;
        if (asked < 4 || table->columns[c].width < 2)
            return false;
        taken += asked;
        excess -= less;
    }
    return true;
}

static void rule(const cj__table *t, const char *left, const char *line, const char *cross,
                 const char *right)
{
    fputs(left, t->stream);
    for (int c = 0; c < t->count; c++) {
        for (int i = 0; i < t->columns[c].width + 2; i++)
            fputs(line, t->stream);
        fputs(c + 1 < t->count ? cross : right, t->stream);
    }
    fputc('\n', t->stream);
}

// One line of a cell: its bytes, its characters, and whether it ends in an ellipsis.
typedef struct line {
    int bytes, characters;
    bool cut;
} line;

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

// The next line of a cell: whole words while they fit. A word that is longer than a line is cut:
// one character less than the line has, and an ellipsis.
static line next_line(const char *text, int width)
{
    line words = {0}, part = {0};
    int characters = 0;
    for (int i = 0;; i++) {
        if (text[i] != '\0' && !begins_character(text[i]))
            continue;
        if (text[i] == '\0')
            return (line){i, characters, false};
        if (text[i] == ' ')
            words = (line){i, characters, false};
        if (characters == width - 1)
            part = (line){i, characters, true};
        if (characters == width)
            return words.bytes > 0 ? words : part;
        characters++;
    }
}

static void print_cells(const cj__table *t, const char *border, char cells[][CJ__TABLE_CELL])
{
    const char *rest[CJ__TABLE_COLUMNS];
    bool more = true;
    for (int c = 0; c < t->count; c++)
        rest[c] = cells[c];
    for (bool first = true; more || first; first = false) {
        more = false;
        for (int c = 0; c < t->count; c++) {
            const cj__table_column *column = &t->columns[c];
            const line l = next_line(rest[c], column->width);
            const int gap = column->width - l.characters - l.cut;
            const int left = column->align == CJ__ALIGN_LEFT   ? 0 :
                             column->align == CJ__ALIGN_CENTER ? gap / 2 :
                                                                 gap;
            fprintf(t->stream, "%s %*s%.*s%s%*s ", border, left, "", l.bytes, rest[c],
                    l.cut ? "…" : "", gap - left, "");
            rest[c] += l.cut ? strcspn(rest[c], " ") : (size_t)l.bytes;
            rest[c] += first && l.bytes == 0 ? 0 : strspn(rest[c], " ");
            more = more || *rest[c];
        }
        fprintf(t->stream, "%s\n", border);
    }
}

void cj__table_begin(const cj__table *t)
{
    char headers[CJ__TABLE_COLUMNS][CJ__TABLE_CELL];
    for (int c = 0; c < t->count; c++)
        snprintf(headers[c], sizeof headers[c], "%s", t->columns[c].header);
    rule(t, "┏", "━", "┳", "┓");
    print_cells(t, "┃", headers);
    rule(t, "┡", "━", "╇", "┩");
}

void cj__table_row(cj__table *t, char cells[][CJ__TABLE_CELL])
{
    if (t->rows++ > 0)
        rule(t, "├", "─", "┼", "┤");
    print_cells(t, "│", cells);
}

void cj__table_end(const cj__table *t)
{
    rule(t, "└", "─", "┴", "┘");
}
