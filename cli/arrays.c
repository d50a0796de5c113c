// Arrays, recordings and series as data: "npy:X.npy,y.npy", "npy:FILE.npz", "wav:FOLDER" and
// "series:FILE.csv:COLUMN".
#include "arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIFTH = 5, RATE = 16000, WINDOW = 24 };

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool is_array_data(const char *name)
{
    return begins(name, "npy:") || begins(name, "wav:") || begins(name, "series:");
}

// ---- Arrays ----

// Inputs as models take them: float32, or bytes with an axis of channels.
static cj_status as_inputs(cj_tensor **x)
{
    const cj_shape shape = *cj_tensor_shape(*x);
    const cj_dtype dtype = cj_tensor_dtype(*x);
    cj_tensor *made = NULL;
    if (dtype == CJ_STRING)
        return CJ_OK;
    if (dtype == CJ_U8 && shape.rank == 3)
        CJ_TRY(
            cj_tensor_reshape(*x, CJ_SHAPE(shape.dims[0], shape.dims[1], shape.dims[2], 1), &made));
    else if (dtype != CJ_U8 && dtype != CJ_F32)
        CJ_TRY(cj_tensor_convert(*x, CJ_F32, &made));
    if (made) {
        cj_release(*x);
        *x = made;
    }
    return CJ_OK;
}

// Targets: whole numbers are classes, others numbers.
static cj_status as_targets(cj_tensor **y)
{
    const cj_dtype dtype = cj_tensor_dtype(*y);
    cj_tensor *made = NULL;
    if (dtype == CJ_STRING)
        return cj_fail(CJ_UNSUPPORTED,
                       "the targets are texts; class numbers or numbers are needed");
    const bool numbers = dtype == CJ_F32 || dtype == CJ_F64 || dtype == CJ_BF16;
    CJ_TRY(cj_tensor_convert(*y, numbers ? CJ_F32 : CJ_I32, &made));
    cj_release(*y);
    *y = made;
    return CJ_OK;
}

static cj_status make_set(cj_tensor *x, cj_tensor *y, cj_dataset **data)
{
    cj_status status = as_inputs(&x);
    if (status == CJ_OK)
        status = as_targets(&y);
    if (status != CJ_OK) {
        cj_release(x);
        cj_release(y);
        return status;
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? CJ_OK : cj_error_status();
}

// Four fifths and one fifth of a data set, which is released; `mixed` by a fixed order.
static cj_status split(cj_dataset *whole, bool mixed, cj_dataset **train, cj_dataset **test)
{
    const int64_t count = cj_dataset_count(whole), held = count / FIFTH;
    cj_dataset *data =
        cj_take(mixed ? cj_dataset_shuffle(whole, .reshuffle_each_iteration = false) : whole);
    cj_status status = data ? CJ_OK : cj_error_status();
    if (status == CJ_OK && held < 1)
        status = cj_fail(CJ_INVALID_ARGUMENT, "%lld samples are too few to hold some out",
                         (long long)count);
    if (status == CJ_OK)
        status = cj_dataset_read(data, 0, count - held, 0, train);
    if (status == CJ_OK)
        status = cj_dataset_read(data, count - held, held, 0, test);
    cj_release(data);
    return status;
}

static cj_status load_npz(const char *path, const char *x_name, const char *y_name,
                          cj_dataset **data)
{
    cj_tensor *x = NULL, *y = NULL;
    CJ_TRY(cj_load_npz(path, x_name, &x));
    const cj_status status = cj_load_npz(path, y_name, &y);
    if (status != CJ_OK) {
        cj_release(x);
        return status;
    }
    return make_set(x, y, data);
}

// An archive as keras.datasets has them, or with one "x" and "y".
static cj_status load_archive(const char *path, cj_dataset **train, cj_dataset **test)
{
    cj_status status = load_npz(path, "x_train", "y_train", train);
    if (status == CJ_OK)
        return load_npz(path, "x_test", "y_test", test);
    if (status != CJ_NOT_FOUND)
        return status;
    cj_dataset *whole = NULL;
    cj_error_clear();
    CJ_TRY(load_npz(path, "x", "y", &whole));
    return split(whole, true, train, test);
}

static cj_status load_pair(const char *x_path, const char *y_path, cj_dataset **data)
{
    cj_tensor *x = NULL, *y = NULL;
    CJ_TRY(cj_load_npy(x_path, &x, .mmap = true));
    const cj_status status = cj_load_npy(y_path, &y);
    if (status != CJ_OK) {
        cj_release(x);
        return status;
    }
    return make_set(x, y, data);
}

static cj_status load_arrays(const char *name, cj_dataset **train, cj_dataset **test)
{
    char text[4096], *parts[4] = {text};
    int count = 1;
    if (ends_with(name, ".npz"))
        return load_archive(name, train, test);
    if (snprintf(text, sizeof text, "%s", name) >= (int)sizeof text)
        return cj_fail(CJ_INVALID_ARGUMENT, "the names of the files are too long");
    for (char *c = text; *c && count < 4; c++)
        if (*c == ',') {
            *c = '\0';
            parts[count++] = c + 1;
        }
    if (count % 2 != 0)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "npy:%s: it needs inputs and targets, such as npy:x.npy,y.npy or "
                       "npy:x.npy,y.npy,x_test.npy,y_test.npy, or an .npz of them",
                       name);
    cj_dataset *whole = NULL;
    if (count == 2) {
        CJ_TRY(load_pair(parts[0], parts[1], &whole));
        return split(whole, true, train, test);
    }
    CJ_TRY(load_pair(parts[0], parts[1], train));
    return load_pair(parts[2], parts[3], test);
}

// ---- Recordings ----

