// MixUp and CutMix: images of a batch mixed with each other while training, and with two inputs
// their labels too, by the same numbers. Equalization, which looks at a batch as well, and
// ContrastLimitedAdaptiveHistogramEqualization.
#include "layers/random_images.h"

CJ__DEFAULTS(mix_up, MIX_UP)
CJ__DEFAULTS(cut_mix, CUT_MIX)
CJ__DEFAULTS(equalization, EQUALIZATION)
CJ__DEFAULTS(contrast_limited_adaptive_histogram_equalization,
             CONTRAST_LIMITED_ADAPTIVE_HISTOGRAM_EQUALIZATION)

// Images, and labels where there are two inputs; labels are (batch, classes).
static cj_status need_mixable(const cj__layer_context *c)
{
    CJ_TRY(cj__need_images(c));
    return c->input_count == 1 ?
               CJ_OK :
               cj__layer_need_rank(c->layer, cj__value_shape(&c->inputs[1]), 2, 2);
}

static bool passes(cj__layer_context *c)
{
    c->output_count = c->input_count;
    for (int i = 0; i < c->input_count; i++)
        c->outputs[i].symbol = c->inputs[i].symbol;
    return !c->trace->training;
}

// share a + (1 - share) b.
static cj_symbol *mixed(cj__build *g, cj_symbol *share, cj_symbol *a, cj_symbol *b)
{
    cj_symbol *rest = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, share, 0, 0), 1);
    return cj__add(g, cj__mul(g, share, a), cj__mul(g, rest, b));
}

// A number of a sample, (batch, 1), beside images.
static cj_symbol *beside_images(cj__build *g, cj_symbol *number)
{
    return number ? cj__reshape(g, number, &CJ_SHAPE(cj_symbol_shape(number)->dims[0], 1, 1, 1)) :
                    NULL;
}

// Members of both kinds.
static const char *const image_keys[] = {"images", "labels", NULL};
#define MIXES .max_inputs = 2, .by_batch = true, .input_keys = image_keys

// MixUp
// -----------------------------------------------------------------------------------------------

static const cj__field mix_up_fields[] = {
    CJ__FIELD(cj_mix_up_args, alpha, CJ__FIELD_NUMBER, .low = 1e-6, .high = 1e6),
    CJ__FIELD(cj_mix_up_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_mix_up_args),
};

static cj_status check_mix_up(cj_layer *layer)
{
    (void)layer;
    return CJ_OK;
}

static cj_status call_mix_up(cj__layer_context *c)
{
    const cj_mix_up_args *a = c->layer->args;
    cj__build *g = c->build;
    cj_symbol *step = c->trace->step;
    CJ_TRY(need_mixable(c));
    if (passes(c))
        return CJ_OK;
    const uint64_t order = cj__image_key(c, a->seed), shares = cj__image_key(c, a->seed);
    cj_symbol *share = cj__sample_beta(g, c->inputs[0].symbol, step, shares, a->alpha, a->alpha);
    for (int i = 0; i < c->input_count; i++) {
        cj_symbol *x = c->inputs[i].symbol;
        c->outputs[i].symbol = mixed(g, i == 0 ? beside_images(g, share) : share, x,
                                     cj__shuffle_samples(g, x, step, order));
    }
    return CJ_OK;
}

CJ__IMAGE_KIND_WITH(mix_up, "MixUp", MIXES)

// CutMix
// -----------------------------------------------------------------------------------------------

static const cj__field cut_mix_fields[] = {
    CJ__FACTOR(cj_cut_mix_args, factor, .required = true),
    CJ__FIELD(cj_cut_mix_args, seed, CJ__FIELD_SEED),
    CJ__LAYER_FIELDS(cj_cut_mix_args),
};

static cj_status check_cut_mix(cj_layer *layer)
{
    cj_cut_mix_args *a = layer->args;
    double ends[2];
    return CJ__ENDS_OF(layer, a, factor, 0, 1, ends);
}

// 1 for each of the places 0 .. length - 1 along an axis that lies in a rectangle's side, else 0.
static cj_symbol *inside(cj__build *g, cj_symbol *const side[2], int64_t length, int axis)
{
    cj_symbol *at = cj__image_places(g, length, axis, 0);
    cj_symbol *one = cj__scalar(g, CJ_F32, 1), *zero = cj__scalar(g, CJ_F32, 0);
    cj_symbol *before = cj__compare(g, CJ__COMPARISON_less, at, side[1]),
              *from = cj__compare(g, CJ__COMPARISON_greater_equal, at, side[0]);
    return cj__mul(g, cj__select(g, before, one, zero), cj__select(g, from, one, zero));
}

