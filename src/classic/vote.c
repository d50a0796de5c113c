// See vote.h.
#include "classic/vote.h"

#include "base/error.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

cj_status cj__weights_find(const char *name, cj__weights *weights)
{
    static const char *const names[] = {
        [CJ__WEIGHTS_UNIFORM] = "uniform", [CJ__WEIGHTS_DISTANCE] = "distance"};
    for (int i = 0; i < 2; i++)
        if (!name || strcmp(name, names[i]) == 0) {
            *weights = (cj__weights)i;
            return CJ_OK;
        }
    return cj__fail_unknown(CJ_INVALID_ARGUMENT, "weights", name, names, sizeof *names, 2);
}

static int by_label(const void *a, const void *b)
{
    const cj__ballot *left = a, *right = b;
    if (left->label != right->label)
        return left->label < right->label ? -1 : 1;
    return left->rank < right->rank ? -1 : 1;
}

// At distance 0 the weight 1 / distance is infinite. If any neighbour is at distance 0, those at 0
// have one vote each and the others none.
void cj__ballots_of(const cj__neighbor *neighbors, int64_t k, const int32_t *labels,
                    cj__weights weights, cj__ballot *ballots)
{
    const bool has_exact = weights == CJ__WEIGHTS_DISTANCE && neighbors[0].distance <= 0;
    for (int64_t i = 0; i < k; i++) {
        const double distance = neighbors[i].distance;
        ballots[i] = (cj__ballot){labels[neighbors[i].index], (int32_t)i, 1};
        if (has_exact)
            ballots[i].weight = distance <= 0;
        else if (weights == CJ__WEIGHTS_DISTANCE)
            ballots[i].weight = 1 / distance;
    }
    qsort(ballots, (size_t)k, sizeof *ballots, by_label);
}

int32_t cj__ballots_winner(const cj__ballot *ballots, int64_t k)
{
    int32_t winner = ballots[0].label;
    double max_sum = -1;
    for (int64_t i = 0; i < k;) {
        const int32_t label = ballots[i].label;
        double sum = 0;
        for (; i < k && ballots[i].label == label; i++)
            sum += ballots[i].weight;
        if (sum > max_sum) {
            max_sum = sum;
            winner = label;
        }
    }
    return winner;
}
