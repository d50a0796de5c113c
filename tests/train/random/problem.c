// A random model's data, loss, metrics and optimizer.
#include "generator.h"

#include <stdio.h>
#include <string.h>

static void pick_input(random_net *net)
{
    dice *d = &net->dice;
    static const int64_t channels[] = {1, 1, 3, 3, 2, 5, 7, 16, 20, 33};
    static const int64_t lengths[] = {1, 2, 3, 10, 17, 33, 64, 100, 257, 784};
    const int what = (int)dice_range(d, 0, 99);
    net->kind = what < 45 ? RANDOM_IMAGE :
                what < 70 ? RANDOM_BYTES :
                what < 84 ? RANDOM_VECTOR :
                what < 92 ? RANDOM_SEQUENCE :
                            RANDOM_TOKENS;
    int64_t *dims = net->input_dims;
    net->rank = 3;
    if (net->kind == RANDOM_VECTOR) {
        net->rank = 1, dims[0] = DICE_PICK(d, lengths);
        net->wide = dice_chance(d, 15);
        if (net->wide)
            dims[0] = dice_range(d, 700, 1100);
    } else if (net->kind == RANDOM_SEQUENCE) {
        net->rank = 2, dims[0] = dice_range(d, 1, 9), dims[1] = dice_range(d, 1, 20);
    } else if (net->kind == RANDOM_TOKENS) {
        net->rank = 1, dims[0] = dice_range(d, 1, 9);
        net->tokens = dice_range(d, 2, 40);
    } else {
        dims[0] = dice_range(d, 1, dice_chance(d, 70) ? 14 : 30);
        dims[1] = dice_chance(d, 50) ? dims[0] : dice_range(d, 1, dice_chance(d, 70) ? 14 : 30);
        dims[2] = net->kind == RANDOM_BYTES && dice_chance(d, 80) ? channels[dice_range(d, 0, 3)] :
                                                                    DICE_PICK(d, channels);
    }
    memcpy(net->dims, dims, sizeof net->dims);
}

static cj_model *build(random_net *net, random_head head, bool activated)
{
    cj_input_args input = {CJ_INPUT_DEFAULTS,
                           .dtype = net->kind == RANDOM_TOKENS ? "int32" : "float32"};
    random_say(net, "%s: input %s", net->functional ? "functional" : "sequential",
               net->kind == RANDOM_BYTES ? "bytes" : input.dtype);
    for (int i = 0; i < net->rank; i++) {
        input.shape[i] = net->input_dims[i];
        random_say(net, "%s%d", i ? " x " : " ", (int)input.shape[i]);
    }
    random_say(net, ";");
    if (net->functional)
        net->symbol = net->input = cj_input_symbol_new(&input);
    else
        net->layers[net->layer_count++] = cj_input_new(&input);
    const bool well = random_net_body(net) && random_net_head(net, head, activated);
    if (net->functional)
        return cj_functional(.inputs = {net->input}, .outputs = {well ? net->symbol : NULL},
                             .inputs_count = 1, .outputs_count = 1);
    if (!well) {
        for (int i = 0; i < net->layer_count; i++)
            cj_release(net->layers[i]);
        return NULL;
    }
    return cj_sequential_new(&(cj_sequential_args){CJ_SEQUENTIAL_DEFAULTS, .layers = net->layers,
                                                   .layer_count = net->layer_count});
}

// Inputs of a kind: reals, bytes of all values or of two, token numbers.
static cj_tensor *make_inputs(const random_net *net, int64_t count, dice *d, bool coarse)
{
    cj_shape shape = {.rank = 1, .dims = {count}};
    for (int i = 0; i < (net->kind == RANDOM_TOKENS || net->kind == RANDOM_VECTOR ? 1 :
                         net->kind == RANDOM_SEQUENCE                             ? 2 :
                                                                                    3);
         i++)
        shape.dims[shape.rank++] = net->input_dims[i];
    const cj_dtype dtype = net->kind == RANDOM_BYTES  ? CJ_U8 :
                           net->kind == RANDOM_TOKENS ? CJ_I32 :
                                                        CJ_F32;
    cj_tensor *x = NULL;
    if (cj_tensor_new(dtype, shape, &x) != CJ_OK)
        return NULL;
    const int64_t n = cj_tensor_count(x);
    void *data = cj_tensor_data(x);
    for (int64_t i = 0; i < n; i++) {
        if (dtype == CJ_U8)
            ((uint8_t *)data)[i] =
                (uint8_t)(coarse ? dice_range(d, 0, 3) / 3 * 255 : dice_range(d, 0, 255));
        else if (dtype == CJ_I32)
            ((int32_t *)data)[i] = (int32_t)dice_range(d, 0, net->tokens - 1);
        else
            ((float *)data)[i] = (float)dice_normal(d);
    }
    return x;
}

