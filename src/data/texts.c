// Labelled texts: lines "LABEL TAB TEXT" as data sets.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/random.h"
#include "data/dataset.h"
#include "tensor/strings.h"

#include <cajal/text.h>
#include <stdlib.h>
#include <string.h>

CJ__DEFAULTS(load_texts, LOAD_TEXTS)

enum { LABEL_MAX = 255 };

// A label, and where it was first met.
typedef struct label {
    char *text;
    double number; // its value; -1 if it is no whole number from 0
} label;

typedef struct labelled {
    cj_tensor *lines;
    cj_text *texts; // of each sample
    label **of;     // and its label
    int64_t count;  // samples
    label **labels; // all, each once
    size_t label_count, capacity;
} labelled;

static void labelled_free(labelled *l)
{
    for (size_t i = 0; i < l->label_count; i++) {
        cj__free(l->labels[i]->text);
        cj__free(l->labels[i]);
    }
    cj__free(l->labels);
    cj__free(l->of);
    cj__free(l->texts);
    cj_release(l->lines);
}

static double number_of(const char *text)
{
    double number = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return -1;
        number = number * 10 + (*c - '0');
    }
    return *text ? number : -1;
}

// Where a label stands, or would have to be put, among those that are sorted by bytes.
static size_t place_of(const labelled *l, const char *text, bool *found)
{
    size_t low = 0, high = l->label_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(l->labels[middle]->text, text);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static label *label_of(labelled *l, const char *text)
{
    bool found = false;
    const size_t place = place_of(l, text, &found);
    if (found)
        return l->labels[place];
    if (!cj__reserve((void **)&l->labels, &l->capacity, l->label_count + 1, sizeof *l->labels))
        return NULL;
    label *made = cj__new(1, sizeof *made);
    char *copy = cj__copy_text(text);
    if (!made || !copy) {
        cj__free(made);
        cj__free(copy);
        return NULL;
    }
    *made = (label){copy, number_of(text)};
    memmove(l->labels + place + 1, l->labels + place, (l->label_count - place) * sizeof *l->labels);
    l->labels[place] = made;
    l->label_count++;
    return made;
}

static cj_status read_line(labelled *l, int64_t index, const char *path)
{
    char text[LABEL_MAX + 1];
    const cj_text line = cj__string_at(l->lines->data, index);
    const char *tab = memchr(line.data, '\t', (size_t)line.length);
    if (line.length == 0)
        return CJ_OK;
    if (!tab || tab == line.data || tab - line.data > LABEL_MAX)
        return cj__fail(CJ_BAD_FILE, "%s: line %lld has no label before a tab", path,
                        (long long)index + 1);
    const size_t length = (size_t)(tab - line.data);
    memcpy(text, line.data, length);
    text[length] = '\0';
    if (!(l->of[l->count] = label_of(l, text)))
        return CJ_OUT_OF_MEMORY;
    l->texts[l->count++] = (cj_text){tab + 1, line.length - (int64_t)length - 1};
    return CJ_OK;
}

static int by_number(const void *a, const void *b)
{
    const double x = (*(label *const *)a)->number, y = (*(label *const *)b)->number;
    return (x > y) - (x < y);
}

static cj_status read_lines(labelled *l, const char *path)
{
    CJ_TRY(cj_load_lines(path, &l->lines));
    const int64_t lines = cj_tensor_count(l->lines);
    l->texts = cj__new((size_t)lines, sizeof *l->texts);
    l->of = cj__new((size_t)lines, sizeof(label *));
    if (!l->texts || !l->of)
        return CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < lines; i++)
        CJ_TRY(read_line(l, i, path));
    if (l->count == 0)
        return cj__fail(CJ_BAD_FILE, "%s: the file has no line", path);
    bool numbers = true;
    for (size_t i = 0; i < l->label_count; i++)
        numbers = numbers && l->labels[i]->number >= 0;
    if (numbers)
        qsort(l->labels, l->label_count, sizeof *l->labels, by_number);
    for (size_t i = 0; i < l->label_count; i++)
        l->labels[i]->number = (double)i; // from now on the number of the class
    return CJ_OK;
}

