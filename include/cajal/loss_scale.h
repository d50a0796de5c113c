/**
 * @file loss_scale.h
 * LossScaleOptimizer: an optimizer around another one that multiplies the loss by a scale which it finds
 * by itself, so that small gradients are not lost where numbers have few bits. As a spec it is
 * "loss_scale_optimizer(inner_optimizer=adam(learning_rate=0.01), initial_scale=1024)".
 */
#ifndef CAJAL_LOSS_SCALE_H
#define CAJAL_LOSS_SCALE_H

#include <cajal/optimizers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The arguments of cj_loss_scale_optimizer(). */
typedef struct cj_loss_scale_optimizer_args {
    size_t size;      ///< bytes of the struct
    const char *name; ///< default "loss_scale_optimizer"
    int _;            ///< what follows may be given by position
    /** required; its settings are copied, and its loss_scale_factor does not count */
    cj_optimizer *inner_optimizer;
    double initial_scale; ///< positive; default 32768
    int64_t
        dynamic_growth_steps; ///< at least 1, default 2000: finite steps before the scale doubles
} cj_loss_scale_optimizer_args;
/** The defaults of cj_loss_scale_optimizer_args. */
#define CJ_LOSS_SCALE_OPTIMIZER_DEFAULTS                                          \
    .size = sizeof(cj_loss_scale_optimizer_args), .name = "loss_scale_optimizer", \
    .initial_scale = 32768, .dynamic_growth_steps = 2000
/** Sets `args` to CJ_LOSS_SCALE_OPTIMIZER_DEFAULTS, for languages without the macros; NULL is fine. */
CJ_API void cj_loss_scale_optimizer_defaults(cj_loss_scale_optimizer_args *args);
/**
 * Before gradients are taken, the loss is multiplied by the scale, and they are divided by it. A step
 * whose gradients are not all finite changes neither weights nor what the inner optimizer keeps, nor
 * the number of steps done, and halves the scale; moving averages of layers change as in any step.
 * After dynamic_growth_steps finite steps in a row the scale doubles. The scale and the steps since it
 * changed are saved with the optimizer's state.
 *
 * @return a floating optimizer for cj_compile(); NULL with CJ_INVALID_ARGUMENT (no inner optimizer, or
 *         one that is a LossScaleOptimizer itself; a setting out of range), the first cause if the
 *         inner optimizer could not be made, or CJ_OUT_OF_MEMORY. cj_optimizer_updates(), which does
 *         not see the loss, refuses it with CJ_UNSUPPORTED.
 */
CJ_API cj_optimizer *cj_loss_scale_optimizer_new(const cj_loss_scale_optimizer_args *args);
/** `cj_loss_scale_optimizer(cj_adam(0.01), .initial_scale = 1024)`. */
#define cj_loss_scale_optimizer(...) \
    cj_loss_scale_optimizer_new(     \
        &(cj_loss_scale_optimizer_args){CJ_LOSS_SCALE_OPTIMIZER_DEFAULTS, ._ = 0, __VA_ARGS__})

#ifdef __cplusplus
}
#endif

#endif
