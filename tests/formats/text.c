// Models that take texts: trained, saved and loaded with their vocabulary; what is wrong is said.
#include "support.h"

#include <cajal.h>
#include <stdio.h>
#include <string.h>

// What was made of a wrong setting: nothing, with this sentence.
#define REFUSED(made, sentence)          \
    do {                                 \
        cj_error_clear();                \
        assert_null(made);               \
        assert_error_contains(sentence); \
    } while (0)
#define FAILS(call, status, sentence)    \
    do {                                 \
        cj_error_clear();                \
        assert_int_equal(call, status);  \
        assert_error_contains(sentence); \
    } while (0)

static cj_tensor *column(cj_texts texts)
{
    cj_tensor *tensor = NULL;
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(texts.count, 1), texts, &tensor), CJ_OK);
    return tensor;
}

static cj_tensor *some_texts(void)
{
    return column(CJ_TEXTS("Good, good!", "bad. Bad?", "good and fine", "bad and worse", "fine",
                           "worse", "good fine", "bad worse"));
}

static cj_dataset *labelled(void)
{
    static const int32_t labels[] = {1, 0, 1, 0, 1, 0, 1, 0};
    cj_tensor *y = NULL;
    assert_int_equal(cj_tensor_from(CJ_I32, CJ_SHAPE(8), labels, 8, &y), CJ_OK);
    return cj_dataset(.x = {some_texts()}, .y = {y});
}

static cj_model *reader(bool counts)
{
    cj_layer *words = counts ? cj_text_vectorization(.output_mode = "tf_idf") :
                               cj_text_vectorization(20, .output_sequence_length = 4);
    cj_tensor *texts = some_texts();
    assert_int_equal(cj_adapt(words, texts), CJ_OK);
    cj_release(texts);
    cj_layer *input = cj_input(1, .dtype = "string");
    return counts ? cj_sequential(input, words, cj_dense(1, .activation = "sigmoid")) :
                    cj_sequential(input, words, cj_embedding(20, 4), cj_bidirectional(cj_gru(3)),
                                  cj_dense(1, .activation = "sigmoid"));
}

