// See look.h.
#include "look.h"
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES_MOST = 4096, CLASSES_SHOWN = 20, IMAGES_SHOWN = 10, GAP = 4, CHUNK = 1 << 16 };

// ---- numbers ----

typedef struct facts {
    double low, high, mean, squares; // squares: of differences from the mean, summed
    int64_t count, missing;          // finite numbers; NaNs and infinities
} facts;

static void take(facts *f, double value)
{
    if (!isfinite(value)) {
        f->missing++;
        return;
    }
    const double difference = value - f->mean;
    f->low = fmin(f->low, value);
    f->high = fmax(f->high, value);
    f->mean += difference / (double)++f->count;
    f->squares += difference * (value - f->mean);
}

// Some samples after the others, so that memory stays small.
static cj_status find_facts(const cj_tensor *tensor, facts *f)
{
    const int64_t samples = cj_tensor_shape(tensor)->dims[0],
                  each = samples > 0 ? cj_tensor_count(tensor) / samples : 0;
    const int64_t most = each < CHUNK ? CHUNK / (each + 1) + 1 : 1;
    *f = (facts){.low = (double)INFINITY, .high = (double)-INFINITY};
    for (int64_t done = 0, count; done < samples; done += count) {
        cj_tensor *some = NULL, *numbers = NULL;
        count = samples - done < most ? samples - done : most;
        cj_status status = cj_tensor_slice(tensor, 0, done, count, &some);
        if (status == CJ_OK)
            status = cj_tensor_convert(some, CJ_F64, &numbers);
        for (int64_t i = 0; status == CJ_OK && i < cj_tensor_count(numbers); i++)
            take(f, ((const double *)cj_tensor_data(numbers))[i]);
        cj_release(numbers);
        cj_release(some);
        CJ_TRY(status);
    }
    return CJ_OK;
}

static void print_facts(const facts *f)
{
    if (f->count > 0)
        printf("%.6g to %.6g, mean %.6g, deviation %.6g", f->low, f->high, f->mean,
               sqrt(f->squares / (double)f->count));
    else
        printf("no numbers");
    if (f->missing > 0)
        printf(", %lld missing (NaN or infinite)", (long long)f->missing);
}

// ---- texts ----

static int64_t words_of(const cj_text text)
{
    int64_t words = 0;
    for (int64_t i = 0; i < text.length; i++) {
        const bool space = strchr(" \t\r\n", text.data[i]) && text.data[i],
                   before = i == 0 || (strchr(" \t\r\n", text.data[i - 1]) && text.data[i - 1]);
        words += !space && before;
    }
    return words;
}

static void print_texts(const cj_tensor *x)
{
    const int64_t samples = cj_tensor_shape(x)->dims[0];
    facts bytes = {.low = (double)INFINITY, .high = (double)-INFINITY}, words = bytes;
    int64_t empty = 0;
    for (int64_t i = 0; i < samples; i++) {
        const cj_text text = cj_tensor_text(x, (int64_t[CJ_MAX_RANK]){i});
        take(&bytes, (double)text.length);
        take(&words, (double)words_of(text));
        empty += text.length == 0;
    }
    printf("%.0f to %.0f bytes, mean %.1f; %.0f to %.0f words, mean %.1f", bytes.low, bytes.high,
           bytes.mean, words.low, words.high, words.mean);
    if (empty > 0)
        printf(", %lld empty", (long long)empty);
    const cj_text first = cj_tensor_text(x, (int64_t[CJ_MAX_RANK]){0});
    char begin[64];
    snprintf(begin, sizeof begin, "%.*s", (int)(first.length < 60 ? first.length : 60), first.data);
    printf("\n  the first: ");
    print_text(begin, stdout);
    if (first.length > 60)
        printf("...");
}

// ---- classes ----

