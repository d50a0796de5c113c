// TensorBoard's event files, read back by a reader of this test: records with their checksums, and
// protobuf's fields.
#include "support.h"

#include <cajal.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok(call)                            \
    do {                                           \
        if ((call) != CJ_OK)                       \
            fail_msg("%s: %s", #call, cj_error()); \
    } while (0)

// One value of an event.
typedef struct entry {
    int64_t step;
    char tag[128];
    double value;           // of a scalar; NAN for a histogram
    double heads[5], total; // of a histogram: least, greatest, number, sum, squares; counts added
    int limits, counts;
} entry;

static entry entries[256];
static int entry_count;

static uint64_t fixed(const unsigned char *at, int size)
{
    uint64_t number = 0;
    for (int i = size; i-- > 0;)
        number = number << 8 | at[i];
    return number;
}

static double real(const unsigned char *at)
{
    const uint64_t raw = fixed(at, 8);
    double number;
    memcpy(&number, &raw, sizeof number);
    return number;
}

// By a table, where the writer goes bit by bit.
static uint32_t checksum(const unsigned char *data, size_t size)
{
    uint32_t table[256], crc = UINT32_MAX;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] & 1 ? table[i] >> 1 ^ UINT32_C(0x82F63B78) : table[i] >> 1;
    }
    for (size_t i = 0; i < size; i++)
        crc = table[(crc ^ data[i]) & 255] ^ crc >> 8;
    crc = ~crc;
    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

static uint64_t varint(const unsigned char **at)
{
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
        const unsigned char byte = *(*at)++;
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return number;
    }
}

// A field: its number, and where its bytes are; varints and fixed numbers too.
static unsigned field(const unsigned char **at, const unsigned char **data, size_t *size,
                      uint64_t *number)
{
    const uint64_t key = varint(at);
    *number = 0;
    *data = *at;
    *size = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
    if ((key & 7) == 0)
        *number = varint(at);
    if ((key & 7) == 2) {
        *size = (size_t)varint(at);
        *data = *at;
    }
    *at += *size;
    return (unsigned)(key >> 3);
}

static void read_histogram(entry *e, const unsigned char *at, const unsigned char *end)
{
    const unsigned char *data;
    size_t size;
    uint64_t number;
    while (at < end) {
        const unsigned which = field(&at, &data, &size, &number);
        if (which <= 5)
            e->heads[which - 1] = real(data);
        else if (which == 6)
            e->limits = (int)(size / 8);
        for (size_t i = 0; which == 7 && i < size; i += 8, e->counts++)
            e->total += real(data + i);
    }
}

static void read_value(int64_t step, const unsigned char *at, const unsigned char *end)
{
    entry *e = &entries[entry_count++];
    const unsigned char *data;
    size_t size;
    uint64_t number;
    *e = (entry){.step = step, .value = (double)NAN};
    while (at < end) {
        const unsigned which = field(&at, &data, &size, &number);
        if (which == 1)
            snprintf(e->tag, sizeof e->tag, "%.*s", (int)size, (const char *)data);
        if (which == 2) {
            const uint32_t raw = (uint32_t)fixed(data, 4);
            float value;
            memcpy(&value, &raw, sizeof value);
            e->value = (double)value;
        }
        if (which == 5)
            read_histogram(e, data, data + size);
    }
}

// The event's time, step, version or values.
static void read_event(const unsigned char *at, const unsigned char *end, bool first)
{
    const unsigned char *data, *inner, *value;
    size_t size, inner_size;
    uint64_t number;
    int64_t step = 0;
    while (at < end) {
        const unsigned which = field(&at, &data, &size, &number);
        if (which == 1)
            assert_true(real(data) > 1.5e9); // seconds since 1970
        if (which == 2)
            step = (int64_t)number;
        assert_int_equal(which == 3, first && which != 1);
        if (which == 3)
            assert_memory_equal(data, "brain.Event:2", 13);
        if (which != 5)
            continue;
        for (inner = data; inner < data + size;)
            if (field(&inner, &value, &inner_size, &number) == 1)
                read_value(step, value, value + inner_size);
    }
}

