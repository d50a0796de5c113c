/**
 * @file pools.h
 * The threads of a model that is compiled already, such as one that was read from a file.
 */
#ifndef CAJAL_POOLS_H
#define CAJAL_POOLS_H

#include <cajal/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives a compiled model other threads to train, evaluate and predict with, in place of the `pool` of
 * cj_compile(); what it computes keeps its bits. A new `pool` is taken over, as by cj_compile(), and dropped
 * if the call fails. No other thread may use the model meanwhile. One of CJ_OK, CJ_INVALID_ARGUMENT (a NULL;
 * a cj_fit() of the model is under way; another thread uses it), CJ_NOT_BUILT (not compiled),
 * CJ_OUT_OF_MEMORY (a NULL that a builder gave for want of memory).
 */
CJ_API cj_status cj_model_set_pool(cj_model *model, cj_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