// The longest sound of a folder would have to be known; a second is what spoken words take.
static cj_status load_sounds(const char *folder, const cj_model *model, cj_dataset **train,
                             cj_dataset **test)
{
    const cj_shape *shape = model ? cj_model_input_shape(model, 0) : NULL;
    const int64_t length = shape && shape->rank >= 2 && shape->dims[1] > 0 ? shape->dims[1] : RATE;
    cj_dataset *streamed[2] = {NULL, NULL};
    cj_status status = cj_load_sound_folder(folder, &streamed[0], &streamed[1], .sample_rate = RATE,
                                            .output_sequence_length = length, .mono = true,
                                            .validation_split = 1.0 / FIFTH);
    if (status == CJ_OK)
        status = cj_dataset_load(streamed[0], train);
    if (status == CJ_OK)
        status = cj_dataset_load(streamed[1], test);
    cj_release(streamed[0]);
    cj_release(streamed[1]);
    return status;
}

cj_status read_sound(const cj_model *model, const char *path, cj_tensor **input)
{
    const cj_shape *shape = cj_model_input_shape(model, 0);
    cj_tensor *sound = NULL;
    if (shape->rank < 2 || shape->dims[1] < 1)
        return cj_fail(CJ_UNSUPPORTED, "%s: the model does not take sound of a fixed length", path);
    CJ_TRY(cj_load_wav(path, &sound, NULL, .sample_rate = RATE, .length = shape->dims[1],
                       .mono = true));
    const cj_status status = fit_input(model, sound, input);
    cj_release(sound); // the view holds it
    return status;
}

// ---- Series ----

// The columns of numbers side by side; a missing number is the one before it.
static cj_status gather(const cj_table *table, cj_tensor **series)
{
    const int64_t rows = cj_table_rows(table);
    int columns = 0;
    for (int c = 0; c < cj_table_columns(table); c++)
        columns += cj_table_numbers(table, c) != NULL;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(rows, columns), series));
    float *to = cj_tensor_data(*series);
    int at = 0;
    for (int c = 0; c < cj_table_columns(table); c++) {
        const double *numbers = cj_table_numbers(table, c);
        float last = 0;
        for (int64_t i = 0; numbers && i < rows; i++) {
            last = isfinite(numbers[i]) ? (float)numbers[i] : last;
            to[i * columns + at] = last;
        }
        at += numbers != NULL;
    }
    return CJ_OK;
}

// Which of the gathered columns a name is; -1 if none.
static int place_of(const cj_table *table, int column)
{
    int at = 0;
    for (int c = 0; c < column; c++)
        at += cj_table_numbers(table, c) != NULL;
    return column >= 0 && cj_table_numbers(table, column) ? at : -1;
}

// Windows, and the number of the column in the step after each.
static cj_status make_windows(cj_tensor *series, int column, int64_t window, cj_dataset **train,
                              cj_dataset **test)
{
    const int64_t rows = cj_tensor_shape(series)->dims[0];
    cj_tensor *past = NULL, *next = NULL, *after = NULL;
    cj_status status = rows > window + FIFTH ?
                           CJ_OK :
                           cj_fail(CJ_INVALID_ARGUMENT, "%lld rows are too few for windows of %lld",
                                   (long long)rows, (long long)window);
    if (status == CJ_OK)
        status = cj_tensor_slice(series, 0, 0, rows - 1, &past);
    if (status == CJ_OK)
        status = cj_tensor_slice(series, 0, window, rows - window, &after);
    if (status == CJ_OK)
        status = cj_tensor_slice(after, 1, column, 1, &next);
    cj_release(after);
    if (status == CJ_OK) {
        cj_dataset *windows = cj_timeseries_dataset(past, next, window);
        return windows ? split(windows, false, train, test) : cj_error_status();
    }
    cj_release(past);
    return status;
}

static cj_status load_series(const char *name, const cj_model *model, int64_t window,
                             cj_dataset **train, cj_dataset **test)
{
    char path[4096];
    const char *colon = strrchr(name, ':');
    cj_table *table = NULL;
    cj_tensor *series = NULL;
    if (!colon || colon == name || !colon[1] || colon - name >= (int)sizeof path)
        return cj_fail(CJ_INVALID_ARGUMENT,
                       "series:%s: it needs a file and the name of the column to predict, such as "
                       "series:weather.csv:temperature",
                       name);
    snprintf(path, sizeof path, "%.*s", (int)(colon - name), name);
    CJ_TRY(cj_load_csv(path, &table));
    const int column = place_of(table, cj_table_find(table, colon + 1));
    const cj_shape *shape = model ? cj_model_input_shape(model, 0) : NULL;
    cj_status status = column >= 0 ?
                           CJ_OK :
                           cj_fail(CJ_INVALID_ARGUMENT, "%s: there is no column of numbers \"%s\"",
                                   path, colon + 1);
    if (status == CJ_OK)
        status = gather(table, &series);
    if (status == CJ_OK)
        status = make_windows(
            series, column,
            shape && shape->rank == 3 && shape->dims[1] > 0 ? shape->dims[1] : window, train, test);
    cj_release(series);
    cj_release(table);
    return status;
}

cj_status load_array_data(const char *name, const cj_model *model, own_data *own,
                          cj_dataset **train, cj_dataset **test)
{
    const char *rest = strchr(name, ':') + 1;
    cj_status status;
    if (begins(name, "npy:")) {
        status = load_arrays(rest, train, test);
    } else if (begins(name, "wav:")) {
        status = load_sounds(rest, model, train, test);
    } else {
        status = load_series(rest, model, own->window > 0 ? own->window : WINDOW, train, test);
    }
    if (status != CJ_OK) {
        cj_release(*train);
        cj_release(*test);
        *train = *test = NULL;
    }
    return status;
}
