// The tutorial's second network (chapter 3): recurrence, first in four rows, then for what only
// recurrence can do.
#include <cajal.h>
#include <stdlib.h>

// The tutorial's four rows ------------------------------------------------------------------------

// Four samples of one time step with two features, and what should come out.
static float rows[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f};
static float targets[] = {0.9f, 1.0f, 1.1f, 1.2f};

static cj_status four_rows(void)
{
    // The shape is (samples, time steps, features), as for every recurrent layer.
    cj_tensor *data, *target;
    CJ_TRY(cj_tensor_borrow(CJ_F32, CJ_SHAPE(4, 1, 2), rows, NULL, NULL, &data));
    CJ_TRY(cj_tensor_borrow(CJ_F32, CJ_SHAPE(4, 1), targets, NULL, NULL, &target));
    cj_dataset *train = cj_dataset(.x = {data}, .y = {target});

    cj_model *model = cj_sequential(cj_input(1, 2), cj_simple_rnn(16), cj_dense(1));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(), .loss = "mse"));
    CJ_TRY(cj_fit(model, train, .epochs = 100, .verbose = CJ_BAR));

    cj_tensor *answer;
    CJ_TRY(cj_predict(model, data, &answer));
    printf("The network answers\n");
    CJ_TRY(cj_tensor_print(answer, stdout));
    cj_release(answer);
    cj_release(model);
    cj_release(train); // and with it the tensors, which it took over
    return CJ_OK;
}

// Remembering -------------------------------------------------------------------------------------

// One time step needs no memory. Here is what does: the network reads sixteen symbols, one after
// the other, and is asked for the first when all have gone by. The fifteen others are noise.
// Whoever sees only the last step must guess, and is right one time in four; a recurrent network
// has to carry the answer through its state.
enum { SAMPLES = 8192, TEST_SAMPLES = 1024, STEPS = 16, SYMBOLS = 4 };

static cj_status make_sequences(uint64_t seed, int64_t samples, cj_dataset **data)
{
    cj_tensor *sequences, *first;
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(samples, STEPS), &sequences));
    CJ_TRY(cj_tensor_new(CJ_I32, CJ_SHAPE(samples), &first));
    int32_t *symbol = cj_tensor_data(sequences), *answer = cj_tensor_data(first);
    for (int64_t i = 0; i < samples * STEPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX generator
        symbol[i] = (int32_t)(seed >> 62);
        if (i % STEPS == 0)
            answer[i / STEPS] = symbol[i];
    }
    *data = cj_dataset(.x = {sequences}, .y = {first});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status remember(void)
{
    const char *limit = getenv("CAJAL_EXAMPLE_SAMPLES"); // for a quick look
    cj_dataset *train, *test;
    CJ_TRY(make_sequences(1, limit ? strtoll(limit, NULL, 10) : SAMPLES, &train));
    CJ_TRY(make_sequences(2, TEST_SAMPLES, &test));

    // The embedding gives each symbol a vector of its own; the recurrent layer reads one a step and
    // hands on its state; its last state goes to the dense layer.
    cj_model *model = cj_sequential(cj_input(STEPS, .dtype = "int32"), cj_embedding(SYMBOLS, 8),
                                    cj_simple_rnn(32), cj_dense(SYMBOLS, .activation = "softmax"));
    CJ_TRY(cj_model_summary(model, stdout));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(.learning_rate = 0.003),
                      .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, train, .epochs = 5, .verbose = CJ_BAR));

    cj_results *results = NULL;
    CJ_TRY(cj_evaluate(model, test, &results));
    printf("The first of %d symbols, remembered: %.4f (a guess: %.4f)\n", STEPS,
           cj_results_value(results, "accuracy"), 1.0 / SYMBOLS);
    cj_release(results);
    cj_release(model);
    cj_release(train);
    cj_release(test);
    return CJ_OK;
}

static cj_status run(void)
{
    CJ_TRY(four_rows());
    return remember();
}

int main(void)
{
    return cj_report(run());
}
