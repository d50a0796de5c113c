// RandAugment and AugMix: keras/src/layers/preprocessing/image_preprocessing/rand_augment.py and
// aug_mix.py (Cubuk and others 2019; Hendrycks and others 2019). Both choose among the same layers, for a
// whole batch; each layer draws for each image. What is chosen is known in a step only, so all of them
// are traced and one is selected.
#include "base/error.h"
#include "layers/composite.h"
#include "layers/random_images.h"
#include "ops/words.h"

#include <math.h>

CJ__DEFAULTS(rand_augment, RAND_AUGMENT)
CJ__DEFAULTS(aug_mix, AUG_MIX)

// What both have, and the number of layers to choose from.
typedef struct choice {
    double ends[2]; // of the strength
    const cj_numbers *values;
    const char *interpolation;
    int64_t seed;
    bool all; // the four that change colours, too
} choice;

enum { LAYERS = 11, SHAPES = 7 }; // the first SHAPES are those without the four

#define PIXELS .interpolation = o->interpolation, .seed = o->seed
#define COLORS .value_range = *o->values, .seed = o->seed

// Layer `index` of AugMix's list.
static cj_layer *layer_of(const choice *o, int index)
{
    const cj_numbers f = {o->ends, 2};
    const double bits = floor(8 * o->ends[1]);
    switch (index) {
    case 0:
        return cj_random_shear(.x_factor_range = f, .y_factor_range = f, PIXELS);
    case 1:
        return cj_random_translation(.height_factor_range = f, .width_factor_range = f, PIXELS);
    case 2:
        return cj_random_rotation(.factor_range = f, PIXELS);
    case 3:
        return cj_random_posterization(bits < 1 ? 1 : bits, COLORS);
    case 4:
        return cj_solarization(.addition_factor_range = f, .threshold_factor_range = f, COLORS);
    case 5:
        return cj_auto_contrast(.value_range = *o->values);
    case 6:
        return cj_equalization(.value_range = *o->values);
    case 7:
        return cj_random_brightness(.factor_range = f, COLORS);
    case 8:
        return cj_random_color_degeneration(.factor_range = f, COLORS);
    case 9:
        return cj_random_contrast(.factor_range = f, COLORS);
    default:
        return cj_random_sharpness(.factor_range = f, COLORS);
    }
}

static int count_of(const choice *o)
{
    return o->all ? LAYERS : SHAPES;
}

static cj_status build_layers(cj_layer *layer, const choice *o, const cj__type *input)
{
    const cj__type type = {CJ_F32, input->shape};
    for (int i = 0; i < count_of(o); i++)
        CJ_TRY(cj__add_sublayer(layer, layer_of(o, i), &type));
    return CJ_OK;
}

// x changed by the layer whose number is the whole part of `number`, which is the batch's, (1, 1, 1, 1); x
// itself for the number after the last.
static cj_symbol *changed(cj__layer_context *c, const choice *o, cj_symbol *x, cj_symbol *number)
{
    cj__build *g = c->build;
    cj_symbol *y = x;
    for (int i = count_of(o); i-- > 0 && g->status == CJ_OK;) {
        cj_symbol *one = cj__call_sublayer(c, i, x);
        cj_symbol *below =
            cj__compare(g, CJ__COMPARISON_less, number, cj__scalar(g, CJ_F32, i + 1));
        y = cj__select(g, below, one, y);
    }
    return y;
}

// RandAugment
// -----------------------------------------------------------------------------------------------

static const cj__field rand_augment_fields[] = {
    CJ__FIELD(cj_rand_augment_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_rand_augment_args, num_ops, CJ__FIELD_INT, .low = 0, .high = 16),
    CJ__FACTOR(cj_rand_augment_args, factor, .required = true),
    CJ__FIELD(cj_rand_augment_args, interpolation, CJ__FIELD_TEXT, .required = true,
              .words = cj__interpolations),
    CJ__FIELD(cj_rand_augment_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_rand_augment_args),
};

static cj_status choice_of_rand(const cj_layer *layer, choice *o)
{
    const cj_rand_augment_args *a = layer->args;
    *o = (choice){
        .values = &a->value_range, .interpolation = a->interpolation, .seed = a->seed, .all = true};
    return CJ__ENDS_OF(layer, a, factor, 0, 1, o->ends);
}

static cj_status check_rand_augment(cj_layer *layer)
{
    cj_rand_augment_args *a = layer->args;
    choice o;
    CJ_TRY(cj__check_values(layer, &a->value_range));
    return choice_of_rand(layer, &o);
}

static cj_status build_rand_augment(cj_layer *layer, const cj__type *inputs)
{
    choice o;
    CJ_TRY(choice_of_rand(layer, &o));
    return build_layers(layer, &o, inputs);
}

