// Neurons by hand: the table of one neuron in the libraries of the field, the published trace of
// NIR's paper, firing rates in closed form, rest, states that last, and what is refused. Parity of
// traces and gradients with the libraries is in tests/parity (fixture "spiking").
#include "layers/helpers.h"

#include <cajal/files.h>
#include <cajal/recurrent.h>
#include <cajal/spiking.h>
#include <math.h>
#include <string.h>

enum { STEPS = 12 };

// Input 0.3 for 12 steps, decay 0.9, threshold 1: spikes, and the membrane after each step.
typedef struct row {
    const char *name;
    cj_lif_args args;
    const char *spikes;
    double membrane[STEPS];
} row;

#define LIF(...)                                               \
    {                                                          \
        CJ_LIF_DEFAULTS, .output = "both", ._ = 0, __VA_ARGS__ \
    }

static const row table[] = {
    {"snnTorch, subtract, reset_delay = True",
     LIF(0.9),
     "000100001000",
     {.3, .57, .813, 1.032, .229, .506, .755, .980, 1.182, .363, .627, .864}},
    {"snnTorch, subtract, reset_delay = False",
     LIF(0.9, .reset_time = "same"),
     "000100010001",
     {.3, .57, .813, .032, .329, .596, .836, .052, .347, .613, .851, .066}},
    {"SpikingJelly, soft, tau 10, decay_input = False",
     LIF(.tau = 10, .preset = "spikingjelly", .reset = "subtract", .input_scale = "none"),
     "000100010001",
     {.3, .57, .813, .032, .329, .596, .836, .052, .347, .613, .851, .066}},
    {"snnTorch, zero, delayed",
     LIF(0.9, .reset = "value"),
     "000100010001",
     {.3, .57, .813, 1.032, .3, .57, .813, 1.032, .3, .57, .813, 1.032}},
    {"snnTorch, zero, not delayed",
     LIF(0.9, .reset = "value", .reset_time = "same"),
     "000100010001",
     {.3, .57, .813, 0, .3, .57, .813, 0, .3, .57, .813, 0}},
    {"SpikingJelly, hard, tau 10, decay_input = False",
     LIF(.tau = 10, .preset = "spikingjelly", .input_scale = "none"),
     "000100010001",
     {.3, .57, .813, 0, .3, .57, .813, 0, .3, .57, .813, 0}},
    {"none",
     LIF(0.9, .reset = "none"),
     "000111111111",
     {.3, .57, .813, 1.032, 1.229, 1.406, 1.565, 1.709, 1.838, 1.954, 2.059, 2.153}},
    {"SpikingJelly, LIFNode(tau 2)",
     LIF(.tau = 2, .preset = "spikingjelly"),
     "000000000000",
     {.150, .225, .263, .281, .291, .295, .298, .299, .299, .300, .300, .300}},
};

static cj_tensor *constant_input(int64_t steps, double value)
{
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(1, steps, 1), &x), CJ_OK);
    cj_tensor_fill(x, value);
    return x;
}

static void expect_spikes(const char *name, const cj_tensor *spikes, const char *expected)
{
    for (int i = 0; expected[i]; i++)
        if (!(fabs(helper_floats(spikes)[i] - (expected[i] - '0')) < 1e-9))
            fail_msg("%s: step %d gives %g", name, i, (double)helper_floats(spikes)[i]);
}

static void one_neuron_does_what_the_libraries_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cj_layer *layer = cj_lif_new(&table[i].args);
        if (!layer)
            fail_msg("%s: %s", table[i].name, cj_error());
        cj_tensor *x = constant_input(STEPS, 0.3);
        cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0),
                  *membrane = helper_run(layer, &x, 1, 1, false, 0);
        expect_spikes(table[i].name, spikes, table[i].spikes);
        for (int t = 0; t < STEPS; t++)
            if (fabs(helper_floats(membrane)[t] - table[i].membrane[t]) > 5.01e-4)
                fail_msg("%s: the membrane after step %d is %g", table[i].name, t,
                         (double)helper_floats(membrane)[t]);
        cj_release(spikes), cj_release(membrane), cj_release(x), cj_release(layer);
    }
}