typedef enum target { TARGET_LABELS, TARGET_ONE_HOT, TARGET_BITS, TARGET_REALS } target;

// Targets for an output (count, ..., values): class numbers (count, ...), one-hot, noughts and
// ones, or reals.
static cj_tensor *make_targets(const cj_model *model, target kind, int64_t count, dice *d)
{
    cj_shape shape = *cj_model_output_shape(model, 0);
    static const cj_dtype dtypes[] = {CJ_U8, CJ_I32, CJ_I64};
    cj_dtype dtype = DICE_PICK(d, dtypes);
    shape.dims[0] = count;
    const int64_t values = shape.dims[shape.rank - 1];
    if (kind == TARGET_LABELS)
        shape.rank--;
    else
        dtype = CJ_F32;
    cj_tensor *y = NULL;
    if (cj_tensor_new(dtype, shape, &y) != CJ_OK)
        return NULL;
    int64_t place[CJ_MAX_RANK] = {0}, class = 0;
    const int64_t n = cj_tensor_count(y);
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i;
        for (int axis = shape.rank - 1; axis >= 0; rest /= shape.dims[axis--])
            place[axis] = rest % shape.dims[axis];
        if (i % values == 0 || kind == TARGET_LABELS)
            class = dice_range(d, 0, values - 1);
        const double value = kind == TARGET_LABELS  ? (double)class :
                             kind == TARGET_ONE_HOT ? (double)(i % values == class) :
                             kind == TARGET_BITS    ? (double)dice_range(d, 0, 1) :
                                                      dice_normal(d);
        cj_tensor_set(y, place, value);
    }
    return y;
}

// Rules that divide by the gradient's size have an epsilon that rounding errors of a gradient of 0
// do not reach.
static void pick_optimizer(random_problem *p, dice *d)
{
    static const char *const rules[] = {
        "sgd(learning_rate=0.05",
        "sgd(learning_rate=0.02, momentum=0.9",
        "sgd(learning_rate=0.02, momentum=0.9, nesterov=true",
        "adam(learning_rate=0.01, epsilon=0.001",
        "adam(learning_rate=0.005, epsilon=0.001",
        "adam(learning_rate=0.01, epsilon=0.001, amsgrad=true",
        "rmsprop(learning_rate=0.005, epsilon=0.001",
        "rmsprop(learning_rate=0.005, epsilon=0.001, momentum=0.5, centered=true",
        "adagrad(learning_rate=0.05, epsilon=0.001",
        "adadelta(learning_rate=1, epsilon=0.001"};
    static const char *const more[] = {", clipnorm=0.5", ", global_clipnorm=0.5",
                                       ", clipvalue=0.05", ", weight_decay=0.01"};
    snprintf(p->optimizer, sizeof p->optimizer, "%s%s)", DICE_PICK(d, rules),
             dice_chance(d, 25) ? DICE_PICK(d, more) : "");
}

// A loss that fits the head, and what its targets are.
static target pick_loss(random_problem *p, dice *d, random_head head, bool activated)
{
    static const char *const values[] = {"mse", "mse", "mae", "hinge"};
    const char *options = activated ? "" : "(from_logits=true)";
    if (head == HEAD_VALUES) {
        snprintf(p->loss, sizeof p->loss, "%s", DICE_PICK(d, values));
        p->metrics[0] = dice_chance(d, 50) ? "mae" : NULL;
        return TARGET_REALS;
    }
    if (head == HEAD_YES_NO) {
        snprintf(p->loss, sizeof p->loss, "binary_crossentropy%s", options);
        p->metrics[0] = dice_chance(d, 50) ? "binary_accuracy" : NULL;
        return TARGET_BITS;
    }
    const bool sparse = dice_chance(d, 65);
    if (!sparse && dice_chance(d, 30))
        options = activated ? "(label_smoothing=0.1)" : "(from_logits=true, label_smoothing=0.1)";
    snprintf(p->loss, sizeof p->loss, "%scategorical_crossentropy%s", sparse ? "sparse_" : "",
             options);
    if (dice_chance(d, 80))
        p->metrics[0] = "accuracy";
    if (p->metrics[0] && dice_chance(d, 20))
        p->metrics[1] =
            sparse ? "sparse_top_k_categorical_accuracy(k=2)" : "top_k_categorical_accuracy(k=2)";
    return sparse ? TARGET_LABELS : TARGET_ONE_HOT;
}

