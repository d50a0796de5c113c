// A recurrent cell of one's own: the minimal gated unit (Zhou and others 2016), which has one gate.
//
//   f  = sigmoid(x W_f + h U_f + b_f)
//   h' = (1 - f) h + f tanh(x W_h + (f h) U_h + b_h)
//
// It learns to say whether a sequence of signs has more of them up than down. cj_rnn() makes a loop of
// the step; its gradient comes by itself.
#include <cajal.h>

enum { UNITS = 12, STEPS = 15, SAMPLES = 512 };

static cj_status build(void *context, cj_layer *cell, cj_shape input)
{
    static const char *const names[] = {"kernel_f", "recurrent_f", "bias_f",
                                        "kernel_h", "recurrent_h", "bias_h"};
    (void)context;
    for (int i = 0; i < 6; i++)
        CJ_TRY(cj_cell_weight(cell, names[i],
                              i % 3 == 0 ? CJ_SHAPE(input.dims[1], UNITS) :
                              i % 3 == 1 ? CJ_SHAPE(UNITS, UNITS) :
                                           CJ_SHAPE(UNITS),
                              i % 3 == 2 ? "zeros" : "glorot_uniform"));
    return CJ_OK;
}

// x W + h U + b
static cj_symbol *part(cj_symbol *x, cj_symbol *h, cj_symbol *const *weights)
{
    return cj_op_add(cj_op_add(cj_op_matmul(x, weights[0]), cj_op_matmul(h, weights[1])),
                     weights[2]);
}

static cj_status step(void *context, const cj_cell_step *s)
{
    cj_symbol *h = s->states[0];
    (void)context;
    cj_symbol *f = cj_take(cj_op_activation("sigmoid", part(s->input, h, s->weights)));
    cj_symbol *new = cj_op_activation("tanh", part(s->input, cj_op_multiply(f, h), s->weights + 3));
    s->next[0] = cj_op_add(h, cj_op_multiply(f, cj_op_subtract(new, h)));
    cj_release(f);
    return s->next[0] ? CJ_OK : cj_error_status();
}

// Signs +1 and -1, and whether their sum is positive.
static cj_status make_data(cj_dataset **data)
{
    cj_tensor *x, *y;
    uint32_t random = 1;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, STEPS, 1), &x));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y));
    for (int i = 0; i < SAMPLES; i++) {
        float sum = 0;
        for (int t = 0; t < STEPS; t++) {
            random = random * 1664525U + 1013904223U;
            const float sign = random >> 31 ? 1 : -1;
            ((float *)cj_tensor_data(x))[i * STEPS + t] = sign;
            sum += sign;
        }
        ((float *)cj_tensor_data(y))[i] = sum > 0;
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status run(void)
{
    cj_dataset *data;
    CJ_TRY(make_data(&data));
    cj_model *model = cj_sequential(cj_input(STEPS, 1), cj_rnn(cj_cell({UNITS}, step, build)),
                                    cj_dense(1, .activation = "sigmoid"));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(0.02), .loss = "binary_crossentropy",
                      .metrics = {"accuracy"}));
    CJ_TRY(cj_fit(model, data, .epochs = 8, .batch_size = 32, .verbose = CJ_BAR));
    cj_release(model);
    cj_release(data);
    return CJ_OK;
}

int main(void)
{
    if (run() == CJ_OK)
        return 0;
    fprintf(stderr, "%s\n", cj_error());
    return 1;
}