static cj_status name_classes(const labelled *l, cj_dataset *data)
{
    char **names = cj__new(l->label_count, sizeof *names);
    if (!names)
        return CJ_OUT_OF_MEMORY;
    for (size_t i = 0; i < l->label_count; i++)
        names[i] = l->labels[i]->text;
    const cj_status status = cj__dataset_name_classes(data, names, (int)l->label_count);
    cj__free(names);
    return status;
}

// The samples order[begin] .. order[begin + count - 1] as tensors.
static cj_status fill(const labelled *l, const int64_t *order, int64_t begin, int64_t count,
                      cj_tensor **x, cj_tensor **y)
{
    const char **values = cj__new((size_t)count, sizeof *values);
    int64_t *lengths = cj__new((size_t)count, sizeof *lengths);
    cj_status status =
        values && lengths ? cj_tensor_new(CJ_I32, CJ_SHAPE(count), y) : CJ_OUT_OF_MEMORY;
    for (int64_t i = 0; i < count && status == CJ_OK; i++) {
        const int64_t at = order[begin + i];
        values[i] = l->texts[at].data;
        lengths[i] = l->texts[at].length;
        ((int32_t *)cj_tensor_data(*y))[i] = (int32_t)l->of[at]->number;
    }
    if (status == CJ_OK)
        status = cj_tensor_from_texts(CJ_SHAPE(count, 1), (cj_texts){values, lengths, count}, x);
    cj__free(values);
    cj__free(lengths);
    return status;
}

static cj_status make(const labelled *l, const int64_t *order, int64_t begin, int64_t count,
                      cj_dataset **data)
{
    cj_tensor *x = NULL, *y = NULL;
    const cj_status status = fill(l, order, begin, count, &x, &y);
    if (status != CJ_OK) {
        cj_release(y);
        return status;
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? name_classes(l, *data) : cj_error_status();
}

static cj_status split(const labelled *l, const cj_load_texts_args *a, cj_dataset **train,
                       cj_dataset **validation)
{
    const int64_t held_out = (int64_t)(a->validation_split * (double)l->count);
    int64_t *order = cj__new((size_t)l->count, sizeof *order);
    cj_status status = order ? CJ_OK : CJ_OUT_OF_MEMORY;
    if (status == CJ_OK && a->validation_split > 0 && held_out == 0)
        status = cj__fail(CJ_INVALID_ARGUMENT,
                          "cj_load_texts: validation_split %g of %lld texts is none",
                          a->validation_split, (long long)l->count);
    for (int64_t i = 0; i < l->count && status == CJ_OK; i++)
        order[i] = i;
    if (status == CJ_OK && a->shuffle)
        cj__random_order(cj__key(a->seed, "texts"), 0, order, l->count);
    if (status == CJ_OK)
        status = make(l, order, 0, l->count - held_out, train);
    if (status == CJ_OK && held_out > 0)
        status = make(l, order, l->count - held_out, held_out, validation);
    cj__free(order);
    return status;
}

cj_status cj_load_texts_with(const char *path, cj_dataset **train, cj_dataset **validation,
                             const cj_load_texts_args *args)
{
    cj_load_texts_args given;
    labelled l = {0};
    if (!path || !train)
        return cj__fail_null(path ? "cj_load_texts: the place for the training data" :
                                    "cj_load_texts: the path");
    *train = NULL;
    if (validation)
        *validation = NULL;
    CJ_TRY(cj__args_read("cj_load_texts", args, &load_texts_defaults, sizeof given, &given));
    if (!(given.validation_split >= 0 && given.validation_split < 1))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "cj_load_texts: validation_split %g, it needs 0 to below 1",
                        given.validation_split);
    if (given.validation_split > 0 && !validation)
        return cj__fail_null("cj_load_texts: the place for the validation data");
    cj_status status = read_lines(&l, path);
    if (status == CJ_OK)
        status = split(&l, &given, train, validation);
    labelled_free(&l);
    if (status != CJ_OK) {
        cj_release(*train);
        *train = NULL;
    }
    return status;
}