// Norse's LIFCell: tau_mem 10 ms, tau_syn 5 ms, dt 1 ms.
static void norse_gathers_a_current_first(void **state)
{
    static const double expected[STEPS] = {.030, .081, .146, .220, .299, .380,
                                           .460, .539, .615, .687, .756, .820};
    (void)state;
    cj_layer *layer =
        cj_cuba_lif(.tau = 10e-3, .tau_syn = 5e-3, .dt = 1e-3, .preset = "norse", .output = "both");
    cj_tensor *x = constant_input(STEPS, 0.3);
    cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0),
              *membrane = helper_run(layer, &x, 1, 1, false, 0);
    expect_spikes("Norse", spikes, "000000000000");
    for (int t = 0; t < STEPS; t++)
        assert_near(helper_floats(membrane)[t], expected[t], 5.01e-4, 0);
    cj_release(spikes), cj_release(membrane), cj_release(x), cj_release(layer);
}

// ---- NIR's paper (Pedersen and others 2024), experiment 01_lif ----

// Each digit is an input, followed by nine steps without one.
static const char nir_input[] = "00000010000000000000001000010001100101001101111111111100000000000"
                                "0011111111111100000110000000000000000000000000";

// The membrane of Norse's simulation (lif_norse.csv of that repository), at some steps.
static const struct {
    int step;
    double membrane;
} nir_trace[] = {
    {60, 0.04},         {61, 0.038399998},  {100, 0.0078146453}, {220, 0.04005827},
    {270, 0.045202997}, {310, 0.048831135}, {320, 0.072464526},  {350, 0.061294258},
    {370, 0.06709221},  {400, 0.059715554}, {410, 0.07970084},   {430, 0.07522796},
    {440, 0.090013996}, {450, 0.09984423},  {459, 0.06914552},   {460, 0},
    {470, 0.04},        {490, 0.0842734},   {500, 0.09602771},   {510, 0},
    {520, 0.04},        {530, 0.066593304}, {670, 0.040219482},  {680, 0.06673923},
    {700, 0.09609221},  {710, 0},           {720, 0.04},         {750, 0.09602771},
    {760, 0},           {780, 0.066593304},
};

static void nir_paper_trace_is_met(void **state)
{
    static const int spiking[] = {460, 510, 710, 760};
    const int digits = (int)sizeof nir_input - 1, steps = 10 * digits;
    (void)state;
    cj_layer *layer =
        cj_lif(.tau = 0.0025, .dt = 1e-4, .threshold = 0.1, .preset = "nir", .output = "both");
    cj_tensor *x = constant_input(steps, 0);
    for (int i = 0; i < digits; i++)
        ((float *)cj_tensor_data(x))[10 * i] = nir_input[i] == '1';
    cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0),
              *membrane = helper_run(layer, &x, 1, 1, false, 0);
    int next = 0;
    for (int t = 0; t < steps; t++)
        if (helper_floats(spikes)[t] > 0) {
            assert_true(next < 4);
            assert_int_equal(t, spiking[next++]);
        }
    assert_int_equal(next, 4);
    for (size_t i = 0; i < sizeof nir_trace / sizeof *nir_trace; i++)
        assert_near(helper_floats(membrane)[nir_trace[i].step], nir_trace[i].membrane, 1e-6, 0);
    cj_release(spikes), cj_release(membrane), cj_release(x), cj_release(layer);
}

// ---- Rates and rest ----

// f = 1 / (t_ref + tau ln(v0 / (v0 - v_th))): 20 mV, 10 ms, 5 ms, a threshold of 10 mV give 83.81 Hz.
static void constant_current_fires_at_the_rate_of_the_closed_form(void **state)
{
    (void)state;
    const double dt = 0.02, rate = 1000 / (5 + 10 * log(2));
    assert_near(rate, 83.81, 0.005, 0);
    cj_layer *layer = cj_lif(.tau = 10, .dt = dt, .threshold = 10, .preset = "nir",
                             .discretization = "exact", .refractory = 250, .steps = 50000);
    cj_tensor *x = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(1, 1), &x), CJ_OK);
    cj_tensor_fill(x, 20);
    cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0);
    int first = -1, last = -1, count = 0;
    for (int t = 0; t < 50000; t++)
        if (helper_floats(spikes)[t] > 0) {
            first = first < 0 ? t : first;
            last = t;
            count++;
        }
    const double interval = (last - first) * dt / (count - 1);
    assert_near(interval, 1000 / rate, dt, 0);
    assert_near(1000 / interval, 83.81, 0.15, 0);
    cj_release(spikes), cj_release(x), cj_release(layer);
}