static cj_status call_rand_augment(cj__layer_context *c)
{
    const cj_rand_augment_args *a = c->layer->args;
    choice o;
    CJ_TRY(choice_of_rand(c->layer, &o));
    CJ_TRY(cj__need_colors(c, false));
    if (cj__images_pass(c) || a->num_ops == 0)
        return CJ_OK;
    cj__draws draws = cj__draw_for_batch(c, a->seed, (int)a->num_ops);
    cj_symbol *x = c->inputs[0].symbol;
    for (int64_t i = 0; i < a->num_ops; i++)
        x = changed(c, &o, x, cj__next_draw(c, &draws, 0, LAYERS));
    c->outputs[0].symbol = x;
    return c->build->status;
}

#define COMPOSITE(plain)                                                                           \
    .max_inputs = 1, .build = build_##plain, .by_batch = true, .children = cj__composite_children, \
    .free = cj__composite_free, .size = sizeof(cj__composite)

CJ__IMAGE_KIND_WITH(rand_augment, "RandAugment", COMPOSITE(rand_augment))

// AugMix
// -----------------------------------------------------------------------------------------------

static const cj__field aug_mix_fields[] = {
    CJ__FIELD(cj_aug_mix_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_aug_mix_args, num_chains, CJ__FIELD_INT, .low = 1, .high = 8),
    CJ__FIELD(cj_aug_mix_args, chain_depth, CJ__FIELD_INT, .low = 0, .high = 8),
    CJ__FACTOR(cj_aug_mix_args, factor, .required = true),
    CJ__FIELD(cj_aug_mix_args, alpha, CJ__FIELD_NUMBER, .low = 1e-6, .high = 1e6),
    CJ__FIELD(cj_aug_mix_args, all_ops, CJ__FIELD_BOOL),
    CJ__FIELD(cj_aug_mix_args, interpolation, CJ__FIELD_TEXT, .required = true,
              .words = cj__interpolations),
    CJ__FIELD(cj_aug_mix_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_aug_mix_args),
};

static cj_status choice_of_mix(const cj_layer *layer, choice *o)
{
    const cj_aug_mix_args *a = layer->args;
    *o = (choice){.values = &a->value_range,
                  .interpolation = a->interpolation,
                  .seed = a->seed,
                  .all = a->all_ops};
    return CJ__ENDS_OF(layer, a, factor, 0, 1, o->ends);
}

static cj_status check_aug_mix(cj_layer *layer)
{
    cj_aug_mix_args *a = layer->args;
    choice o;
    CJ_TRY(cj__check_values(layer, &a->value_range));
    return choice_of_mix(layer, &o);
}

static cj_status build_aug_mix(cj_layer *layer, const cj__type *inputs)
{
    choice o;
    CJ_TRY(choice_of_mix(layer, &o));
    return build_layers(layer, &o, inputs);
}

// A number of the gamma distribution, (1, 1, 1, 1).
static cj_symbol *gamma_number(cj__layer_context *c, const cj_aug_mix_args *a)
{
    cj_symbol *alpha =
        cj__reshape(c->build, cj__scalar(c->build, CJ_F32, a->alpha), &CJ_SHAPE(1, 1, 1, 1));
    return alpha ? cj__random_gamma(c->build, alpha, c->trace->step, cj__image_key(c, a->seed)) :
                   NULL;
}

// The chains' images, each times its share: shares of the Dirichlet distribution are numbers of the gamma
// distribution over their sum.
static cj_symbol *mix_chains(cj__layer_context *c, const choice *o, cj_symbol *x)
{
    const cj_aug_mix_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *sum = NULL, *weights = NULL;
    for (int64_t i = 0; i < a->num_chains && g->status == CJ_OK; i++) {
        cj_symbol *y = x, *weight = gamma_number(c, a);
        if (a->chain_depth > 0) {
            cj__draws draws = cj__draw_for_batch(c, a->seed, (int)a->chain_depth);
            for (int64_t k = 0; k < a->chain_depth; k++)
                y = changed(c, o, y, cj__next_draw(c, &draws, 0, count_of(o) + 1));
        }
        y = cj__mul(g, y, weight);
        sum = sum ? cj__add(g, sum, y) : y;
        weights = weights ? cj__add(g, weights, weight) : weight;
    }
    return cj__div(g, sum, weights);
}

static cj_status call_aug_mix(cj__layer_context *c)
{
    const cj_aug_mix_args *a = c->layer->args;
    cj__build *g = c->build;
    choice o;
    CJ_TRY(choice_of_mix(c->layer, &o));
    CJ_TRY(a->all_ops ? cj__need_colors(c, false) : cj__need_images(c));
    if (cj__images_pass(c))
        return CJ_OK;
    cj_symbol *x = c->inputs[0].symbol, *first = gamma_number(c, a), *second = gamma_number(c, a);
    cj_symbol *share = cj__div(g, first, cj__add(g, first, second)); // of the beta distribution
    cj_symbol *mixed = mix_chains(c, &o, x);
    mixed = cj__add(g, mixed, cj__mul(g, share, cj__sub(g, x, mixed)));
    c->outputs[0].symbol = cj__apply_unary(g, CJ__UNARY_clip, mixed, a->value_range.values[0],
                                           a->value_range.values[1]);
    return g->status;
}

CJ__IMAGE_KIND_WITH(aug_mix, "AugMix", COMPOSITE(aug_mix))
