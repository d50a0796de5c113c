// Dtype policies. mixed_bfloat16 is implemented by casts: a layer rounds its inputs, the variables
// that it reads and its outputs to bfloat16, and computes in float32 between. Products of two
// bfloat16 numbers are exact in float32, so the results are those of bfloat16 hardware with float32
// sums, up to the order of the sums.
#include "base/error.h"
#include "base/text.h"
#include "layers/kind.h"
#include <string.h>

static const char *const policies[] = {"float32", "mixed_bfloat16"};
enum { FLOAT32, MIXED_BFLOAT16, POLICY_COUNT };

cj_status cj__layer_set_policy(cj_layer *layer, const char *policy)
{
    int which = 0;
    while (which < POLICY_COUNT && strcmp(policies[which], policy) != 0)
        which++;
    if (which == POLICY_COUNT) {
        const cj_status status = cj__fail_unknown(CJ_INVALID_ARGUMENT, "dtype policy", policy,
                                                  policies, sizeof policies[0], POLICY_COUNT);
        return cj__fail_in(status, "%s", layer->name);
    }
    layer->mixed = which == MIXED_BFLOAT16;
    return CJ_OK;
}

cj_status cj_set_dtype_policy(cj_layer *layer, const char *policy)
{
    cj_layer *const *children;
    if (!layer || !policy)
        return layer ? cj__fail_null("cj_set_dtype_policy: the policy") :
                       cj__fail_missing(CJ__MADE_LAYER, "cj_set_dtype_policy: the layer");
    const int count = cj__layer_children(layer, &children);
    CJ_TRY(cj__layer_set_policy(layer, policy));
    for (int i = 0; i < count; i++)
        CJ_TRY(cj_set_dtype_policy(children[i], policy));
    return CJ_OK;
}

const char *cj_dtype_policy(const cj_layer *layer)
{
    return layer ? policies[layer->mixed ? MIXED_BFLOAT16 : FLOAT32] : "";
}

// Models, whose layers have policies of their own, and input layers, which pass on their input, are
// marked no_policy.
void cj__layer_round(const cj_layer *layer, cj__trace *trace, cj__value *values, int count)
{
    if (!layer->mixed || layer->kind->no_policy)
        return;
    for (int i = 0; i < count; i++)
        if (values[i].symbol && cj_symbol_dtype(values[i].symbol) == CJ_F32)
            values[i].symbol = cj__round_bf16(&trace->build, values[i].symbol);
}