// The class of a sample; -1 where the target is no class.
static int64_t class_of(const cj_dataset *data, int64_t sample)
{
    const cj_tensor *y = cj_dataset_y(data, 0);
    const cj_shape *shape = cj_tensor_shape(y);
    if (!y || cj_tensor_dtype(y) == CJ_STRING || shape->rank > 2)
        return -1;
    const int64_t width = shape->rank == 2 ? shape->dims[1] : 1;
    double best = cj_tensor_get(y, (int64_t[]){sample, 0}), value;
    int64_t at = 0;
    for (int64_t c = 1; c < width; c++)
        if ((value = cj_tensor_get(y, (int64_t[]){sample, c})) > best) {
            best = value;
            at = c;
        }
    if (width > 1) // a row with one 1
        return best >= 1 && best <= 1 ? at : -1;
    return best >= 0 && best < CLASSES_MOST && best == floor(best) ? (int64_t)best : -1;
}

// How many samples each class has, in a new array of CLASSES_MOST; the number of classes up to the
// greatest that occurs, 0 where targets are no classes.
static int64_t count_classes(const cj_dataset *data, int64_t **counts)
{
    int64_t classes = 0;
    *counts = NULL;
    if (!cj_dataset_y(data, 0))
        return 0;
    *counts = calloc(CLASSES_MOST, sizeof **counts);
    for (int64_t i = 0; *counts && i < cj_dataset_count(data); i++) {
        const int64_t label = class_of(data, i);
        if (label < 0)
            return 0;
        (*counts)[label]++;
        classes = label + 1 > classes ? label + 1 : classes;
    }
    // whole numbers far apart are an amount
    return classes > 100 && classes > cj_dataset_count(data) / 2 ? 0 : classes;
}

static void print_classes(const char *name, const cj_dataset *data, const int64_t *counts,
                          int64_t classes)
{
    char text[64];
    printf("%lld classes\n", (long long)classes);
    for (int64_t c = 0; c < classes && c < CLASSES_SHOWN; c++) {
        name_of_class(name, data, c, text, sizeof text);
        printf("    %4lld ", (long long)c);
        print_text(text, stdout);
        printf("%*s %8lld  %5.1f %%\n", (int)(strlen(text) < 24 ? 24 - strlen(text) : 0), "",
               (long long)counts[c], 100.0 * (double)counts[c] / (double)cj_dataset_count(data));
    }
    if (classes > CLASSES_SHOWN)
        printf("         and %lld more\n", (long long)(classes - CLASSES_SHOWN));
}

// ---- a data set ----

static void print_shape(const char *role, int index, const cj_tensor *tensor)
{
    char text[160];
    cj_shape shape = *cj_tensor_shape(tensor);
    shape.rank--;
    memmove(shape.dims, shape.dims + 1, (size_t)shape.rank * sizeof shape.dims[0]);
    printf("  %s", role);
    if (index > 0)
        printf(" %d", index + 1);
    printf(" %s %s: ", cj_shape_text(&shape, text, sizeof text),
           cj_dtype_name(cj_tensor_dtype(tensor)));
}

static void describe_tensor(const char *role, int index, const cj_tensor *tensor)
{
    facts f;
    print_shape(role, index, tensor);
    if (cj_tensor_dtype(tensor) == CJ_STRING)
        print_texts(tensor);
    else if (find_facts(tensor, &f) == CJ_OK)
        print_facts(&f);
    putchar('\n');
}

void describe_data(const char *part, const char *name, const cj_dataset *data)
{
    int64_t *counts = NULL;
    printf("%s: %lld samples\n", part, (long long)cj_dataset_count(data));
    for (int i = 0; cj_dataset_x(data, i); i++)
        describe_tensor("input", i, cj_dataset_x(data, i));
    for (int i = 0; cj_dataset_y(data, i); i++) {
        const int64_t classes = i == 0 ? count_classes(data, &counts) : 0;
        if (classes > 0) {
            print_shape("target", i, cj_dataset_y(data, i));
            print_classes(name, data, counts, classes);
        } else {
            describe_tensor("target", i, cj_dataset_y(data, i));
        }
    }
    free(counts);
}

// ---- a table ----