// Reads the one event file of a folder.
static void read_folder(const char *folder)
{
    char path[1024] = "";
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (const struct dirent *one = readdir(all); one; one = readdir(all))
        if (strstr(one->d_name, "tfevents"))
            snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
    closedir(all);
    size_t size = 0;
    unsigned char *bytes = support_read(path, &size);
    entry_count = 0;
    for (size_t at = 0; at < size;) {
        const size_t length = (size_t)fixed(bytes + at, 8);
        assert_true(at + 16 + length <= size);
        assert_int_equal(fixed(bytes + at + 8, 4), checksum(bytes + at, 8));
        assert_int_equal(fixed(bytes + at + 12 + length, 4), checksum(bytes + at + 12, length));
        read_event(bytes + at + 12, bytes + at + 12 + length, at == 0);
        at += 16 + length;
    }
    free(bytes);
}

static const entry *find(const char *tag, int64_t step)
{
    for (int i = 0; i < entry_count; i++)
        if (strcmp(entries[i].tag, tag) == 0 && entries[i].step == step)
            return &entries[i];
    fail_msg("there is no %s of step %d", tag, (int)step);
    return NULL;
}

static cj_dataset *points(void)
{
    cj_tensor *x = NULL, *y = NULL;
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(24, 4), &x));
    assert_ok(cj_tensor_new(CJ_F32, CJ_SHAPE(24, 2), &y));
    for (int i = 0; i < 96; i++)
        ((float *)cj_tensor_data(x))[i] = (float)(i % 7) / 7;
    for (int i = 0; i < 48; i++)
        ((float *)cj_tensor_data(y))[i] = (float)(i % 5) / 5;
    return cj_dataset(.x = {x}, .y = {y});
}

// The checksum of the digits is a known one.
static void checksums_are_castagnolis(void **state)
{
    (void)state;
    const uint32_t crc = UINT32_C(0xE3069283);
    assert_int_equal(checksum((const unsigned char *)"123456789", 9),
                     (uint32_t)((crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8)));
}

static void epochs_batches_and_weights_are_written(void **state)
{
    (void)state;
    char folder[512], path[600];
    cj_dataset *data = points();
    cj_model *model = cj_sequential(cj_input(4), cj_dense(3), cj_dense(2));
    cj_history *history = NULL;
    snprintf(folder, sizeof folder, "%s/logs", support_folder());
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse"));
    assert_ok(cj_fit(
        model, data, .epochs = 3, .batch_size = 8, .validation_data = data, .history = &history,
        .callbacks = {cj_tensor_board(folder, .histogram_freq = 2, .update_freq = 2)}));
    snprintf(path, sizeof path, "%s/validation", folder);
    read_folder(path);
    assert_int_equal(entry_count, 3);
    for (int epoch = 0; epoch < 3; epoch++)
        assert_near(find("epoch_loss", epoch)->value, cj_history_value(history, "val_loss", epoch),
                    1e-7, 1e-6);
    snprintf(path, sizeof path, "%s/train", folder);
    read_folder(path);
    assert_int_equal(entry_count, 3 + 5 + 2 * 4); // epochs; batches 0, 2, 4, 6, 8; weights
    for (int epoch = 0; epoch < 3; epoch++)
        assert_near(find("epoch_loss", epoch)->value, cj_history_value(history, "loss", epoch),
                    1e-7, 1e-6);
    find("batch_loss", 8);
    const entry *e = find("dense/kernel/histogram", 2);
    const cj_tensor *w = cj_variable_value(cj_layer_variable(cj_model_layer(model), 0));
    double sum = 0;
    for (int64_t i = 0; i < 12; i++)
        sum += cj_tensor_get(w, (int64_t[]){i / 3, i % 3});
    assert_near(e->heads[2], 12, 0, 0);
    assert_near(e->total, 12, 0, 0);
    assert_near(e->heads[3], sum, 1e-6, 0);
    assert_int_equal(e->limits, 30);
    assert_int_equal(e->counts, 30);
    cj_release(history);
    cj_release(model);
    cj_release(data);
}

static void wrong_settings_are_answered_with_a_sentence(void **state)
{
    (void)state;
    assert_null(cj_tensor_board(NULL));
    assert_null(cj_tensor_board("x", .update_freq = -1));
    assert_error_contains("cannot be negative");
    cj_dataset *data = points();
    cj_model *model = cj_sequential(cj_input(4), cj_dense(2));
    assert_ok(cj_compile(model, .optimizer = cj_sgd(), .loss = "mse"));
    support_write(support_path("file"), "x", 1);
    assert_int_not_equal(cj_fit(model, data, .callbacks = {cj_tensor_board(support_path("file"))}),
                         CJ_OK);
    assert_error_contains("TensorBoard");
    cj_release(model);
    cj_release(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_castagnolis),
        cmocka_unit_test(epochs_batches_and_weights_are_written),
        cmocka_unit_test(wrong_settings_are_answered_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