static cj_status call_cut_mix(cj__layer_context *c)
{
    const cj_cut_mix_args *a = c->layer->args;
    const cj_shape *shape = cj__value_shape(&c->inputs[0]);
    cj__build *g = c->build;
    cj_symbol *x = c->inputs[0].symbol, *step = c->trace->step;
    double ends[2];
    CJ_TRY(need_mixable(c));
    CJ_TRY(CJ__ENDS_OF(c->layer, a, factor, 0, 1, ends));
    if (passes(c))
        return CJ_OK;
    cj__draws draws = cj__draw_for_images(c, a->seed, 2);
    const uint64_t order = cj__image_key(c, a->seed), shares = cj__image_key(c, a->seed);
    cj_symbol *kept = cj__sample_beta(g, x, step, shares, ends[0] + 1e-6, ends[1] + 1e-6);
    cj_symbol *rest = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, kept, 0, 0), 1);
    rest = beside_images(g, cj__apply_unary(g, CJ__UNARY_sqrt, rest, 0, 0));
    cj_symbol *cols[2], *rows[2];
    cj__rectangle_side(c, &draws, rest, shape->dims[2], cols);
    cj__rectangle_side(c, &draws, rest, shape->dims[1], rows);
    cj_symbol *mask =
        cj__mul(g, inside(g, rows, shape->dims[1], 1), inside(g, cols, shape->dims[2], 2));
    mask = cj__compare(g, CJ__COMPARISON_greater, mask, cj__scalar(g, CJ_F32, 0.5));
    c->outputs[0].symbol = cj__select(g, mask, cj__shuffle_samples(g, x, step, order), x);
    if (c->input_count == 1)
        return CJ_OK;
    cj_symbol *area = cj__mul(g, cj__sub(g, cols[1], cols[0]), cj__sub(g, rows[1], rows[0]));
    area = cj__div(g, area, cj__scalar(g, CJ_F32, (double)shape->dims[1] * (double)shape->dims[2]));
    kept = cj__shift(g, cj__apply_unary(g, CJ__UNARY_negative, area, 0, 0), 1);
    cj_symbol *labels = c->inputs[1].symbol;
    kept = kept ? cj__reshape(g, kept, &CJ_SHAPE(shape->dims[0], 1)) : NULL;
    c->outputs[1].symbol = mixed(g, kept, labels, cj__shuffle_samples(g, labels, step, order));
    return CJ_OK;
}

CJ__IMAGE_KIND_WITH(cut_mix, "CutMix", MIXES)

static const cj__choice mixtures[] = {
    CJ__CHOICE("mix_up", "MixUp", mix_up_fields, mix_up_defaults),
    CJ__CHOICE("cut_mix", "CutMix", cut_mix_fields, cut_mix_defaults),
};

const cj__catalog cj__mixtures = {.what = "mixture",
                                  .rows = mixtures,
                                  .stride = sizeof mixtures[0],
                                  .count = sizeof mixtures / sizeof mixtures[0]};

// Equalization
// -----------------------------------------------------------------------------------------------

cj_symbol *cj__equalized(cj__layer_context *c, cj_symbol *x, int64_t bins, const cj_numbers *range)
{
    cj__build *g = c->build;
    x = cj__equalize(g, cj__from_range(g, x, range->values, cj__byte_range), bins);
    return cj__from_range(g, x, cj__byte_range, range->values);
}

static const cj__field equalization_fields[] = {
    CJ__FIELD(cj_equalization_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(cj_equalization_args, bins, CJ__FIELD_INT, .low = 2, .high = 65536),
    CJ__LAYER_FIELDS(cj_equalization_args),
};

static cj_status check_equalization(cj_layer *layer)
{
    return cj__check_values(layer, &((cj_equalization_args *)layer->args)->value_range);
}

static cj_status call_equalization(cj__layer_context *c)
{
    const cj_equalization_args *a = c->layer->args;
    CJ_TRY(cj__need_images(c));
    if (!cj__images_pass(c))
        c->outputs[0].symbol = cj__equalized(c, c->inputs[0].symbol, a->bins, &a->value_range);
    return CJ_OK;
}

CJ__IMAGE_KIND_WITH(equalization, "Equalization", .max_inputs = 1, .by_batch = true)

// ContrastLimitedAdaptiveHistogramEqualization
// -----------------------------------------------------------------------------------------------

typedef cj_contrast_limited_adaptive_histogram_equalization_args clahe_args;

static const cj__field contrast_limited_adaptive_histogram_equalization_fields[] = {
    CJ__FIELD(clahe_args, value_range, CJ__FIELD_NUMBERS),
    CJ__FIELD(clahe_args, clip_limit, CJ__FIELD_NUMBER, CJ__NOT_NEGATIVE),
    CJ__FIELD(clahe_args, tile_grid_size, CJ__FIELD_PAIR, .low = 1, .high = 1024),
    CJ__LAYER_FIELDS(clahe_args),
};

static cj_status check_contrast_limited_adaptive_histogram_equalization(cj_layer *layer)
{
    return cj__check_values(layer, &((clahe_args *)layer->args)->value_range);
}

static cj_status call_contrast_limited_adaptive_histogram_equalization(cj__layer_context *c)
{
    const clahe_args *a = c->layer->args;
    const double *range = a->value_range.values;
    cj__build *g = c->build;
    CJ_TRY(cj__need_images(c));
    const cj__histogram_attrs attrs = {
        .bins = 256, .grid = {a->tile_grid_size[0], a->tile_grid_size[1]}, .limit = a->clip_limit};
    cj_symbol *y = cj__from_range(g, c->inputs[0].symbol, range, cj__byte_range);
    y = cj__adapt_histogram(g, y, &attrs);
    c->outputs[0].symbol = cj__from_range(g, y, cj__byte_range, range);
    return CJ_OK;
}

CJ__IMAGE_KIND(contrast_limited_adaptive_histogram_equalization,
               "ContrastLimitedAdaptiveHistogramEqualization")
