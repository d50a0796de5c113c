#include "base/class_settings.h"

#include "base/error.h"
#include "base/memory.h"
#include <string.h>

// By cj_setting_kind.
static const struct {
    cj__field_kind kind;
    size_t size;
    bool layer;
} kinds[] = {
    [CJ_SETTING_INT] = {CJ__FIELD_INT, sizeof(int64_t), false},
    [CJ_SETTING_NUMBER] = {CJ__FIELD_NUMBER, sizeof(double), false},
    [CJ_SETTING_BOOL] = {CJ__FIELD_BOOL, sizeof(bool), false},
    [CJ_SETTING_TEXT] = {CJ__FIELD_TEXT, sizeof(char *), false},
    [CJ_SETTING_NUMBERS] = {CJ__FIELD_NUMBERS, sizeof(cj_numbers), false},
    [CJ_SETTING_LAYER] = {CJ__FIELD_TEXT, sizeof(void *), true},
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0], ROWS_MAX = 60 };

// Keys that every layer, loss or metric has.
static bool is_reserved(const char *name)
{
    static const char *const names[] = {"name", "trainable", "dtype", "reduction"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static cj_status check_row(const cj__class_settings *s, int index, const char *who, bool layers)
{
    const cj_setting *row = &s->rows[index];
    if (!row->name || !*row->name)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: setting %d has no name", who, index);
    if (is_reserved(row->name))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: a setting cannot be called \"%s\": all have one",
                        who, row->name);
    for (int i = 0; i < index; i++)
        if (strcmp(s->rows[i].name, row->name) == 0)
            return cj__fail(CJ_INVALID_ARGUMENT, "%s: two settings are called \"%s\"", who,
                            row->name);
    if ((int)row->kind < 0 || (int)row->kind >= KIND_COUNT || (kinds[row->kind].layer && !layers))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: setting \"%s\" is of no kind that it can have",
                        who, row->name);
    if (row->offset > s->size || s->size - row->offset < kinds[row->kind].size)
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: setting \"%s\" lies outside the %zu bytes of the settings", who,
                        row->name, s->size);
    return CJ_OK;
}

cj_status cj__class_settings_check(const cj__class_settings *s, const char *who, size_t most,
                                   bool layers)
{
    if (s->count < 0 || s->count > ROWS_MAX)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %d settings, possible are 0 to %d", who, s->count,
                        (int)ROWS_MAX);
    if (s->count > 0 && (!s->rows || !s->defaults))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: its settings have no %s", who,
                        s->rows ? "defaults" : "rows");
    if (s->size > most)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: its settings have %zu bytes, possible are %zu",
                        who, s->size, most);
    for (int i = 0; i < s->count; i++)
        CJ_TRY(check_row(s, i, who, layers));
    return CJ_OK;
}

bool cj__class_settings_equal(const cj__class_settings *a, const cj__class_settings *b)
{
    if (a->count != b->count || a->size != b->size)
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->rows[i].kind != b->rows[i].kind || a->rows[i].offset != b->rows[i].offset ||
            strcmp(a->rows[i].name, b->rows[i].name) != 0)
            return false;
    return true;
}

void cj__class_settings_free(cj__class_settings *copy)
{
    cj_setting *rows = (cj_setting *)(uintptr_t)copy->rows;
    for (int i = 0; rows && i < copy->count; i++)
        cj__free((char *)(uintptr_t)rows[i].name);
    cj__free(rows);
    cj__free((void *)(uintptr_t)copy->defaults);
    *copy = (cj__class_settings){0};
}

cj_status cj__class_settings_copy(const cj__class_settings *s, cj__class_settings *copy)
{
    cj_setting *rows = cj__new((size_t)s->count + 1, sizeof *rows);
    void *defaults = cj__new(s->size + 1, 1);
    bool complete = rows && defaults;
    *copy = (cj__class_settings){rows, complete ? s->count : 0, defaults, s->size};
    for (int i = 0; complete && i < s->count; i++) {
        rows[i] = s->rows[i];
        rows[i].name = cj__copy_text(s->rows[i].name);
        complete = rows[i].name;
    }
    if (!complete) {
        cj__class_settings_free(copy);
        return CJ_OUT_OF_MEMORY;
    }
    if (s->defaults)
        memcpy(defaults, s->defaults, s->size);
    return CJ_OK;
}

int cj__class_settings_fields(const cj__class_settings *s, size_t shift, cj__field *fields)
{
    int count = 0;
    for (int i = 0; i < s->count; i++) {
        const cj_setting *row = &s->rows[i];
        if (!kinds[row->kind].layer)
            fields[count++] = (cj__field){.key = row->name,
                                          .kind = kinds[row->kind].kind,
                                          .offset = shift + row->offset,
                                          .required = row->required,
                                          .low = row->low,
                                          .high = row->high};
    }
    return count;
}