static void print_texts_of(const cj_table *table, int column)
{
    const int64_t rows = cj_table_rows(table), texts = cj_table_text_count(table, column);
    const int32_t *indices = cj_table_indices(table, column);
    int64_t *counts = calloc((size_t)texts + 1, sizeof *counts);
    for (int64_t i = 0; counts && i < rows; i++)
        if (indices[i] >= 0)
            counts[indices[i]]++;
    printf("%lld different", (long long)texts);
    for (int64_t i = 0; counts && i < texts && i < 5 && texts <= 100; i++) {
        printf("%s", i == 0 ? ": " : ", ");
        print_text(cj_table_text(table, column, i), stdout);
        printf(" %lld", (long long)counts[i]);
    }
    printf("%s\n", texts > 5 && texts <= 100 ? ", ..." : "");
    free(counts);
}

static void print_column(const cj_table *table, int column, bool target)
{
    static const char *const kinds[] = {"number", "category", "text"};
    const cj_column_kind kind = cj_table_kind(table, column);
    const char *name = cj_table_name(table, column);
    printf("  ");
    print_text(name, stdout);
    printf("%*s %-9s%9lld  ", (int)(strlen(name) < 20 ? 20 - strlen(name) : 0), "", kinds[kind],
           (long long)cj_table_missing(table, column));
    if (kind == CJ_COLUMN_NUMBER) {
        const double *numbers = cj_table_numbers(table, column);
        facts f = {.low = (double)INFINITY, .high = (double)-INFINITY};
        for (int64_t i = 0; i < cj_table_rows(table); i++)
            take(&f, numbers[i]);
        f.missing = 0; // it has a column of its own
        print_facts(&f);
        putchar('\n');
    } else {
        print_texts_of(table, column);
    }
    if (target)
        printf("  %-20s the target\n", "");
}

// The columns of a file, one of which may be named after a colon.
static cj_status describe_columns(const char *begin)
{
    char path[4096];
    const char *colon = strrchr(begin, ':');
    cj_table *table = NULL;
    snprintf(path, sizeof path, "%s", begin);
    cj_status status = cj_load_csv(path, &table); // the whole may be the file's name
    if (status == CJ_NOT_FOUND && colon) {
        cj_error_clear();
        path[colon - begin < (ptrdiff_t)sizeof path ? colon - begin : 0] = '\0';
        status = cj_load_csv(path, &table, .header = 1);
    } else {
        colon = NULL;
    }
    CJ_TRY(status);
    const int target = colon ? cj_table_find(table, colon + 1) : -1;
    if (colon && target < 0) {
        status = cj_fail(CJ_INVALID_ARGUMENT, "%s: there is no column \"%s\"", path, colon + 1);
    } else {
        printf("%s: %lld rows, %d columns\n  %-20s %-9s%9s\n", path,
               (long long)cj_table_rows(table), cj_table_columns(table), "column", "kind",
               "missing");
        for (int i = 0; i < cj_table_columns(table); i++)
            print_column(table, i, i == target);
    }
    cj_release(table);
    return status;
}

cj_status describe_table(const char *name)
{
    return describe_columns(strchr(name, ':') + 1);
}

// ---- a file ----

// The first images of a tensor (n, h, w) or (n, h, w, channels).
static cj_status draw_samples(const char *path, const cj_tensor *samples, const char *picture)
{
    cj_tensor *images = NULL;
    cj_shape shape = *cj_tensor_shape(samples);
    if (shape.rank == 3)
        shape.dims[shape.rank++] = 1;
    CJ_TRY(cj_tensor_reshape(samples, shape, &images));
    cj_dataset *data = cj_dataset(.x = {images}); // which takes the view over
    const cj_status status = data ? draw_contact_sheet(path, data, picture) : cj_error_status();
    cj_release(data);
    return status;
}

// The samples of an IDX file, without labels.
static cj_status describe_idx(const char *path, const char *picture)
{
    cj_tensor *read = NULL;
    CJ_TRY(cj_load_idx(path, &read));
    printf("%s: IDX, %lld samples\n", path, (long long)cj_tensor_shape(read)->dims[0]);
    describe_tensor("each", 0, read);
    const cj_status status = picture ? draw_samples(path, read, picture) : CJ_OK;
    cj_release(read);
    return status;
}

