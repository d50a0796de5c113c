// A small GPT: a transformer that reads text character by character, says which comes next, and so
// writes text of its own.
//
//     characters [FILE [STEPS]]
//
// With a FILE it learns that text. Without one it learns sums ("17+25=42;"), of which one can see
// whether it has understood: how many of the sums that it writes are right. For real: `characters`
// (some minutes), or `characters README.md 2000`.
#include <cajal.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 64, WIDTH = 128, HEADS = 4, BLOCKS = 3, BATCH = 32, SYMBOLS = 256 };

static double uniform(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

// The text -----------------------------------------------------------------------------------------

// A text, and the characters that occur in it as numbers from 0.
typedef struct text {
    char *characters;
    size_t length;
    int number_of[SYMBOLS], symbols;
    char symbol[SYMBOLS];
    bool sums;
} text;

static cj_status read_text(const char *path, text *t)
{
    enum { MOST = 1 << 20, SUMS = 20000 };
    t->characters = malloc(MOST);
    if (!t->characters)
        return cj_fail(CJ_OUT_OF_MEMORY, "no memory for the text");
    if (path) {
        FILE *file = fopen(path, "rb");
        if (!file)
            return cj_fail(CJ_NOT_FOUND, "%s: cannot be read", path);
        t->length = fread(t->characters, 1, MOST, file);
        fclose(file);
    }
    t->sums = !path;
    for (int i = 0; !path && i < SUMS; i++) {
        const int a = (int)(uniform() * 100), b = (int)(uniform() * 100);
        t->length += (size_t)snprintf(t->characters + t->length, 16, "%d+%d=%d;", a, b, a + b);
    }
    if (t->length < 4 * CONTEXT)
        return cj_fail(CJ_INVALID_ARGUMENT, "the text has %zu characters, needs %d", t->length,
                       4 * CONTEXT);
    memset(t->number_of, -1, sizeof t->number_of);
    for (size_t i = 0; i < t->length; i++) {
        const unsigned char c = (unsigned char)t->characters[i];
        if (t->number_of[c] < 0) {
            t->symbol[t->symbols] = t->characters[i];
            t->number_of[c] = t->symbols++;
        }
    }
    return CJ_OK;
}

// The network --------------------------------------------------------------------------------------

static cj_symbol *normalized(cj_symbol *x)
{
    return cj_apply(cj_layer_normalization(.epsilon = 1e-5), x);
}

// The blocks of GPT-2 (Radford et al. 2019). Attention lets each character look at those before it;
// a character alone does not know where it stands, so its position is an input too.
static cj_model *make_model(const text *t)
{
    cj_symbol *characters = cj_input_symbol(CONTEXT, .dtype = "int32", .name = "characters");
    cj_symbol *positions = cj_input_symbol(CONTEXT, .dtype = "int32", .name = "positions");
    cj_symbol *x = cj_merge(cj_add(), cj_apply(cj_embedding(t->symbols, WIDTH), characters),
                            cj_apply(cj_embedding(CONTEXT, WIDTH), positions));
    for (int i = 0; i < BLOCKS; i++) {
        cj_symbol *y = normalized(x);
        y = cj_merge(cj_multi_head_attention(HEADS, WIDTH / HEADS, .use_causal_mask = true), y, y);
        x = cj_merge(cj_add(), x, y);
        y = cj_apply(cj_dense(4 * WIDTH, .activation = "gelu"), normalized(x));
        x = cj_merge(cj_add(), x, cj_apply(cj_dense(WIDTH), y));
    }
    x = cj_apply(cj_dense(t->symbols, .activation = "softmax"), normalized(x));
    return cj_functional(.inputs = {characters, positions}, .outputs = {x}, .name = "characters");
}

// Training -----------------------------------------------------------------------------------------

typedef struct batch {
    cj_tensor *characters, *positions, *next;
    cj_dataset *data;
} batch;

static cj_status make_batch(batch *b, int64_t samples)
{
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(samples, CONTEXT), &b->characters));
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(samples, CONTEXT), &b->positions));
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(samples, CONTEXT), &b->next));
    for (int64_t i = 0; i < samples * CONTEXT; i++)
        ((int32_t *)cj_tensor_data(b->positions))[i] = (int32_t)(i % CONTEXT);
    b->data = cj_dataset(.x = {b->characters, b->positions}, .y = {b->next});
    return b->data ? CJ_OK : cj_error_status();
}