// Input 0.6, decay 0.5, threshold 1, reset to 0 in the same step, three steps of rest.
static void rest_freezes_the_membrane_or_holds_back_spikes(void **state)
{
    (void)state;
    const double frozen[STEPS] = {.6, .9, 0, 0, 0, 0, .6, .9, 0, 0, 0, 0},
                 running[STEPS] = {.6, .9, 0, .6, .9, 1.05, 0, .6, .9, 1.05, 0, .6};
    for (int which = 0; which < 2; which++) {
        cj_layer *layer =
            cj_lif(0.5, .reset = "value", .reset_time = "same", .refractory = 3, .output = "both",
                   .refractory_state = which ? "running" : "frozen");
        cj_tensor *x = constant_input(STEPS, 0.6);
        cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0),
                  *membrane = helper_run(layer, &x, 1, 1, false, 0);
        expect_spikes("rest", spikes, which ? "001000100010" : "001000001000");
        for (int t = 0; t < STEPS; t++)
            assert_near(helper_floats(membrane)[t], (which ? running : frozen)[t], 1e-6, 0);
        cj_release(spikes), cj_release(membrane), cj_release(x), cj_release(layer);
    }
}

// With the reset in the next step the membrane stands above its threshold once, and rests reset.
static void rest_follows_a_reset_in_the_next_step(void **state)
{
    (void)state;
    const double expected[STEPS] = {.6, .9, 1.05, 0, 0, .6, .9, 1.05, 0, 0, .6, .9};
    cj_layer *layer = cj_lif(0.5, .reset = "value", .refractory = 2, .output = "both");
    cj_tensor *x = constant_input(STEPS, 0.6);
    cj_tensor *spikes = helper_run(layer, &x, 1, 0, false, 0),
              *membrane = helper_run(layer, &x, 1, 1, false, 0);
    expect_spikes("next step", spikes, "001000010000");
    for (int t = 0; t < STEPS; t++)
        assert_near(helper_floats(membrane)[t], expected[t], 1e-6, 0);
    cj_release(spikes), cj_release(membrane), cj_release(x), cj_release(layer);
}

// ---- Ways to run ----

static cj_layer *sample_layer(int which, bool stateful)
{
    switch (which) {
    case 0:
        return cj_lif(0.8, .recurrent = "dense", .refractory = 1, .stateful = stateful);
    case 1:
        return cj_cuba_lif(0.8, .alpha = 0.5, .stateful = stateful);
    case 2:
        return cj_alif(0.8, .rho = 0.9, .preset = "norse", .v_leak = 0.3, .stateful = stateful);
    default:
        return cj_izhikevich(.resistance = 30, .stateful = stateful);
    }
}

// Two halves of a sequence in turn give what the whole gives.
static void states_last_from_batch_to_batch(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        cj_layer *whole = sample_layer(which, false), *parts = cj_take(sample_layer(which, true));
        cj_tensor *x = helper_random(CJ_SHAPE(2, 20, 4), 5), *half[2];
        cj_tensor *expected = helper_predict(whole, x);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(cj_tensor_slice(x, 1, 10 * i, 10, &half[i]), CJ_OK);
            cj_tensor *copy = NULL;
            assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(2, 10, 4), &copy), CJ_OK);
            assert_int_equal(cj_tensor_copy(copy, half[i]), CJ_OK);
            cj_release(half[i]);
            half[i] = copy;
        }
        cj_release(cj_apply(parts, cj_symbol_input(CJ_F32, CJ_SHAPE(2, 10, 4), "x")));
        for (int i = 0; i < cj_layer_variable_count(whole); i++)
            assert_int_equal(cj_variable_assign(cj_layer_variable(parts, i),
                                                cj_variable_value(cj_layer_variable(whole, i))),
                             CJ_OK);
        for (int i = 0; i < 2; i++) {
            cj_tensor *y = helper_predict(parts, half[i]);
            for (int s = 0; s < 2; s++)
                assert_all_near(helper_floats(y) + 40 * s,
                                helper_floats(expected) + 80 * s + 40 * i, 40, 0, 0);
            cj_release(y), cj_release(half[i]);
        }
        cj_release(expected), cj_release(x), cj_release(whole), cj_release(parts);
    }
}

