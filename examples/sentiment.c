// Reviews of films, read as raw text: does the writer like the film? Words become indices, an
// embedding, and a recurrence that reads both ways.
//
//     sentiment [FILE]
//
// With a FILE of lines "LABEL TAB TEXT" it learns those. Without one it makes reviews in which the
// same words mean either: "the plot is not good, but the end is great". What counts is the last part,
// and whether a "not" stands before it, so a network that only sees which words there are (the
// baseline) guesses. For real: `sentiment` (half a minute).
#include <cajal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 5000, LENGTH = 40 };

static int draw(int count)
{
    static uint64_t state = 7;
    state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return (int)(state >> 33) % count;
}

// Reviews -----------------------------------------------------------------------------------------

// "Their story is not dull": a part of a review; returns whether it praises.
static bool add_part(char *text, size_t size)
{
    static const char *const things[] = {"plot",   "story", "music", "camera", "hero",
                                         "script", "end",   "cast",  "pace",   "dialogue"};
    static const char *const good[] = {"good", "great", "fine", "moving", "brilliant", "funny"};
    static const char *const bad[] = {"bad", "dull", "poor", "boring", "awful", "slow"};
    const bool word = draw(2), turned = draw(2);
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s %s is%s %s", draw(2) ? "The" : "Their", things[draw(10)],
             turned ? " not" : "", word ? good[draw(6)] : bad[draw(6)]);
    return word != turned;
}

// One to three parts; what is said after the last "but" is what is meant.
static int32_t make_review(char *text, size_t size)
{
    const int parts = 1 + draw(3);
    bool praise = false;
    text[0] = '\0';
    for (int i = 0; i < parts; i++) {
        if (i > 0)
            strncat(text, ", but ", size - strlen(text) - 1);
        praise = add_part(text, size);
    }
    strncat(text, draw(2) ? "." : "!", size - strlen(text) - 1);
    return praise;
}

static cj_dataset *make_reviews(int64_t count)
{
    enum { SIZE = 200 };
    char *memory = malloc((size_t)count * SIZE);
    const char **texts = malloc((size_t)count * sizeof *texts);
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    cj_tensor *x = NULL, *y = NULL;
    if (memory && texts && labels) {
        for (int64_t i = 0; i < count; i++) {
            texts[i] = memory + i * SIZE;
            labels[i] = make_review(memory + i * SIZE, SIZE);
        }
        cj_tensor_from(CJ_STRING, CJ_SHAPE(count, 1), texts, (size_t)count, &x);
        cj_tensor_from(CJ_I32, CJ_SHAPE(count), labels, (size_t)count, &y);
    }
    free(memory);
    free(texts);
    free(labels);
    return cj_dataset(.x = {x}, .y = {y});
}

// Networks ----------------------------------------------------------------------------------------

static int64_t class_count(const cj_dataset *data)
{
    return cj_dataset_class_count(data) > 2 ? cj_dataset_class_count(data) : 2;
}

// Which words occur, in no order.
static cj_model *make_baseline(const cj_dataset *data)
{
    cj_layer *words = cj_text_vectorization(WORDS, .output_mode = "multi_hot");
    if (!words || cj_adapt(words, cj_dataset_x(data, 0)) != CJ_OK)
        return NULL;
    return cj_sequential(cj_input(1, .dtype = "string"), words,
                         cj_dense(class_count(data), .activation = "softmax"));
}

static cj_model *make_reader(const cj_dataset *data)
{
    cj_layer *words = cj_text_vectorization(WORDS, .output_sequence_length = LENGTH);
    if (!words || cj_adapt(words, cj_dataset_x(data, 0)) != CJ_OK)
        return NULL;
    return cj_sequential(cj_input(1, .dtype = "string"), words,
                         cj_embedding(WORDS, 32, .mask_zero = true), cj_bidirectional(cj_gru(32)),
                         cj_dense(class_count(data), .activation = "softmax"));
}

static cj_status learn(cj_model *model, cj_dataset *train, cj_dataset *test, int epochs,
                       double *accuracy)
{
    cj_results *results = NULL;
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(0.005), .loss = "sparse_categorical_crossentropy",
                      .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, train, .epochs = epochs, .batch_size = 32, .verbose = CJ_BAR,
                  .stream = stdout));
    CJ_TRY(cj_evaluate(model, test, &results));
    *accuracy = cj_results_value(results, "accuracy");
    cj_release(results);
    return CJ_OK;
}

static cj_status judge(cj_model *model)
{
    cj_tensor *texts = NULL, *answer = NULL;
    const cj_texts some = CJ_TEXTS("Their music is awful, but the plot is not bad!",
                                   "The hero is funny, but the end is not moving.");
    CJ_TRY(cj_tensor_from_texts(CJ_SHAPE(2, 1), some, &texts));
    CJ_TRY(cj_predict(model, texts, &answer));
    for (int64_t i = 0; i < 2; i++)
        printf("%s: %.2f\n", some.values[i], cj_tensor_get(answer, (int64_t[]){i, 1}));
    cj_release(answer);
    cj_release(texts);
    return CJ_OK;
}

static cj_status run(const char *path)
{
    const char *few = getenv("CAJAL_EXAMPLE_SAMPLES");
    const int64_t count = few ? strtoll(few, NULL, 10) : 6000;
    cj_dataset *train = NULL, *test = NULL;
    double baseline = 0, accuracy = 0;
    if (path) {
        CJ_TRY(cj_load_texts(path, &train, &test, .validation_split = 0.2));
    } else {
        train = make_reviews(count);
        test = make_reviews(1000);
    }
    cj_model *bag = train ? make_baseline(train) : NULL;
    cj_model *reader = train ? make_reader(train) : NULL;
    CJ_TRY(cj_model_summary(reader, stdout));
    CJ_TRY(learn(bag, train, test, few ? 1 : 6, &baseline));
    CJ_TRY(learn(reader, train, test, few ? 1 : 6, &accuracy));
    printf("Right on reviews not seen: %.3f; by the words alone %.3f.\n", accuracy, baseline);
    if (!path)
        CJ_TRY(judge(reader));
    cj_release(bag);
    cj_release(reader);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : NULL));
}
