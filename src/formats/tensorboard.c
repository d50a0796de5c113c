// TensorBoard: event files with the scalars of each epoch and histograms of weights
// (keras/src/callbacks/tensorboard.py; the formats are TensorFlow's record_writer.h and event.proto).
//
// A record is its length (8 bytes), a checksum of these, the bytes, and a checksum of them. The bytes are
// an Event in protobuf's wire format, of which a writer needs three kinds of field: varint, fixed and
// counted bytes.
#include "base/args.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/text.h"
#include "ops/variable.h"
#include "tensor/tensor.h"
#include "train/callbacks.h"
#include "train/state.h"

#include <cajal/callbacks.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char who[] = "TensorBoard";

enum { TRAIN, VALIDATION, FILES, BUCKETS = 30 };

typedef struct board {
    char *folder;
    FILE *files[FILES];  // opened when they are first written to
    int histogram_freq;  // epochs; 0 for none
    int64_t update_freq; // batches; 0 for each epoch
    int64_t steps;       // batches since the run began
} board;

// ---- Bytes ----

typedef struct bytes {
    unsigned char *data;
    size_t size, capacity;
    bool failed;
} bytes;

static void put(bytes *b, const void *data, size_t size)
{
    b->failed = b->failed || !cj__reserve((void **)&b->data, &b->capacity, b->size + size, 1);
    if (b->failed)
        return;
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

// The lowest `size` bytes of a number, the least first.
static void put_fixed(bytes *b, uint64_t number, size_t size)
{
    unsigned char raw[8];
    for (size_t i = 0; i < 8; i++)
        raw[i] = (unsigned char)(number >> (8 * i));
    put(b, raw, size);
}

static void put_varint(bytes *b, uint64_t number)
{
    do {
        const unsigned char low = (unsigned char)(number & 127);
        number >>= 7;
        put(b, &(unsigned char){(unsigned char)(low | (number ? 128 : 0))}, 1);
    } while (number);
}

// Kinds of fields on the wire.
enum { VARINT = 0, FIXED64 = 1, COUNTED = 2, FIXED32 = 5 };

static void put_key(bytes *b, unsigned field, unsigned kind)
{
    put_varint(b, field << 3 | kind);
}

static void put_double(bytes *b, unsigned field, double number)
{
    uint64_t raw;
    memcpy(&raw, &number, sizeof raw);
    put_key(b, field, FIXED64);
    put_fixed(b, raw, 8);
}

static void put_counted(bytes *b, unsigned field, const void *data, size_t size)
{
    put_key(b, field, COUNTED);
    put_varint(b, size);
    put(b, data, size);
}

// A message within a message; it is freed.
static void put_message(bytes *b, unsigned field, bytes *inner)
{
    b->failed = b->failed || inner->failed;
    if (!b->failed)
        put_counted(b, field, inner->data, inner->size);
    cj__free(inner->data);
}

// ---- Records ----

// CRC-32C (Castagnoli), bit by bit: the records are small.
static uint32_t crc32c(const unsigned char *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

// TensorFlow stores a checksum turned and shifted.
static uint32_t masked(const unsigned char *data, size_t size)
{
    const uint32_t crc = crc32c(data, size);
    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

// Writes an event and frees it. The time comes first.
static cj_status write_event(FILE *file, bytes *event)
{
    bytes record = {0};
    put_fixed(&record, event->size, 8);
    if (!record.failed)
        put_fixed(&record, masked(record.data, 8), 4);
    put(&record, event->data, event->size);
    if (!event->failed)
        put_fixed(&record, masked(event->data, event->size), 4);
    const bool whole = !record.failed && !event->failed;
    const bool written =
        whole && fwrite(record.data, 1, record.size, file) == record.size && fflush(file) == 0;
    cj__free(record.data);
    cj__free(event->data);
    if (!whole)
        return CJ_OUT_OF_MEMORY;
    return written ? CJ_OK : cj__fail(CJ_IO, "%s: an event cannot be written", who);
}

static bytes begin_event(int64_t step)
{
    bytes event = {0};
    put_double(&event, 1, (double)time(NULL));
    if (step > 0) {
        put_key(&event, 2, VARINT);
        put_varint(&event, (uint64_t)step);
    }
    return event;
}

static cj_status open_file(board *b, int which)
{
    static const char *const names[] = {"train", "validation"};
    static const char version[] = "brain.Event:2";
    cj__text path = {0};
    if (b->files[which])
        return CJ_OK;
    cj__text_add(&path, "%s/%s", b->folder, names[which]);
    cj_status status = cj__text_status(&path);
    if (status == CJ_OK)
        status = cj__folder_make(path.data);
    if (status == CJ_OK) {
        cj__text_add(&path, "/events.out.tfevents.%lld.cajal", (long long)time(NULL));
        status = cj__text_status(&path);
    }
    if (status == CJ_OK && !(b->files[which] = fopen(path.data, "ab")))
        status = cj__fail(CJ_IO, "%.200s cannot be written", path.data);
    cj__text_free(&path);
    if (status != CJ_OK)
        return cj__fail_in(status, "%s", who);
    bytes event = begin_event(0);
    put_counted(&event, 3, version, sizeof version - 1);
    return write_event(b->files[which], &event);
}

// ---- Summaries ----

// Writes the summary of one tag; `value` has what it is, and is freed.
static cj_status write_summary(board *b, int which, int64_t step, const char *tag, bytes *value)
{
    bytes entry = {0}, summary = {0}, event = begin_event(step);
    const cj_status status = open_file(b, which);
    put_counted(&entry, 1, tag, strlen(tag));
    if (!value->failed)
        put(&entry, value->data, value->size);
    entry.failed = entry.failed || value->failed;
    cj__free(value->data);
    put_message(&summary, 1, &entry);
    put_message(&event, 5, &summary);
    if (status == CJ_OK)
        return write_event(b->files[which], &event);
    cj__free(event.data);
    return status;
}

// "epoch_loss"; values of the validation have the same tags in a file of their own, as in Keras.
static cj_status write_scalars(board *b, const cj_logs *logs, const char *stem, int64_t step)
{
    for (int i = 0; i < logs->count; i++) {
        const bool of_validation = strncmp(logs->names[i], "val_", 4) == 0;
        const float number = (float)logs->values[i];
        uint32_t raw;
        char tag[256];
        bytes value = {0};
        memcpy(&raw, &number, sizeof raw);
        snprintf(tag, sizeof tag, "%s_%s", stem, logs->names[i] + (of_validation ? 4 : 0));
        put_key(&value, 2, FIXED32);
        put_fixed(&value, raw, 4);
        CJ_TRY(write_summary(b, of_validation ? VALIDATION : TRAIN, step, tag, &value));
    }
    return CJ_OK;
}

static void put_doubles(bytes *b, unsigned field, const double *numbers, int count)
{
    bytes inner = {0};
    for (int i = 0; i < count; i++) {
        uint64_t raw;
        memcpy(&raw, &numbers[i], sizeof raw);
        put_fixed(&inner, raw, 8);
    }
    put_message(b, field, &inner);
}

// HistogramProto of the finite numbers: 30 buckets of equal width from the least to the greatest.
static bytes histogram_of(const cj_tensor *x)
{
    double limits[BUCKETS], counts[BUCKETS] = {0}, least = INFINITY, most = -INFINITY, number = 0,
                            sum = 0, squares = 0;
    const int64_t count = cj_tensor_count(x);
    for (int64_t i = 0; i < count; i++) {
        const double v = cj__element_get(x->dtype, x->data, i);
        if (!isfinite(v))
            continue;
        least = fmin(least, v);
        most = fmax(most, v);
        number++;
        sum += v;
        squares += v * v;
    }
    if (number == 0)
        least = most = 0;
    const double width = most > least ? (most - least) / BUCKETS : 1;
    for (int i = 0; i < BUCKETS; i++)
        limits[i] = i == BUCKETS - 1 && most > least ? most : least + width * (i + 1);
    for (int64_t i = 0; i < count; i++) {
        const double v = cj__element_get(x->dtype, x->data, i);
        const int at = isfinite(v) ? (int)((v - least) / width) : -1;
        if (at >= 0)
            counts[at < BUCKETS ? at : BUCKETS - 1]++;
    }
    bytes inner = {0}, value = {0};
    const double heads[] = {least, most, number, sum, squares};
    for (unsigned i = 0; i < 5; i++)
        put_double(&inner, i + 1, heads[i]);
    put_doubles(&inner, 6, limits, BUCKETS);
    put_doubles(&inner, 7, counts, BUCKETS);
    put_message(&value, 5, &inner);
    return value;
}

static cj_status write_histograms(board *b, const cj_model *model, int64_t step)
{
    const cj_layer *layer = cj_model_layer(model);
    for (int i = 0; i < cj_layer_variable_count(layer); i++) {
        const cj_variable *variable = cj_layer_variable(layer, i);
        const cj_tensor *x = cj__variable_read(variable);
        char tag[256];
        if (!x)
            return cj_error_status();
        snprintf(tag, sizeof tag, "%s/histogram", cj_variable_name(variable));
        bytes value = histogram_of(x);
        CJ_TRY(write_summary(b, TRAIN, step, tag, &value));
    }
    return CJ_OK;
}

// ---- The callback ----

static cj_status batch_end(void *self, cj_model *model, cj_logs *logs)
{
    board *b = self;
    (void)model;
    const int64_t step = b->steps++;
    return b->update_freq != 0 && step % b->update_freq == 0 ?
               write_scalars(b, logs, "batch", step) :
               CJ_OK;
}

static cj_status epoch_end(void *self, cj_model *model, cj_logs *logs)
{
    board *b = self;
    CJ_TRY(write_scalars(b, logs, "epoch", logs->epoch));
    if (b->histogram_freq > 0 && logs->epoch % b->histogram_freq == 0)
        return write_histograms(b, model, logs->epoch);
    return CJ_OK;
}

static void close_files(board *b)
{
    for (int i = 0; i < FILES; i++) {
        if (b->files[i])
            fclose(b->files[i]);
        b->files[i] = NULL;
    }
}

static cj_status train_end(void *self, cj_model *model, cj_logs *logs)
{
    (void)model, (void)logs;
    close_files(self);
    return CJ_OK;
}

static int state(void *self, double *values, int capacity)
{
    if (capacity > 0)
        values[0] = (double)((const board *)self)->steps;
    return 1;
}

static void set_state(void *self, const double *values, int count)
{
    if (count == 1 && values[0] >= 0 && values[0] < 9e15)
        ((board *)self)->steps = (int64_t)values[0];
}

static void destroy(void *self)
{
    board *b = self;
    close_files(b);
    cj__free(b->folder);
    cj__free(b);
}

static const cj_callback_methods methods = {
    .size = sizeof(cj_callback_methods),
    .name = "TensorBoard",
    .batch_end = batch_end,
    .epoch_end = epoch_end,
    .train_end = train_end,
    .state = state,
    .set_state = set_state,
    .free = destroy,
};

CJ__DEFAULTS(tensor_board, TENSOR_BOARD)

cj_callback *cj_tensor_board_new(const cj_tensor_board_args *args)
{
    cj_tensor_board_args given;
    if (cj__args_read(who, args, &tensor_board_defaults, sizeof given, &given) != CJ_OK)
        return cj__build_failed(CJ__MADE_CALLBACK);
    if (!given.log_dir || !*given.log_dir || given.histogram_freq < 0 || given.update_freq < 0) {
        if (!given.log_dir || !*given.log_dir)
            cj__fail_null("TensorBoard: the log_dir");
        else
            cj__fail(CJ_INVALID_ARGUMENT, "%s: histogram_freq and update_freq cannot be negative",
                     who);
        return cj__build_failed(CJ__MADE_CALLBACK);
    }
    board *b = cj__new(1, sizeof *b);
    if (b && !(b->folder = cj__copy_text(given.log_dir))) {
        cj__free(b);
        b = NULL;
    }
    if (b) {
        b->histogram_freq = given.histogram_freq;
        b->update_freq = given.update_freq;
    }
    return cj__callback_make(&methods, b);
}
