// Files of NIR against NumPy, snnTorch, Norse and nirtorch: see make_nir.py and
// make_nir_cycles.py. Spikes are equal.
#include "fixture.h"

#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

// A path at which the case's file lies.
static const char *unpack(const fixture *file, const char *name)
{
    static unsigned char bytes[1 << 20];
    cj_tensor *packed = fixture_tensor(file, name, "file");
    z_stream stream = {.next_in = cj_tensor_data(packed),
                       .avail_in = (unsigned)cj_tensor_count(packed),
                       .next_out = bytes,
                       .avail_out = sizeof bytes};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    const size_t size = sizeof bytes - stream.avail_out;
    inflateEnd(&stream);
    cj_release(packed);
    const char *path = support_path("case.nir");
    FILE *stored = fopen(path, "wb");
    assert_non_null(stored);
    assert_int_equal(fwrite(bytes, 1, size, stored), size);
    assert_int_equal(fclose(stored), 0);
    return path;
}

static cj_model *load(const fixture *file, const json_t *one, bool stateful, int64_t batch)
{
    const char *preset = fixture_text(one, "preset");
    cj_model *model =
        cj_load_nir(unpack(file, fixture_case_name(one)), .dt = fixture_number(one, "dt"),
                    .preset = *preset ? preset : "nir", .stateful = stateful, .batch_size = batch);
    if (!model)
        print_message("%s: %s\n", fixture_case_name(one), cj_error());
    return model;
}

static bool whole_sequence(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_model *model = load(file, one, false, 0);
    cj_tensor *x = fixture_tensor(file, name, "x0"), *y = NULL;
    bool good = model && cj_predict(model, x, &y) == CJ_OK;
    if (model && !good)
        print_message("%s: %s\n", name, cj_error());
    good = good && fixture_compare(file, name, "y0", y);
    cj_release(x), cj_release(y), cj_release(model);
    return good;
}

// The same, a step at a time, with states that last.
static bool step_by_step(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one);
    cj_tensor *x = fixture_tensor(file, name, "x0"), *all = NULL;
    cj_model *model = load(file, one, true, cj_tensor_shape(x)->dims[0]);
    bool good = model;
    for (int64_t t = 0; good && t < cj_tensor_shape(x)->dims[1]; t++) {
        cj_tensor *entry = NULL, *copy = NULL, *y = NULL, *place = NULL;
        good = cj_tensor_slice(x, 1, t, 1, &entry) == CJ_OK &&
               cj_tensor_convert(entry, CJ_F32, &copy) == CJ_OK &&
               cj_predict(model, copy, &y) == CJ_OK;
        if (good && !all) {
            cj_shape shape = *cj_tensor_shape(y);
            shape.dims[1] = cj_tensor_shape(x)->dims[1];
            good = cj_tensor_new(CJ_F32, shape, &all) == CJ_OK;
        }
        good = good && cj_tensor_slice(all, 1, t, 1, &place) == CJ_OK &&
               cj_tensor_copy(place, y) == CJ_OK;
        if (!good)
            print_message("%s: %s\n", name, cj_error());
        cj_release(entry), cj_release(copy), cj_release(y), cj_release(place);
    }
    good = good && fixture_compare(file, name, "y0", all);
    cj_release(x), cj_release(all), cj_release(model);
    return good;
}

// Loaded, saved, and loaded again. CAJAL_NIR_OUT names a folder that keeps what was saved, for
// check_nir.py.
static bool there_and_back(const fixture *file, const json_t *one)
{
    const char *name = fixture_case_name(one), *folder = getenv("CAJAL_NIR_OUT");
    const bool snntorch = strcmp(fixture_text(one, "preset"), "snntorch") == 0;
    cj_model *model = load(file, one, false, 0), *again = NULL;
    char path[400];
    snprintf(path, sizeof path, "%s/%s.nir", folder ? folder : ".", name);
    const char *place = folder ? path : support_path("again.nir");
    if (strcmp(name, "norse_li_box") == 0) { // it begins at v_leak
        assert_int_equal(cj_save_nir(model, place), CJ_UNSUPPORTED);
        assert_error_contains("does not begin at 0");
        cj_release(model);
        return true;
    }
    bool good = model && cj_save_nir(model, place, .approximate = snntorch) == CJ_OK;
    if (good)
        again = cj_load_nir(place, .preset = snntorch ? "snntorch" : "nir");
    cj_tensor *x = fixture_tensor(file, name, "x0"), *y = NULL;
    good = good && again && cj_predict(again, x, &y) == CJ_OK;
    if (!good)
        print_message("%s: %s\n", name, cj_error());
    good = good && fixture_compare(file, name, "y0", y);
    cj_release(x), cj_release(y), cj_release(model), cj_release(again);
    return good;
}

static void run_file(const char *fixture_name, bool (*body)(const fixture *, const json_t *),
                     const char *but)
{
    fixture *file = fixture_open(fixture_name);
    int failed = 0, run = 0;
    for (size_t i = 0; i < fixture_count(file); i++) {
        const json_t *one = fixture_case(file, i);
        if (but && strncmp(fixture_case_name(one), but, strlen(but)) == 0)
            continue;
        const bool good = body(file, one);
        if (!good)
            print_message("case %s failed\n", fixture_case_name(one));
        failed += !good, run++;
    }
    print_message("%d cases\n", run);
    fixture_report(file, fixture_name);
    fixture_close(file);
    assert_int_equal(failed, 0);
}

static void run_all(bool (*body)(const fixture *, const json_t *), const char *but)
{
    run_file("nir", body, but);
    run_file("nir_cycles", body, NULL);
}

static void files_run_to_the_same_spikes(void **state)
{
    (void)state;
    run_all(whole_sequence, NULL);
}

static void files_run_step_by_step_to_the_same_spikes(void **state)
{
    (void)state;
    run_all(step_by_step, "delays"); // delays that differ cannot be stateful
}

static void what_is_saved_runs_to_the_same_spikes(void **state)
{
    (void)state;
    run_all(there_and_back, "delays_3"); // they are flattened in the order here
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_run_to_the_same_spikes),
        cmocka_unit_test(files_run_step_by_step_to_the_same_spikes),
        cmocka_unit_test(what_is_saved_runs_to_the_same_spikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