// A constant current for n steps is a sequence of n equal entries.
static void a_constant_current_is_a_sequence_of_equal_entries(void **state)
{
    (void)state;
    cj_layer *constant = cj_lif(0.9, .steps = 7, .output = "membrane"),
             *sequence = cj_lif(0.9, .output = "membrane");
    cj_tensor *x = helper_random(CJ_SHAPE(3, 4), 2), *repeated = NULL;
    assert_int_equal(cj_tensor_new(CJ_F32, CJ_SHAPE(3, 7, 4), &repeated), CJ_OK);
    for (int i = 0; i < 3 * 7 * 4; i++)
        ((float *)cj_tensor_data(repeated))[i] = helper_floats(x)[i / 28 * 4 + i % 4];
    cj_tensor *a = helper_predict(constant, x), *b = helper_predict(sequence, repeated);
    assert_true(cj_shape_equal(cj_tensor_shape(a), &CJ_SHAPE(3, 7, 4)));
    assert_all_near(helper_floats(a), helper_floats(b), 3 * 7 * 4, 0, 0);
    cj_release(a), cj_release(b), cj_release(x), cj_release(repeated);
    cj_release(constant), cj_release(sequence);
}

// RNN over the cell of a layer gives what the layer gives, also in a stack.
static void a_cell_is_a_step_of_the_layer(void **state)
{
    (void)state;
    for (int which = 1; which < 3; which++) { // without weights
        cj_layer *layer = sample_layer(which, false);
        cj_layer *rnn =
            cj_rnn(cj_stacked_rnn_cells({cj_spiking_cell(sample_layer(which, false), {4}),
                                         cj_spiking_cell(cj_leaky_integrator(0.5), {4})}),
                   .return_sequences = true);
        cj_layer *last = cj_leaky_integrator(0.5);
        cj_tensor *x = helper_random(CJ_SHAPE(2, 9, 4), 8);
        for (int i = 0; i < 2 * 9 * 4; i++)
            ((float *)cj_tensor_data(x))[i] *= 3;
        cj_tensor *spikes = helper_predict(layer, x), *expected = helper_predict(last, spikes),
                  *actual = helper_predict(rnn, x);
        assert_all_near(helper_floats(actual), helper_floats(expected), 2 * 9 * 4, 1e-7, 0);
        cj_release(spikes), cj_release(expected), cj_release(actual), cj_release(x);
        cj_release(layer), cj_release(last), cj_release(rnn);
    }
}

// ---- Settings ----

static void expect_refused(cj_layer *layer, const char *part)
{
    assert_null(layer);
    assert_error_contains(part);
}

static void settings_that_clash_have_a_sentence(void **state)
{
    (void)state;
    expect_refused(cj_lif(), "neither beta nor tau is given");
    expect_refused(cj_lif(0.9, .tau = 2), "both beta and tau are given");
    expect_refused(cj_lif(1.5), "beta must be from 0 to 1");
    expect_refused(cj_lif(.tau = 0.5), "a smaller dt, or the discretization \"exact\"");
    expect_refused(cj_lif(0.9, .reset = "zero"), "reset");
    expect_refused(cj_lif(0.9, .preset = "snntorhc"), "did you mean \"snntorch\"?");
    expect_refused(cj_lif(0.9, .surrogate = "atn"), "did you mean \"atan\"?");
    expect_refused(cj_lif(0.9, .reset = "value", .v_reset = 2), "not below its threshold");
    expect_refused(cj_lif(0.9, .refractory = -1), "refractory");
    expect_refused(cj_lif(0.9, .recurrent_bias = true), "recurrent \"dense\"");
    expect_refused(cj_lif(0.9, .steps = 3, .go_backwards = true), "go_backwards needs a sequence");
    expect_refused(cj_integrate_fire(0.9), "beta must not be given: IntegrateFire has none");
    expect_refused(cj_integrate_fire(.v_leak = 1), "v_leak must not be given");
    expect_refused(cj_leaky_integrator(0.9, .threshold = 2), "threshold must not be given");
    expect_refused(cj_leaky_integrator(0.9, .refractory = 2), "refractory must not be given");
    expect_refused(cj_cuba_lif(0.9), "neither alpha nor tau_syn is given");
    expect_refused(cj_alpha_lif(0.9), "alpha is required");
    expect_refused(cj_alpha_lif(0.9, .alpha = 0.5), "needed is 0 < beta < alpha <= 1");
    expect_refused(cj_alpha_lif(0.5, .alpha = 0.9, .reset = "subtract"), "take \"value\"");
    expect_refused(cj_lapicque(), "neither beta nor capacitance is given");
    expect_refused(cj_lapicque(.capacitance = 0.5), "longer than resistance times capacitance");
    expect_refused(cj_alif(0.9), "neither rho nor tau_adaptation is given");
    expect_refused(cj_izhikevich(.reset = "none"), "a reset must not be given");
    expect_refused(cj_spiking_cell(cj_dense(3), {3}), "is no layer of neurons");
    expect_refused(cj_spiking_cell(cj_lif(0.9, .steps = 3), {3}), "which a cell cannot keep");
}