static cj_status describe_image(const char *path, const char *picture)
{
    cj_tensor *image = NULL, *one = NULL;
    CJ_TRY(cj_load_image(path, 0, &image));
    const cj_shape *shape = cj_tensor_shape(image);
    cj_status status =
        cj_tensor_reshape(image, CJ_SHAPE(1, shape->dims[0], shape->dims[1], shape->dims[2]), &one);
    printf("%s: an image\n", path);
    if (status == CJ_OK)
        describe_tensor("pixels", 0, one);
    if (status == CJ_OK && picture)
        status = cj_save_png(image, picture);
    cj_release(one);
    cj_release(image);
    return status;
}

cj_status describe_file(const char *path, const char *picture)
{
    static const char *const tables[] = {".csv", ".tsv"};
    static const char *const pictures[] = {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".pnm"};
    for (int i = 0; i < 2; i++)
        if (ends_with(path, tables[i]))
            return picture ? cj_fail(CJ_INVALID_ARGUMENT,
                                     "%s is a table, of which there is no picture", path) :
                             describe_columns(path);
    for (int i = 0; i < 7; i++)
        if (ends_with(path, pictures[i]))
            return describe_image(path, picture);
    return describe_idx(path, picture);
}

// ---- the contact sheet ----

typedef struct contact {
    sheet s;
    const char *name;
    const cj_dataset *data;
    int zoom;
    int64_t width, height, left; // of an image; where images begin
} contact;

static int64_t column_x(const contact *c, int64_t column)
{
    return c->left + GAP + column * (c->width + GAP);
}

static int64_t row_y(const contact *c, int64_t row)
{
    return GAP + row * (c->height + GAP);
}

// The first images of each class, a class a row.
static void draw_classes(const contact *c, int64_t rows)
{
    int64_t drawn[CLASSES_SHOWN] = {0};
    char text[64];
    for (int64_t row = 0; row < rows; row++) {
        name_of_class(c->name, c->data, row, text, sizeof text);
        sheet_write(&c->s, text, GAP, row_y(c, row) + c->height / 2 - 5, c->left - GAP,
                    sheet_black);
    }
    for (int64_t i = 0; i < cj_dataset_count(c->data); i++) {
        const int64_t label = class_of(c->data, i);
        if (label < rows && drawn[label] < IMAGES_SHOWN)
            sheet_image(&c->s, cj_dataset_x(c->data, 0), i, c->zoom, column_x(c, drawn[label]++),
                        row_y(c, label));
    }
}

cj_status draw_contact_sheet(const char *name, const cj_dataset *data, const char *path)
{
    const cj_tensor *images = cj_dataset_x(data, 0);
    if (!has_images(images))
        return cj_fail(
            CJ_SHAPE_MISMATCH,
            "%s: its samples are no images of 1 or 3 channels, so there is no sheet of them", name);
    const cj_shape *shape = cj_tensor_shape(images);
    int64_t *counts = NULL;
    const int64_t classes = count_classes(data, &counts);
    const int64_t rows = classes == 0            ? IMAGES_SHOWN :
                         classes < CLASSES_SHOWN ? classes :
                                                   CLASSES_SHOWN;
    free(counts);
    contact c = {.name = name, .data = data, .zoom = sheet_zoom(shape), .left = classes ? 100 : 0};
    c.width = shape->dims[2] * c.zoom;
    c.height = shape->dims[1] * c.zoom;
    CJ_TRY(sheet_open(&c.s, column_x(&c, IMAGES_SHOWN), row_y(&c, rows)));
    if (classes > 0)
        draw_classes(&c, rows);
    for (int64_t i = 0; classes == 0 && i < rows * IMAGES_SHOWN && i < cj_dataset_count(data); i++)
        sheet_image(&c.s, images, i, c.zoom, column_x(&c, i % IMAGES_SHOWN),
                    row_y(&c, i / IMAGES_SHOWN));
    const cj_status status = sheet_save(&c.s, path);
    sheet_close(&c.s);
    return status;
}