static cj_tensor *answers(cj_model *model)
{
    cj_tensor *texts = column(CJ_TEXTS("good", "so bad", "", "\xff\xfe fine \xc3")), *y = NULL;
    if (cj_predict(model, texts, &y) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(texts);
    return y;
}

static void same_answers(cj_model *a, cj_model *b)
{
    cj_tensor *x = answers(a), *y = answers(b);
    assert_memory_equal(cj_tensor_data(x), cj_tensor_data(y),
                        (size_t)cj_tensor_count(x) * sizeof(float));
    cj_release(x);
    cj_release(y);
}

static void models_learn_from_texts(void **state)
{
    (void)state;
    for (int counts = 0; counts < 2; counts++) {
        cj_model *model = reader(counts);
        cj_dataset *data = labelled();
        cj_results *results = NULL;
        assert_int_equal(cj_compile(model, .optimizer = cj_adam(0.05),
                                    .loss = "binary_crossentropy", .metrics = {"accuracy"}),
                         CJ_OK);
        assert_int_equal(cj_fit(model, data, .epochs = 40, .batch_size = 3), CJ_OK);
        assert_int_equal(cj_evaluate(model, data, &results), CJ_OK);
        assert_true(cj_results_value(results, "accuracy") == 1);
        cj_release(results);
        cj_release(data);
        cj_release(model);
    }
}

static void the_vocabulary_is_in_the_model_file(void **state)
{
    (void)state;
    const char *path = "text.safetensors";
    for (int counts = 0; counts < 2; counts++) {
        cj_model *model = reader(counts);
        assert_int_equal(cj_save(model, path), CJ_OK);
        cj_model *copy = cj_load(path);
        if (!copy)
            fail_msg("%s", cj_error());
        same_answers(model, copy);
        cj_layer *words = cj_model_layer_at(copy, 0);
        if (cj_vocabulary_size(words) == 0) // the input comes first
            words = cj_model_layer_at(copy, 1);
        assert_int_equal(cj_vocabulary_size(words), counts ? 6 : 7);
        assert_string_equal(cj_vocabulary_token(words, counts ? 0 : 1), "[UNK]");
        assert_string_equal(cj_vocabulary_token(words, counts ? 1 : 2), "good");
        assert_null(cj_vocabulary_token(words, 7));
        cj_release(model);
        cj_release(copy);
        remove(path);
    }
}

static void threads_give_the_same_indices(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static const char *values[COUNT];
    cj_tensor *texts = NULL, *y[2] = {NULL};
    for (int i = 0; i < COUNT; i++)
        values[i] = i % 3 ? "good words are few, bad ones many" : "fine";
    assert_int_equal(cj_tensor_from(CJ_STRING, CJ_SHAPE(COUNT, 1), values, COUNT, &texts), CJ_OK);
    for (int threads = 1; threads <= 2; threads++) {
        cj_model *model = reader(false);
        assert_int_equal(cj_compile(model, .optimizer = cj_sgd(), .loss = "binary_crossentropy",
                                    .pool = cj_pool_new(threads)),
                         CJ_OK);
        assert_int_equal(cj_predict(model, texts, &y[threads - 1], .batch_size = COUNT), CJ_OK);
        cj_release(model);
    }
    assert_memory_equal(cj_tensor_data(y[0]), cj_tensor_data(y[1]), COUNT * sizeof(float));
    cj_release(y[0]);
    cj_release(y[1]);
    cj_release(texts);
}

// A vocabulary of an outer axis, words as outputs, numbers, crossed features: one functional model.
static void lookups_stand_in_functional_models(void **state)
{
    (void)state;
    cj_symbol *words = cj_input_symbol(2, .dtype = "string", .name = "words");
    cj_symbol *numbers = cj_input_symbol(1, .dtype = "int64", .name = "numbers");
    cj_symbol *word = cj_input_symbol(1, .dtype = "string", .name = "word");
    cj_symbol *ids =
        cj_apply(cj_string_lookup(.vocabulary = CJ_TEXTS("a", "b"), .mask_token = ""), words);
    cj_symbol *back = cj_apply(cj_string_lookup(.vocabulary = CJ_TEXTS("a", "b"), .invert = true,
                                                .mask_token = "", .name = "back"),
                               ids);
    cj_symbol *crossed = cj_merge(cj_hashed_crossing(10), word, numbers);
    cj_symbol *looked = cj_apply(cj_integer_lookup(.vocabulary = CJ_NUMBERS(5, 7)), numbers);
    cj_model *model =
        cj_functional(.inputs = {words, numbers, word}, .outputs = {ids, back, crossed, looked});
    cj_tensor *x[3] = {NULL}, *y[4] = {NULL};
    char *json = NULL;
    const int64_t two[] = {7, -1};
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(2, 2), CJ_TEXTS("b", "", "?", "a"), &x[0]),
                     CJ_OK);
    assert_int_equal(cj_tensor_from(CJ_I64, CJ_SHAPE(2, 1), two, 2, &x[1]), CJ_OK);
    x[2] = column(CJ_TEXTS("x", "y"));
    if (!model)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(model, &json), CJ_OK);
    cj_model *copy = cj_model_from_json(json, strlen(json));
    cj_free(json);
    if (!copy)
        fail_msg("%s", cj_error());
    cj_release(model);
    if (cj_predict_many(copy, x, y) != CJ_OK)
        fail_msg("%s", cj_error());
    cj_release(copy); // what the texts were read from is gone
    static const int32_t expected[] = {3, 0, 1, 2};
    assert_memory_equal(cj_tensor_data(y[0]), expected, sizeof expected);
    assert_string_equal(cj_tensor_text(y[1], (int64_t[]){0, 0}).data, "b");
    assert_string_equal(cj_tensor_text(y[1], (int64_t[]){0, 1}).data, "");
    assert_string_equal(cj_tensor_text(y[1], (int64_t[]){1, 0}).data, "[UNK]");
    assert_int_equal(((const int32_t *)cj_tensor_data(y[3]))[0], 2);
    assert_int_equal(((const int32_t *)cj_tensor_data(y[3]))[1], 0);
    for (int i = 0; i < 4; i++)
        cj_release(y[i]);
    for (int i = 0; i < 3; i++)
        cj_release(x[i]);
}

