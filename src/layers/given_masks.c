// Masks that an application is given as inputs of their own, behind the others: Keras's
// lstm(x, initial_state=states, mask=mask). Without them a layer has the masks that its inputs carry.
#include "base/error.h"
#include "layers/attention.h"
#include "layers/kind.h"

#include <string.h>

const cj__given_mask cj__mask_of_first[] = {{"mask", 0}, {NULL, 0}};
const char *const cj__mask_settings[] = {"mask", NULL};

int cj__given_mask_count(const cj__layer_kind *kind, uint32_t on)
{
    int count = 0;
    for (const cj__given_mask *m = kind->given_masks; m && m->name; m++)
        count += cj__call_setting_in(kind, on, m->name);
    return count;
}

// A mask has the first axes of what it masks. Softmax alone takes one that broadcasts, and looks itself.
static cj_status check(const cj_layer *layer, const cj__given_mask *row, const cj_shape *mask,
                       const cj_shape *input)
{
    char first[CJ__SHAPE_WORDS], second[CJ__SHAPE_WORDS];
    bool fits = mask->rank >= 2 && mask->rank <= input->rank;
    for (int i = 0; fits && i < mask->rank; i++)
        fits = mask->dims[i] == input->dims[i];
    if (fits || layer->kind == &cj__layer_softmax)
        return CJ_OK;
    return cj__fail(CJ_SHAPE_MISMATCH,
                    "%s: its %s %s needs the first axes of input %d, which has shape %s",
                    layer->name, row->name, cj_shape_text(mask, first, sizeof first), row->input,
                    cj_shape_text(input, second, sizeof second));
}

const cj__value *cj__take_masks(const cj_layer *layer, cj__build *build, uint32_t on,
                                const cj__value *inputs, int *count)
{
    const cj__layer_kind *kind = layer->kind;
    const int given = cj__given_mask_count(kind, on), left = *count - given;
    if (given == 0)
        return inputs;
    if (left < kind->min_inputs) {
        cj__fail(CJ_INVALID_ARGUMENT,
                 "%s: %d inputs given, the last %d of them as masks, which leaves too few",
                 layer->name, *count, given);
        return NULL;
    }
    cj__value *taken = cj__build_memory(build, (size_t)left, sizeof *taken);
    if (!taken)
        return NULL;
    memcpy(taken, inputs, (size_t)left * sizeof *taken);
    for (int i = 0; i < left && kind->masks_in_list; i++)
        taken[i].mask = NULL;
    int next = left;
    for (const cj__given_mask *m = kind->given_masks; m->name; m++) {
        if (!cj__call_setting_in(kind, on, m->name))
            continue;
        cj_symbol *mask = inputs[next++].symbol;
        if (m->input >= left) {
            cj__fail(CJ_INVALID_ARGUMENT, "%s: %s is given, but no input %d that it masks",
                     layer->name, m->name, m->input);
            return NULL;
        }
        if (check(layer, m, cj_symbol_shape(mask), cj__value_shape(&taken[m->input])) != CJ_OK)
            return NULL;
        if (!(taken[m->input].mask = cj__mask_of_input(build, mask)))
            return NULL;
    }
    *count = left;
    return taken;
}
