// Szegedy et al. 2015, "Going deeper with convolutions", table 1, without the auxiliary classifiers
// and the local response normalization.
#include "architectures/architectures.h"

#include <cajal/convolutions.h>

// Filters of a module: 1x1; 3x3 behind a reduction; 5x5 behind a reduction; 1x1 behind a pool.
typedef struct inception {
    int one, reduce_three, three, reduce_five, five, pooled;
} inception;

static cj_symbol *add_inception(cj_symbol *x, const inception *m)
{
    cj_symbol *one = cj__conv_relu(x, m->one, 1, 1);
    cj_symbol *three = cj__conv_relu(cj__conv_relu(x, m->reduce_three, 1, 1), m->three, 3, 1);
    cj_symbol *five = cj__conv_relu(cj__conv_relu(x, m->reduce_five, 1, 1), m->five, 5, 1);
    cj_symbol *pooled = cj__conv_relu(cj__pool(x, 3, 1, "same"), m->pooled, 1, 1);
    return cj_merge(cj_concatenate(), one, three, five, pooled);
}

cj_symbol *cj__architecture_googlenet(cj_symbol *x, int64_t classes)
{
    static const inception modules[] = {
        {64, 96, 128, 16, 32, 32},     {128, 128, 192, 32, 96, 64},   {192, 96, 208, 16, 48, 64},
        {160, 112, 224, 24, 64, 64},   {128, 128, 256, 24, 64, 64},   {112, 144, 288, 32, 64, 64},
        {256, 160, 320, 32, 128, 128}, {256, 160, 320, 32, 128, 128}, {384, 192, 384, 48, 128, 128},
    };
    x = cj__pool(cj__conv_relu(x, 64, 7, 2), 3, 2, "same");
    x = cj__conv_relu(cj__conv_relu(x, 64, 1, 1), 192, 3, 1);
    x = cj__pool(x, 3, 2, "same");
    for (int i = 0; i < (int)(sizeof modules / sizeof *modules); i++) {
        x = add_inception(x, &modules[i]);
        if (i == 1 || i == 6) // after 3b and 4e
            x = cj__pool(x, 3, 2, "same");
    }
    x = cj_apply(cj_dropout(0.4), cj_apply(cj_global_average_pooling2d(), x));
    return cj__classify(x, classes);
}