static void wrong_settings_get_their_sentence(void **state)
{
    (void)state;
    REFUSED(cj_text_vectorization(1), "max_tokens must be at least 2");
    REFUSED(cj_text_vectorization(.standardize = "upper"), "unknown standardize \"upper\"");
    REFUSED(cj_text_vectorization(.split = "charakter"), "did you mean \"character\"");
    REFUSED(cj_text_vectorization(.ngrams = {9}), "ngrams must be from 1 to 8");
    REFUSED(cj_text_vectorization(.output_mode = "count", .output_sequence_length = 3),
            "output_sequence_length needs output_mode \"int\"");
    REFUSED(cj_text_vectorization(.output_sequence_length = 0), "needs 1 or more");
    REFUSED(cj_text_vectorization(.output_mode = "count", .pad_to_max_tokens = true),
            "pad_to_max_tokens needs max_tokens");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a", "b", "a")),
            "\"a\" is in the vocabulary twice");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a", "")), "is the mask_token");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a", "\xff")), "not text in UTF-8");
    REFUSED(cj_text_vectorization(3, .vocabulary = CJ_TEXTS("a", "b")), "max_tokens is 3");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a"), .output_mode = "tf_idf"),
            "needs idf_weights");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a"), .output_mode = "tf_idf",
                                  .idf_weights = CJ_NUMBERS(1, 2)),
            "2 idf_weights for a vocabulary of 1");
    REFUSED(cj_text_vectorization(.vocabulary = CJ_TEXTS("a"), .idf_weights = CJ_NUMBERS(1)),
            "idf_weights need output_mode");
    REFUSED(cj_string_lookup(.invert = true, .output_mode = "count"), "invert needs");
    REFUSED(cj_string_lookup(.num_oov_indices = -1), "num_oov_indices must be");
    REFUSED(cj_string_lookup(.invert = true, .vocabulary = CJ_TEXTS("a", "[UNK]")),
            "is the oov_token");
    REFUSED(cj_integer_lookup(.vocabulary = CJ_NUMBERS(1, 1.5)), "whole number");
    REFUSED(cj_integer_lookup(.mask_token = 0.5), "whole number");
    REFUSED(cj_integer_lookup(.salt = {1, 2}), "salt needs oov_method");
    REFUSED(cj_hashing(), "num_bins");
    REFUSED(cj_hashing(3, .mask_value = "a", .mask_number = 1), "one of mask_value");
    REFUSED(cj_hashed_crossing(3, .output_mode = "count"), "unknown output_mode");
}

static void what_does_not_fit_gets_its_sentence(void **state)
{
    (void)state;
    cj_tensor *texts = some_texts(), *numbers = NULL, *y = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 1), &numbers), CJ_OK);
    REFUSED(cj_sequential(cj_input(1, .dtype = "string"), cj_dense(2)), "texts are no numbers");
    REFUSED(cj_sequential(cj_input(1), cj_text_vectorization(.output_sequence_length = 2)),
            "needs string");
    REFUSED(cj_sequential(cj_input(1, .dtype = "string"), cj_text_vectorization()),
            "give it .output_sequence_length");
    REFUSED(cj_sequential(cj_input(2, .dtype = "string"),
                          cj_text_vectorization(.output_sequence_length = 2)),
            "needs one where texts are split");
    REFUSED(cj_sequential(cj_input(1, .dtype = "string"),
                          cj_text_vectorization(.output_mode = "count")),
            "it has no vocabulary yet");
    cj_model *model = cj_sequential(cj_input(1), cj_dense(2)), *other = reader(false);
    FAILS(cj_predict(model, texts, &y), CJ_INVALID_ARGUMENT, "use cj_vectorize()");
    FAILS(cj_predict(other, numbers, &y), CJ_INVALID_ARGUMENT, "input 0 is float32");
    cj_layer *words = cj_text_vectorization(.output_sequence_length = 2), *dense = cj_dense(2),
             *strict = cj_string_lookup(.num_oov_indices = 0, .vocabulary = CJ_TEXTS("fine"));
    FAILS(cj_vectorize(words, texts, &y), CJ_NOT_BUILT, "it has no vocabulary yet");
    FAILS(cj_vectorize(dense, texts, &y), CJ_INVALID_ARGUMENT, "applied within a model only");
    FAILS(cj_vectorize(strict, texts, &y), CJ_INVALID_ARGUMENT,
          "string_lookup: lookup: \"Good, good!\" is not in the vocabulary");
    FAILS(cj_adapt(words, numbers), CJ_INVALID_ARGUMENT, "needs texts");
    FAILS(cj_adapt(strict, texts), CJ_INVALID_ARGUMENT, "it was given its vocabulary");
    FAILS(cj_set_vocabulary(dense, CJ_TEXTS("a"), (cj_numbers){0}), CJ_INVALID_ARGUMENT,
          "has no vocabulary of texts");
    FAILS(cj_set_vocabulary(words, (cj_texts){0}, (cj_numbers){0}), CJ_INVALID_ARGUMENT,
          "vocabulary is required");
    cj_release(words);
    cj_release(dense);
    cj_release(strict);
    cj_release(model);
    cj_release(other);
    cj_release(numbers);
    cj_release(texts);
}