static void shapes_that_do_not_fit_have_a_sentence(void **state)
{
    (void)state;
    cj_symbol *x = cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4), "x");
    assert_null(cj_apply(cj_lif(0.9), x));
    assert_error_contains("axes");
    cj_layer *rnn = cj_rnn(cj_spiking_cell(cj_lif(0.9), {3}));
    assert_null(cj_apply(rnn, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 5), "x")));
    assert_error_contains("needed is (3,) after the batch");
}

// Decays that are learnt stay within 0 and 1, and the numbers of a neuron begin as they were set.
static void numbers_begin_as_they_are_set(void **state)
{
    (void)state;
    cj_layer *layer =
        cj_take(cj_cuba_lif(.tau = 10, .alpha = 0.7, .threshold = 0.5, .resistance = 3,
                            .preset = "nir", .heterogeneous = true, .learn_beta = true));
    cj_release(cj_apply(layer, cj_symbol_input(CJ_F32, CJ_SHAPE(CJ_BATCH, 4, 2), "x")));
    static const struct {
        const char *name;
        double value;
    } expected[] = {{"beta", 0.9},  {"threshold", 0.5}, {"resistance", 3}, {"v_leak", 0},
                    {"v_reset", 0}, {"alpha", 0.7},     {"jump", 1}};
    assert_int_equal(cj_layer_variable_count(layer), 7);
    for (int i = 0; i < 7; i++) {
        cj_variable *variable = cj_layer_variable(layer, i);
        int k = 0;
        const char *own = strrchr(cj_variable_name(variable), '/') + 1;
        while (k < 7 && strcmp(expected[k].name, own) != 0)
            k++;
        assert_true(k < 7);
        for (int j = 0; j < 2; j++)
            assert_near(helper_floats(cj_variable_value(variable))[j], expected[k].value, 1e-7, 0);
    }
    cj_release(layer);
}

static void models_are_read_back_from_json(void **state)
{
    (void)state;
    cj_model *model = cj_sequential(
        cj_input(6), cj_lif(0.9, .steps = 5, .surrogate = "atan(alpha=3)", .learn_beta = true),
        cj_dense(4),
        cj_rnn(cj_spiking_cell(cj_alif(0.9, .rho = 0.5), {4}), .return_sequences = true),
        cj_cuba_lif(.tau = 5, .tau_syn = 3, .preset = "norse", .refractory = 2),
        cj_leaky_integrator(0.7, .return_sequences = false));
    assert_non_null(model);
    char *text = NULL, *again = NULL;
    assert_int_equal(cj_model_to_json(model, &text), CJ_OK);
    cj_model *copy = cj_model_from_json(text, strlen(text));
    if (!copy)
        fail_msg("%s", cj_error());
    assert_int_equal(cj_model_to_json(copy, &again), CJ_OK);
    assert_string_equal(text, again);
    cj_free(text), cj_free(again);
    cj_release(model), cj_release(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_neuron_does_what_the_libraries_do),
        cmocka_unit_test(norse_gathers_a_current_first),
        cmocka_unit_test(nir_paper_trace_is_met),
        cmocka_unit_test(constant_current_fires_at_the_rate_of_the_closed_form),
        cmocka_unit_test(rest_freezes_the_membrane_or_holds_back_spikes),
        cmocka_unit_test(rest_follows_a_reset_in_the_next_step),
        cmocka_unit_test(states_last_from_batch_to_batch),
        cmocka_unit_test(a_constant_current_is_a_sequence_of_equal_entries),
        cmocka_unit_test(a_cell_is_a_step_of_the_layer),
        cmocka_unit_test(settings_that_clash_have_a_sentence),
        cmocka_unit_test(shapes_that_do_not_fit_have_a_sentence),
        cmocka_unit_test(numbers_begin_as_they_are_set),
        cmocka_unit_test(models_are_read_back_from_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