// Batches of 1 to 70 samples with a smaller last one, as many as the work allows.
static void pick_batches(random_problem *p, random_net *net, dice *d)
{
    static const int64_t sizes[] = {1, 2, 5, 8, 16, 17, 31, 32, 33, 64, 70};
    p->batch_size = dice_chance(d, 50) ? DICE_PICK(d, sizes) : dice_range(d, 1, 70);
    const double sample =
        net->work + 20.0 * (double)(net->input_dims[0] * (net->rank > 1 ? net->input_dims[1] : 1));
    while (p->batch_size > 1 && sample * (double)p->batch_size > net->most_work * 16)
        p->batch_size /= 2;
    const int64_t last =
        p->batch_size > 1 && dice_chance(d, 70) ? dice_range(d, 1, p->batch_size - 1) : 0;
    p->count = p->batch_size * dice_range(d, 1, p->batch_size < 8 ? 3 : 2) + last;
}

static bool make_data(random_problem *p, random_net *net, target kind, dice *choices, uint64_t draw)
{
    const bool coarse = dice_chance(choices, 15), weighted = dice_chance(choices, 20);
    dice data = {dice_word(choices) ^ draw * 0x5851F42D4C957F2Du};
    cj_tensor *x = make_inputs(net, p->count, &data, coarse),
              *y = make_targets(p->model, kind, p->count, &data), *w = NULL;
    if (weighted && cj_tensor_new(CJ_F32, CJ_SHAPE(p->count), &w) == CJ_OK)
        for (int64_t i = 0; i < p->count; i++)
            ((float *)cj_tensor_data(w))[i] =
                (float)(dice_chance(&data, 20) ? 0 : 2 * dice_real(&data));
    p->data = cj_dataset(.x = {x}, .y = {y}, .sample_weight = w);
    const cj_shape *shape = cj_model_output_shape(p->model, 0);
    if (kind <= TARGET_ONE_HOT && shape->rank == 2 && !weighted && dice_chance(choices, 15)) {
        p->class_count = (int)shape->dims[1] < CLASSES_MAX ? (int)shape->dims[1] : CLASSES_MAX;
        for (int i = 0; i < p->class_count; i++)
            p->class_weights[i] = 0.25 * (double)dice_range(choices, 0, 8);
    }
    return p->data != NULL;
}

// Some layer's weights stay as they are: calls may keep what they made of them.
static bool freeze_one(random_problem *p, dice *d)
{
    const int which = (int)dice_range(d, 0, cj_model_layer_count(p->model) - 1);
    cj_layer *layer = cj_model_layer_at(p->model, which);
    const size_t length = strlen(p->text);
    snprintf(p->text + length, sizeof p->text - length, "; %s frozen", cj_layer_name(layer));
    return cj_set_trainable(layer, false) == CJ_OK;
}

bool random_problem_make(random_problem *p, uint64_t seed, uint64_t draw)
{
    *p = (random_problem){0};
    random_net net = {.dice = {seed * 0xD1342543DE82EF95u + 1}};
    dice *d = &net.dice;
    net.functional = dice_chance(d, 45);
    net.usual = dice_chance(d, 45);
    net.most_work = dice_chance(d, 12) ? 1e6 : dice_chance(d, 40) ? 2e5 : 6e4;
    const int what = (int)dice_range(d, 0, 99);
    const random_head head = what < 65 ? HEAD_CLASSES : what < 85 ? HEAD_VALUES : HEAD_YES_NO;
    const bool activated = dice_chance(d, 65);
    pick_input(&net);
    p->model = build(&net, head, activated);
    memcpy(p->text, net.text, sizeof net.text);
    if (!p->model)
        return false;
    p->mixed = dice_chance(d, 8);
    if (p->mixed && cj_set_dtype_policy(cj_model_layer(p->model), "mixed_bfloat16") != CJ_OK)
        return false;
    if (dice_chance(d, 15) && !freeze_one(p, d))
        return false;
    const target kind = pick_loss(p, d, head, activated);
    pick_optimizer(p, d);
    pick_batches(p, &net, d);
    const size_t length = strlen(p->text);
    snprintf(p->text + length, sizeof p->text - length,
             ";%s loss %s; %s; %d samples in batches of %d", p->mixed ? " mixed_bfloat16;" : "",
             p->loss, p->optimizer, (int)p->count, (int)p->batch_size);
    return make_data(p, &net, kind, d, draw) &&
           cj_model_set_seed(p->model, seed + 1000003 * draw) == CJ_OK;
}

void random_problem_free(random_problem *p)
{
    cj_release(p->model);
    cj_release(p->data);
    *p = (random_problem){0};
}