// Windows of the text from random places; what should come out is the text one further.
static void fill_batch(const batch *b, const text *t)
{
    int32_t *character = cj_tensor_data(b->characters), *next = cj_tensor_data(b->next);
    for (int64_t i = 0; i < BATCH; i++) {
        const size_t start = (size_t)(uniform() * (double)(t->length - CONTEXT - 1));
        for (int64_t j = 0; j < CONTEXT; j++) {
            const char *at = t->characters + start + j;
            character[i * CONTEXT + j] = t->number_of[(unsigned char)at[0]];
            next[i * CONTEXT + j] = t->number_of[(unsigned char)at[1]];
        }
    }
}

static cj_status train(cj_model *model, const text *t, int64_t steps)
{
    batch b;
    CJ_TRY(make_batch(&b, BATCH));
    for (int64_t step = 1; step <= steps; step++) {
        cj_results *results = NULL;
        fill_batch(&b, t);
        CJ_TRY(cj_train_on_batch(model, b.data, &results));
        if (step % 100 == 0 || step == 1 || step == steps)
            printf("Step %lld of %lld: loss %.4f\n", (long long)step, (long long)steps,
                   cj_results_value(results, "loss"));
        cj_release(results);
        fflush(stdout);
    }
    cj_release(b.data);
    return CJ_OK;
}

// Writing ------------------------------------------------------------------------------------------

// Goes on from the text's first characters. The window of the last CONTEXT characters moves along. Of
// what the network finds likely, the likeliest characters that make up 95 % are drawn from.
static cj_status write_text(cj_model *model, const text *t, int count, char *written)
{
    batch b;
    CJ_TRY(make_batch(&b, 1));
    int32_t *window = cj_tensor_data(b.characters);
    for (int i = 0; i < CONTEXT; i++)
        window[i] = t->number_of[(unsigned char)t->characters[i]];
    for (int i = 0; i < count; i++) {
        cj_tensor *answer = NULL;
        cj_tensor *inputs[] = {b.characters, b.positions};
        CJ_TRY(cj_predict_many(model, inputs, &answer));
        int64_t next = 0;
        CJ_TRY(cj_sample(answer, &next, .top_p = 0.95, .step = (uint64_t)i));
        cj_release(answer);
        memmove(window, window + 1, (CONTEXT - 1) * sizeof *window);
        window[CONTEXT - 1] = (int32_t)next;
        written[i] = t->symbol[next];
    }
    written[count] = '\0';
    cj_release(b.data);
    return CJ_OK;
}

// How many of the whole sums in a text are right.
static void judge(const char *written)
{
    int right = 0, sums = 0, a, b, c;
    for (const char *at = strchr(written, ';'); at && at[1]; at = strchr(at + 1, ';')) {
        char end = 0;
        if (sscanf(at + 1, "%d+%d=%d%c", &a, &b, &c, &end) == 4 && end == ';') {
            sums++;
            right += a + b == c;
        }
    }
    printf("%d of %d sums are right.\n", right, sums);
}

static cj_status run(const char *path, const char *wanted)
{
    enum { WRITTEN = 600 };
    const bool quick = getenv("CAJAL_EXAMPLE_SAMPLES");
    text t = {0};
    char written[WRITTEN + 1];
    CJ_TRY(read_text(path, &t));
    cj_model *model = make_model(&t);
    CJ_TRY(cj_model_summary(model, stdout));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(.learning_rate = 1e-3),
                      .loss = "sparse_categorical_crossentropy"));
    CJ_TRY(train(model, &t, wanted ? strtoll(wanted, NULL, 10) : quick ? 3 : 1500));
    CJ_TRY(write_text(model, &t, quick ? 20 : WRITTEN, written));
    printf("It writes:\n%s\n", written);
    if (t.sums)
        judge(written);
    cj_release(model);
    free(t.characters);
    return CJ_OK;
}

int main(int argc, char **argv)
{
    return cj_report(run(argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : NULL));
}
