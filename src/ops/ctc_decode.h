// Inside the ops room: the attributes of ctc_decode.
#ifndef CJ_OPS_CTC_DECODE_H
#define CJ_OPS_CTC_DECODE_H

#include "ops/build.h"

typedef struct cj__ctc_decode_attrs {
    int32_t beams; // 0: the greatest class of each step
    int32_t paths, blank;
    int32_t merges; // not 0: without beams, repeats are one
} cj__ctc_decode_attrs;
CJ__NO_PADDING(cj__ctc_decode_attrs, 4 * sizeof(int32_t));

#endif
