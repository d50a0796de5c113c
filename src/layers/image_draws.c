// What the layers that change images at random share (random_images.h).
#include "layers/random_images.h"

#include "base/memory.h"
#include <math.h>
#include <string.h>

const cj__config_key cj__image_keys[] = {
    CJ__KEY_ONLY("data_format", "channels_last"),
    CJ__KEY_HARMLESS("bounding_box_format"),
    {.key = NULL},
};

const char *const cj__fill_modes[] = {"constant", "nearest", "reflect", "wrap", NULL};
const char *const cj__interpolations[] = {"nearest", "bilinear", NULL};
const double cj__byte_range[2] = {0, 255}, cj__unit_range[2] = {0, 1};

int32_t cj__beside(const char *fill_mode)
{
    static const int32_t beside[] = {CJ__BESIDE_CONSTANT, CJ__BESIDE_NEAREST, CJ__BESIDE_REFLECT,
                                     CJ__BESIDE_WRAP};
    int i = 0;
    while (cj__fill_modes[i] && strcmp(cj__fill_modes[i], fill_mode) != 0)
        i++;
    return cj__fill_modes[i] ? beside[i] : CJ__BESIDE_MIRROR; // RandomElasticTransform's alone
}

cj_status cj__ends_of(const cj_layer *layer, const char *what, double one, const cj_numbers *list,
                      double low, double high, double ends[2])
{
    ends[1] = fabs(one);
    ends[0] = -ends[1] > low ? -ends[1] : low;
    if (list->count != 0 && list->count != 2)
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s needs two numbers, %lld were given",
                        layer->name, what, (long long)list->count);
    if (list->count == 2) {
        const bool sorted = list->values[0] <= list->values[1];
        ends[0] = list->values[sorted ? 0 : 1];
        ends[1] = list->values[sorted ? 1 : 0];
    }
    if (!(ends[0] >= low && ends[0] <= ends[1] && ends[1] <= high))
        return cj__fail(CJ_INVALID_ARGUMENT, "%s: %s must be from %g to %g, not %g and %g",
                        layer->name, what, low, high, ends[0], ends[1]);
    return CJ_OK;
}

cj_status cj__check_values(const cj_layer *layer, cj_numbers *range)
{
    if (range->count == 0) {
        double *usual = cj__new(2, sizeof *usual);
        if (!usual)
            return CJ_OUT_OF_MEMORY;
        usual[1] = 255;
        *range = (cj_numbers){usual, 2};
    }
    if (range->count != 2 || !(range->values[0] < range->values[1]))
        return cj__fail(CJ_INVALID_ARGUMENT,
                        "%s: value_range needs two numbers, the lower one first", layer->name);
    return CJ_OK;
}

cj_status cj__need_colors(const cj__layer_context *c, bool grey)
{
    CJ_TRY(cj__need_images(c));
    const int64_t channels = cj__value_shape(&c->inputs[0])->dims[3];
    if (channels == 3 || (grey && channels == 1))
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH, "%s: images have %lld channels, needs %s", c->layer->name,
                    (long long)channels, grey ? "1 or 3" : "3");
}

bool cj__images_pass(cj__layer_context *c)
{
    c->outputs[0].symbol = c->inputs[0].symbol;
    return !c->trace->training;
}

uint64_t cj__image_key(const cj__layer_context *c, int64_t seed)
{
    return cj__trace_key(c->trace, seed, c->layer->name);
}

cj__draws cj__draw_for_images(cj__layer_context *c, int64_t seed, int count)
{
    return (cj__draws){.numbers = cj__sample_uniform(c->build, c->inputs[0].symbol, c->trace->step,
                                                     cj__image_key(c, seed), count)};
}

cj__draws cj__draw_for_batch(cj__layer_context *c, int64_t seed, int count)
{
    cj_symbol *like = cj__constant_of(c->build, CJ_F32, &CJ_SHAPE(1), (const double[]){0});
    return (cj__draws){.numbers = cj__sample_uniform(c->build, like, c->trace->step,
                                                     cj__image_key(c, seed), count)};
}

cj_symbol *cj__next_draw(cj__layer_context *c, cj__draws *draws, double low, double high)
{
    cj__build *g = c->build;
    cj_symbol *one = cj__slice(g, draws->numbers, 1, draws->taken++, 1);
    if (!one)
        return NULL;
    one = cj__reshape(g, one, &CJ_SHAPE(cj_symbol_shape(one)->dims[0], 1, 1, 1));
    return cj__shift(g, cj__scale(g, one, high - low), low);
}

cj_symbol *cj__next_chance(cj__layer_context *c, cj__draws *draws, const double ends[2])
{
    cj_symbol *chance = cj__next_draw(c, draws, ends[0], ends[1]);
    cj_symbol *drawn = cj__next_draw(c, draws, 0, 1);
    return cj__compare(c->build, CJ__COMPARISON_less, drawn, chance);
}

cj_symbol *cj__within(cj__build *g, cj_symbol *x, const cj_numbers *range)
{
    return cj__apply_unary(g, CJ__UNARY_clip, x, range->values[0], range->values[1]);
}

cj_symbol *cj__from_range(cj__build *g, cj_symbol *x, const double from[2], const double to[2])
{
    if (!x || (from[0] == to[0] && from[1] == to[1]))
        return x;
    x = from[0] != 0 ? cj__shift(g, x, -from[0]) : x;
    x = from[1] - from[0] != 1 ? cj__div(g, x, cj__scalar_like(g, x, from[1] - from[0])) : x;
    x = to[1] - to[0] != 1 ? cj__scale(g, x, to[1] - to[0]) : x;
    return to[0] != 0 ? cj__shift(g, x, to[0]) : x;
}

cj_symbol *cj__image_places(cj__build *g, int64_t length, int axis, double first)
{
    cj_shape shape = CJ_SHAPE(1, 1, 1, 1);
    shape.dims[axis] = length;
    cj_tensor *places = NULL;
    const cj_status status = cj_tensor_new(CJ_F32, shape, &places);
    if (status != CJ_OK) {
        cj__build_refuse(g, status);
        return NULL;
    }
    for (int64_t i = 0; i < length; i++)
        ((float *)cj_tensor_data(places))[i] = (float)(first + (double)i);
    return cj__build_keep(g, cj_symbol_constant(places));
}