static void a_vocabulary_may_come_later_but_not_change_under_a_model(void **state)
{
    (void)state;
    cj_tensor *texts = some_texts(), *y = NULL;
    cj_layer *words = cj_text_vectorization(.output_sequence_length = 2);
    cj_model *model = cj_sequential(cj_input(1, .dtype = "string"), words, cj_embedding(9, 2));
    FAILS(cj_predict(model, texts, &y), CJ_NOT_BUILT, "text_vectorization: it has no vocabulary");
    assert_int_equal(cj_adapt(words, texts), CJ_OK);
    assert_int_equal(cj_adapt(words, texts), CJ_OK);
    assert_int_equal(cj_vocabulary_size(words), 7);
    FAILS(cj_set_vocabulary(words, CJ_TEXTS("a", "a"), (cj_numbers){0}), CJ_INVALID_ARGUMENT,
          "twice");
    assert_int_equal(cj_vocabulary_size(words), 7); // as it was
    assert_int_equal(cj_predict(model, texts, &y), CJ_OK);
    FAILS(cj_adapt(words, texts), CJ_INVALID_ARGUMENT, "has been run");
    FAILS(cj_set_vocabulary(words, CJ_TEXTS("a"), (cj_numbers){0}), CJ_INVALID_ARGUMENT,
          "has been run");
    cj_release(y);
    cj_release(model);
    cj_release(texts);
}

// Bytes that no file could hold are not learnt; a text of only such tokens has nothing to learn.
static void odd_texts_are_learnt_from(void **state)
{
    (void)state;
    const int64_t lengths[] = {5, 4, 0, 3};
    const char *const values[] = {"a\0b x", "\xff\xfe x", NULL, "\xc3\xa9 "};
    cj_tensor *texts = NULL;
    assert_int_equal(cj_tensor_from_texts(CJ_SHAPE(4, 1), (cj_texts){values, lengths, 4}, &texts),
                     CJ_OK);
    cj_layer *words = cj_text_vectorization();
    assert_int_equal(cj_adapt(words, texts), CJ_OK);
    assert_int_equal(cj_vocabulary_size(words), 4);
    assert_string_equal(cj_vocabulary_token(words, 2), "x");
    assert_string_equal(cj_vocabulary_token(words, 3), "\xc3\xa9");
    cj_release(words);
    cj_release(texts);
    texts = column(CJ_TEXTS("", " !?", "\xff"));
    words = cj_text_vectorization();
    FAILS(cj_adapt(words, texts), CJ_INVALID_ARGUMENT, "no tokens to learn");
    cj_release(words);
    cj_release(texts);
}

static void lines_of_a_file_are_texts(void **state)
{
    (void)state;
    const char *path = "lines.txt";
    FILE *file = fopen(path, "wb");
    fputs("one\r\n\ntwo words\nlast", file);
    fclose(file);
    cj_tensor *lines = NULL;
    assert_int_equal(cj_load_lines(path, &lines), CJ_OK);
    assert_int_equal(cj_tensor_shape(lines)->dims[0], 4);
    assert_string_equal(cj_tensor_text(lines, (int64_t[]){0, 0}).data, "one");
    assert_string_equal(cj_tensor_text(lines, (int64_t[]){1, 0}).data, "");
    assert_string_equal(cj_tensor_text(lines, (int64_t[]){3, 0}).data, "last");
    cj_release(lines);
    file = fopen(path, "wb");
    fclose(file);
    FAILS(cj_load_lines(path, &lines), CJ_BAD_FILE, "no line");
    remove(path);
    FAILS(cj_load_lines(path, &lines), CJ_NOT_FOUND, path);
}

static cj_status make_reader(void *context)
{
    cj_tensor *texts = NULL, *y = NULL;
    (void)context;
    CJ_TRY(cj_tensor_from_texts(CJ_SHAPE(2, 1), CJ_TEXTS("a b", "c"), &texts));
    cj_layer *words = cj_text_vectorization(.output_mode = "tf_idf");
    cj_status status = words ? cj_adapt(words, texts) : cj_error_status();
    if (status == CJ_OK)
        status = cj_vectorize(words, texts, &y);
    cj_release(y);
    cj_release(words);
    cj_release(texts);
    return status;
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    support_fail_each_allocation(make_reader, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_learn_from_texts),
        cmocka_unit_test(the_vocabulary_is_in_the_model_file),
        cmocka_unit_test(threads_give_the_same_indices),
        cmocka_unit_test(lookups_stand_in_functional_models),
        cmocka_unit_test(wrong_settings_get_their_sentence),
        cmocka_unit_test(what_does_not_fit_gets_its_sentence),
        cmocka_unit_test(a_vocabulary_may_come_later_but_not_change_under_a_model),
        cmocka_unit_test(odd_texts_are_learnt_from),
        cmocka_unit_test(lines_of_a_file_are_texts),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
