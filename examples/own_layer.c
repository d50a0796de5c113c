// A layer, a loss and a metric of one's own, each from the public headers alone. The layer multiplies
// each feature by a weight and adds another (Keras's docs call it a "scale" layer); the loss punishes
// errors above a bound; the metric is the share of predictions within it.
//
//   y = x * gain + shift        loss = mean(max(|t - p| - bound, 0)^2)        within = mean(|t - p| < bound)
//
// The model is trained, saved and loaded again: a program that loads such a file registers its classes
// first.
#include <cajal.h>

// ---- The layer ----

typedef struct scale {
    double start; // what the gain starts from
    bool center;  // whether something is added
} scale;

static const scale scale_defaults = {.start = 1, .center = true};
static const cj_setting scale_settings[] = {CJ_SETTING(scale, start), CJ_SETTING(scale, center)};

static cj_status build(cj_layer *layer, const void *settings, const cj_shape *inputs, int count)
{
    const scale *s = settings;
    const cj_shape features = CJ_SHAPE(inputs[0].dims[inputs[0].rank - 1]);
    char start[48];
    (void)count;
    snprintf(start, sizeof start, "constant(%g)", s->start);
    CJ_TRY(cj_add_weight(layer, "gain", features, start, NULL, true));
    return s->center ? cj_add_weight(layer, "shift", features, "zeros", NULL, true) : CJ_OK;
}

static cj_symbol *call(const cj_layer_call *c)
{
    cj_symbol *y = cj_op_multiply(c->inputs[0], c->weights[0]);
    return ((const scale *)c->settings)->center ? cj_op_add(y, c->weights[1]) : y;
}

static const cj_custom_layer_class scale_class = CJ_CUSTOM_LAYER(
    "Scale", CJ_SETTINGS(scale_settings, scale_defaults), .build = build, .call = call);

// ---- The loss and the metric ----

typedef struct bounded {
    double bound;
} bounded;

static const bounded bounded_defaults = {.bound = 0.1};
static const cj_setting bounded_settings[] = {CJ_SETTING_IN(bounded, bound, 0, 1e9)};

// |t - p| - bound
static cj_symbol *excess(const void *settings, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *bound = cj_symbol_scalar(CJ_F32, ((const bounded *)settings)->bound);
    return cj_op_subtract(cj_op_absolute(cj_op_subtract(t, p)), bound);
}

static cj_symbol *loss(const void *settings, cj_symbol *t, cj_symbol *p)
{
    return cj_op_reduce_mean(cj_op_square(cj_op_relu(excess(settings, t, p))), (int[]){-1}, 1);
}

static cj_symbol *within(const void *settings, cj_symbol *t, cj_symbol *p)
{
    cj_symbol *inside = cj_op_less(excess(settings, t, p), cj_symbol_scalar(CJ_F32, 0));
    return cj_op_reduce_mean(cj_op_cast(inside, CJ_F32), (int[]){-1}, 1);
}

static const cj_custom_loss_class loss_class = CJ_CUSTOM_LOSS(
    "bounded_error", CJ_SETTINGS(bounded_settings, bounded_defaults), .values = loss);
static const cj_custom_metric_class metric_class = CJ_CUSTOM_METRIC(
    "within", CJ_SETTINGS(bounded_settings, bounded_defaults), .values = within, .rises = true);

// ---- The program ----

// y = 3 x1 - 2 x2 + 1
static cj_status make_data(cj_dataset **data)
{
    enum { SAMPLES = 256 };
    cj_tensor *x, *y;
    uint32_t random = 1;
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 2), &x));
    CJ_TRY(cj_tensor_new(CJ_F32, CJ_SHAPE(SAMPLES, 1), &y));
    for (int i = 0; i < SAMPLES; i++) {
        float *of = (float *)cj_tensor_data(x) + (ptrdiff_t)i * 2;
        for (int j = 0; j < 2; j++) {
            random = random * 1664525U + 1013904223U;
            of[j] = (float)(random >> 8) / (1 << 23) - 1;
        }
        ((float *)cj_tensor_data(y))[i] = 3 * of[0] - 2 * of[1] + 1;
    }
    *data = cj_dataset(.x = {x}, .y = {y});
    return *data ? CJ_OK : cj_error_status();
}

static cj_status run(const char *path)
{
    cj_dataset *data;
    CJ_TRY(cj_register_layer(&scale_class));
    CJ_TRY(cj_register_loss(&loss_class));
    CJ_TRY(cj_register_metric(&metric_class));
    CJ_TRY(make_data(&data));
    cj_model *model = cj_sequential(
        cj_input(2), cj_custom_layer(&scale_class, &(scale){.start = 0.5, .center = true}, NULL),
        cj_dense(1));
    CJ_TRY(cj_compile(model, .optimizer = cj_adam(0.05), .loss = "bounded_error(bound=0.05)",
                      .metrics = {"within(bound=0.2)", "mae"}));
    CJ_TRY(cj_fit(model, data, .epochs = 20, .batch_size = 32, .verbose = CJ_LINES));
    CJ_TRY(cj_save(model, path));
    cj_release(model);

    model = cj_load(path);
    if (!model)
        return cj_error_status();
    CJ_TRY(cj_model_summary(model, stdout));
    cj_results *results;
    CJ_TRY(cj_evaluate(model, data, &results));
    printf("Loaded again: within %.3f\n", cj_results_value(results, "within"));
    cj_release(results);
    cj_release(model);
    cj_release(data);
    return CJ_OK;
}

int main(int count, char **arguments)
{
    if (run(count > 1 ? arguments[1] : "own_layer.safetensors") == CJ_OK)
        return 0;
    fprintf(stderr, "%s\n", cj_error());
    return 1;
}
